"""A store in bad weather: answers are lost, writes land late or never, patience is asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from crosswind.embedded.memory import MemoryStore
from crosswind.errors import Conflict, Throttled, Unreachable
from crosswind.ports import Change, Item

Weather = Literal["fine", "landed", "lost", "late", "throttled"]
"""What befalls a write: its answer is lost after it landed, it is lost altogether, its answer is
lost and it lands only when `Storm.calm` is called or after some more calls, or it is refused."""


@dataclass
class Storm:
    """A `Store` over another one; the weather of its next writes is given in advance.

    Attributes:
        weather: of the writes to come; when it is used up it is fine.
        reading: of the reads to come, of which only `lost` and `throttled` matter.
        late_by: calls after which a late write lands.
    """

    store: MemoryStore = field(default_factory=MemoryStore)
    weather: deque[Weather] = field(default_factory=deque)
    reading: deque[Weather] = field(default_factory=deque)
    late_by: int = 1_000_000
    writes: int = 0
    landed: int = 0
    calls: int = 0
    _late: list[tuple[int, str, tuple[Change, ...], str]] = field(default_factory=list)

    def forecast(self, *weather: Weather, reading: Iterable[Weather] = ()) -> None:
        self.weather.extend(weather)
        self.reading.extend(reading)

    def read(self, partition: str, key: str) -> Item | None:
        self._tick()
        weather = self.reading.popleft() if self.reading else "fine"
        if weather == "throttled":
            raise Throttled("patience")
        if weather == "lost":
            raise Unreachable("no answer")
        return self.store.read(partition, key)

    def scan(
        self, partition: str, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[Item]:
        return self.store.scan(partition, prefix, after, limit)

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        self._tick()
        self.writes += 1
        weather = self.weather.popleft() if self.weather else "fine"
        if weather == "throttled":
            raise Throttled("patience")
        if weather == "lost":
            raise Unreachable("no answer")
        if weather == "late":
            self._late.append((self.calls + self.late_by, partition, tuple(changes), token))
            raise Unreachable("no answer")
        versions = self.store.write(partition, changes, token)
        self.landed += 1
        if weather == "landed":
            raise Unreachable("no answer")
        return versions

    def calm(self) -> int:
        """All late writes arrive now; says how many of them took effect."""
        return self._arrive(float("inf"))

    def _tick(self) -> None:
        self.calls += 1
        self._arrive(self.calls)

    def _arrive(self, now: float) -> int:
        due = [late for late in self._late if late[0] <= now]
        self._late = [late for late in self._late if late[0] > now]
        effective = 0
        for _, partition, changes, token in due:
            try:
                self.store.write(partition, changes, token)
            except Conflict:
                continue
            effective += 1
        self.landed += effective
        return effective
