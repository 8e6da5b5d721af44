"""A simulated world, deterministic from a seed, on which every chain runs unchanged.

    from crosswind.sim import Accounts, Answering, Fault, Faults, Invariants, Simulation

    faults = Faults([Fault("outage", 600, 4200, region="aws/us-east-1")])
    simulation = Simulation(failover_app(), fleet, faults, seed=7, people=Answering(after=60))
    invariants, accounts = Invariants(simulation), Accounts.of(simulation)
    simulation.run(until=86_400)              # go on with a later moment, as often as you like
    assert not invariants.check()
    report = accounts.report()                # report.saved, report.recovery, report.to_dict()

All times are seconds since the beginning of the simulation; only the engine, its records and
`simulation.clock` count from the epoch.

    simulation.on_event(hook)                 # hook(simulation, what: Happening), at every change
    simulation.at(moment, callable), say(data), signal(payload, translate), brakes
    simulation.said(FailoverCompleted), records(chain), world, intended, chains, store, engine
    random_faults(fleet, seed, days, intensity), Faults.to_json(), Faults.from_json(text)
    digest(simulation)                        # equal where the same was decided

Another way to steer is compared on the same world without an engine: `World.advance`,
`order_weights`, `order_replicas`; `probe` and `telemetry` read it; `Accounts(world)` keeps count,
and is told with `accounts.outages.confirmed(region)` that a region is going to be left.

| module                                 | what is in it                                       |
|----------------------------------------|-----------------------------------------------------|
| draws                                  | random numbers by name, never by order              |
| faults, generator, conditions          | what goes wrong; at random; what it means just then |
| nature                                 | the constants of a world that no fleet declares     |
| flows, gauge, serving, estate, prices  | queues and latency; what flowed; replicas and money |
| world, readings                        | all of it in time; what observers see of it         |
| performers                             | every action and query, carried out on it           |
| clock, post, voices, people, trouble   | virtual time; who speaks, approves, and fails       |
| simulation                             | the real engine on a real store, in virtual time    |
| quiet, rounds, probing, rehearsal      | why most rounds of probes need not be worked        |
| intended, rules, invariants            | the register as it stands, and what must hold of it |
| accounts, outages, fingerprint         | what has come of it, and what was decided           |
"""

from __future__ import annotations

from crosswind.sim.accounts import Account, Accounts, Kept, Report, Spread
from crosswind.sim.draws import Draws
from crosswind.sim.faults import KINDS, NO_FAULTS, SIZES, Fault, Faults, InvalidFaults, Kind
from crosswind.sim.fingerprint import decided, digest
from crosswind.sim.generator import HABITS, Habit, random_faults
from crosswind.sim.invariants import Invariants, Violation
from crosswind.sim.nature import NATURE, Nature
from crosswind.sim.outages import Failover, Outage, Outages
from crosswind.sim.people import Answering, Nobody, People, Reply
from crosswind.sim.performers import SimulatedPerformer
from crosswind.sim.readings import probe, telemetry
from crosswind.sim.serving import Promise
from crosswind.sim.simulation import DAY, START, Happening, Hook, Simulation
from crosswind.sim.trouble import Trouble
from crosswind.sim.world import Order, World

__all__ = [  # grouped by what a reader looks for
    # to play
    "DAY",
    "START",
    "Happening",
    "Hook",
    "Simulation",
    # what goes wrong
    "HABITS",
    "KINDS",
    "NO_FAULTS",
    "SIZES",
    "Fault",
    "Faults",
    "Habit",
    "InvalidFaults",
    "Kind",
    "Trouble",
    "random_faults",
    # the world
    "NATURE",
    "Nature",
    "Order",
    "SimulatedPerformer",
    "World",
    "probe",
    "telemetry",
    # people
    "Answering",
    "Nobody",
    "People",
    "Reply",
    # what must hold, and what has come of it
    "Account",
    "Accounts",
    "Failover",
    "Invariants",
    "Kept",
    "Outage",
    "Outages",
    "Promise",
    "Report",
    "Spread",
    "Violation",
    "decided",
    "digest",
    # numbers
    "Draws",
]
