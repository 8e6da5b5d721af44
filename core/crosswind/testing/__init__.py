"""For tests of your own reactions: a stage to play them on, and ports that fail as told.

stage        plays an app in one process, with a clock that the test moves
post         a bus whose order of delivery the test decides
faults       what can happen to a call, and when it is to happen
ports        store, bus and performer that meet those faults

    faults = FaultPlan(On("perform", fault="unanswered"))
    stage = Stage(app, fleet=fleet, performers=[plant], faults=faults)
    stage.say(RegionUnhealthy(...))
    stage.pass_time(60)
    assert stage.record("shift").state == "committed"
"""

from crosswind.testing.faults import Fault, FaultPlan, Faults, Killed, On, PortCall
from crosswind.testing.ports import FaultyBus, FaultyPerformer, FaultyStore
from crosswind.testing.post import Letter, Post
from crosswind.testing.stage import Stage

__all__ = [
    "Stage",
    # ports that fail
    "FaultyBus",
    "FaultyPerformer",
    "FaultyStore",
    # when and how
    "Fault",
    "FaultPlan",
    "Faults",
    "Killed",
    "On",
    "PortCall",
    # a bus in slow motion
    "Letter",
    "Post",
]
