"""The same game days under two policies, side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from crosswind.drills.season import Season

Unit = Literal["count", "seconds", "minutes", "usd", "requests"]


class Measure(NamedTuple):
    """A number of both policies; None where there is none."""

    name: str
    unit: Unit
    here: float | None
    there: float | None

    @property
    def difference(self) -> float | None:
        """How much more it is under the other policy."""
        if self.here is None or self.there is None:
            return None
        return self.there - self.here


_MEASURES: Final[tuple[tuple[str, Unit, Callable[[Season], float | None]], ...]] = (
    ("rules broken", "count", lambda season: season.broken),
    ("outages that users saw", "count", lambda season: len(season.seen)),
    ("outages answered", "count", lambda season: season.answered),
    ("outages missed", "count", lambda season: season.missed),
    ("failovers", "count", lambda season: season.failovers),
    ("false failovers", "count", lambda season: season.false),
    ("needless failovers", "count", lambda season: season.needless),
    ("detection, median", "seconds", lambda season: season.detection.median),
    ("detection, 90 %", "seconds", lambda season: season.detection.p90),
    ("recovery, median", "seconds", lambda season: season.recovery.median),
    ("recovery, 90 %", "seconds", lambda season: season.recovery.p90),
    ("SLO minutes broken", "minutes", lambda season: season.steered.broken),
    ("user minutes lost", "minutes", lambda season: season.steered.lost),
    ("user minutes lost by doing nothing", "minutes", lambda season: season.untouched.lost),
    ("requests failed", "requests", lambda season: season.total.failed),
    ("money added", "usd", lambda season: season.added_usd),
    ("proposals", "count", lambda season: len(season.proposals)),
    ("proposals not answered", "count", lambda season: len(season.unanswered)),
    ("incidents", "count", lambda season: sum(1 for _ in season.incidents())),
)


class Tally(NamedTuple):
    """In how many seeds the other policy did better, alike, or worse."""

    better: int
    alike: int
    worse: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two policies under the same seeds and faults.

    Args:
        here, there: what they are called.
    """

    here: str
    this: Season
    there: str
    other: Season

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every number, side by side."""
        return tuple(
            Measure(name, unit, value(self.this), value(self.other))
            for name, unit, value in _MEASURES
        )

    @property
    def lost(self) -> Tally:
        """By the minutes that users lost, seed by seed; alike is what differs by less than 1 %."""
        return self._tally(lambda season: season.steered.lost)

    @property
    def money(self) -> Tally:
        """By the money that was added, seed by seed."""
        return self._tally(lambda season: season.added_usd)

    def _tally(self, value: Callable[[Season], float]) -> Tally:
        better = alike = worse = 0
        for mine, theirs in zip(self.this.plays, self.other.plays, strict=True):
            a, b = value(Season((mine,))), value(Season((theirs,)))
            if abs(a - b) <= 0.01 * max(abs(a), abs(b)):
                alike += 1
            elif b < a:
                better += 1
            else:
                worse += 1
        return Tally(better, alike, worse)

    def as_json(self) -> dict[str, Any]:
        """As one JSON document."""
        return {
            "here": self.here,
            "there": self.there,
            "measures": [{**one._asdict(), "difference": one.difference} for one in self.measures],
            "seeds": {"lost": self.lost._asdict(), "money": self.money._asdict()},
            "this": self.this.as_json(),
            "other": self.other.as_json(),
        }
