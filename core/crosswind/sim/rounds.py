"""Rounds of built-in schedules, and what shows that one says nothing.

The comparison of the world with the register says nothing where a rehearsal of it says nothing,
until the world or the register changes. Probes have rules of their own, see `probing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from pydantic_core import from_json

from crosswind.chains.drift import detection
from crosswind.sim.conditions import sized
from crosswind_events import Event, EventData
from crosswind_events.catalogue.drift import DriftDue
from crosswind_events.catalogue.schedule import Tick

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.sim.simulation import Simulation
    from crosswind.testing.post import Letter

_EPSILON: Final = 0.001


class Silence(IntEnum):
    """What a round would say: something, or it might; nothing now; nothing until a change."""

    SPEAKS = 0
    SILENT = 1
    LASTING = 2


class Rounds(Protocol):
    """The rounds of one schedule.

    Attributes:
        schedule: its name; None where the app has none, or others listen to its messages too.
    """

    schedule: str | None

    def takes(self, at: float) -> float:
        """Seconds after which all is over to which a round leads that begins at a moment."""
        ...

    def silence(self, at: float) -> Silence:
        """What the round of a moment would say, if nothing changes until it is over."""
        ...

    def leads_to_nothing(self, letter: Letter) -> Callable[[float], bool] | None:
        """Tells of a moment whether a message, worked then, leads to nothing.

        None where it is no message of these rounds, or one that is always to be worked.
        """
        ...

    def fans_out(self, letter: Letter) -> bool:
        """Whether a message leads to the looks, and so depends on nothing but the fleet."""
        ...


class DriftRounds:
    """The rounds in which the world is compared with the register."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.schedule = schedule_of(simulation.app, detection.tick, {DriftDue: detection.compare})
        self._takes = Duration(simulation, messages=2)
        self._known: tuple[int, int, bool] = (-1, -1, False)

    def takes(self, at: float) -> float:
        """See `Rounds.takes`."""
        return self._takes.at(at)

    def silence(self, at: float) -> Silence:
        """See `Rounds.silence`."""
        return Silence.LASTING if self._same() else Silence.SPEAKS

    def leads_to_nothing(self, letter: Letter) -> Callable[[float], bool] | None:
        """See `Rounds.leads_to_nothing`."""
        return None if letter.type != DriftDue.event_type else lambda at: self._same()

    def fans_out(self, letter: Letter) -> bool:
        """See `Rounds.fans_out`."""
        return letter.type == Tick.event_type and data_of(letter)["schedule"] == self.schedule

    def _same(self) -> bool:
        """Whether all is as intended, or not to be compared; it looks at nothing that passes."""
        simulation = self.simulation
        versions = simulation.world.version, simulation.intended.version
        if self._known[:2] != versions:
            event = Event.of(
                DriftDue(workloads=tuple(sorted(simulation.fleet.workloads))),
                id="rehearsal",
                source=simulation.app.source,
                time=simulation.instant(simulation.now),
            )
            handler = simulation.app.by_type[DriftDue.event_type][0]
            same = simulation.rehearsal().says_nothing(handler, event)
            self._known = (*versions, same)
        return self._known[2]


class Duration:
    """How long a round of so many messages takes at the most, the bus being slow at times."""

    def __init__(self, simulation: Simulation, *, messages: int, plus: float = 0.0) -> None:
        self._messages = messages
        self._usual = messages * simulation.bus.longest + plus + _EPSILON
        self._slow = [fault for fault in simulation.world.faults if fault.kind == "slow-bus"]

    def at(self, begins: float) -> float:
        """Seconds after which a round that begins then is over."""
        takes = self._usual
        if self._slow:
            # A message that is sent while it is slow may meet the next time in which it is.
            for fault in self._slow:
                if fault.begins < begins + takes and begins < fault.ends:
                    takes += self._messages * sized(fault)
        return takes


def schedule_of(
    app: App,
    tick: Callable[..., Any],
    listening: Mapping[type[EventData], Callable[..., Any]],
) -> str | None:
    """The name of a built-in schedule, if an app has it and nobody else listens to its rounds."""
    for data, function in listening.items():
        handlers = app.by_type.get(data.event_type, ())
        if [handler.function for handler in handlers] != [function]:
            return None
    return next((one.name for one in app.handlers if one.function is tick), None)


def data_of(letter: Letter) -> Mapping[str, Any]:
    """The data of the event that a message carries."""
    return _data(letter.body)


@lru_cache(8)  # the rules of several rounds ask of the same message, one after the other
def _data(body: bytes) -> Mapping[str, Any]:
    data: dict[str, Any] = from_json(body)["data"]
    return data
