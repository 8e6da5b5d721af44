"""Virtual time: what is to happen when, and the ticks of an app's schedules."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from math import ceil, inf
from typing import TYPE_CHECKING, NamedTuple

from crosswind.embedded.scheduler import Scheduler

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.ports import Bus


class _Due(NamedTuple):
    at: float
    number: int
    happen: Callable[[], object]


class Agenda:
    """What is to happen, in the order of its time; what is due at once, in that of its planning.

    Args:
        start: seconds since the epoch at which it begins.

    Attributes:
        now: seconds since the beginning, from which all else is told.
    """

    def __init__(self, start: float) -> None:
        self.start = start
        self.now = 0.0
        self._due: list[_Due] = []
        self._numbers = 0

    def clock(self) -> float:
        """Seconds since the epoch, as the engine knows the time."""
        return self.start + self.now

    def plan(self, at: float, happen: Callable[[], object]) -> None:
        """Let something happen at a moment; what lies in the past happens now."""
        self._numbers += 1
        heappush(self._due, _Due(max(at, self.now), self._numbers, happen))

    def next(self) -> float:
        """When the next thing is due; infinite where nothing is."""
        return self._due[0].at if self._due else inf

    def step(self) -> None:
        """Let time pass to what is due next, and let it happen."""
        due = heappop(self._due)
        self.now = max(self.now, due.at)
        due.happen()


class Timetable(Scheduler):
    """The ticks of an app's schedules in virtual time: published exactly when they are due."""

    def __init__(self, app: App, bus: Bus, clock: Callable[[], float]) -> None:
        super().__init__(app, bus, clock)

    def next(self) -> float:
        """When the next tick is due, since the epoch; infinite without schedules."""
        return min(self._next.values(), default=inf)

    def due(self, name: str) -> float:
        """When the next tick of a schedule is due."""
        return self._next[name]

    def every(self, name: str) -> float:
        """Seconds between two ticks of a schedule.

        Raises:
            LookupError: there is no such schedule, or it ticks by a cron line.
        """
        every = next((one.every for one in self.app.schedules if one.name == name), None)
        if every is None:
            raise LookupError(f"no schedule named {name} ticks at even distances")
        return every

    def skip(self, name: str, until: float) -> int:
        """Leave out the ticks of a schedule that are due before a moment; says how many."""
        every, due = self.every(name), self._next[name]
        count = max(0, ceil((until - due) / every))
        # A multiple of the distance, as the schedule itself would have it.
        self._next[name] = (round(due / every) + count) * every
        return count

    def send(self, name: str, due: float) -> None:
        """Publish one tick of a schedule."""
        schedule = next(one for one in self.app.schedules if one.name == name)
        self.bus.publish([self._message(schedule, due)])
