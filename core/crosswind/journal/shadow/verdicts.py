"""What would have been done, held against what really happened.

An outage was found where the region would have been left while it lasted, or shortly before people
wrote down that it began. A failover without an outage is a false one; an outage without a failover
was missed, with what there was of evidence about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from crosswind.journal.shadow.actual import Outage
from crosswind.journal.shadow.would import Heard, Would

_WEAK: Final = frozenset({"unconfirmed", "nothing-to-do", None})

SLACK: Final = 600.0
"""Seconds by which an outage may be written down as later than it began."""


@dataclass(frozen=True, slots=True)
class Met:
    """An outage that was found.

    Attributes:
        further: how often the region would have been left again while it lasted.
    """

    outage: Outage
    would: Would
    further: int

    @property
    def detection(self) -> float:
        """Seconds from its beginning until there was enough evidence."""
        return self.would.confirmed - self.outage.began

    @property
    def moved(self) -> float | None:
        """Seconds from its beginning until the traffic would have been moved."""
        return None if self.would.moved is None else self.would.moved - self.outage.began

    @property
    def earlier(self) -> float | None:
        """Seconds by which that is earlier than people were; negative where it is later."""
        if self.outage.acted is None or self.would.moved is None:
            return None
        return self.outage.acted - self.would.moved

    @property
    def spared(self) -> float | None:
        """Seconds of the outage that callers would have been spared."""
        if self.would.moved is None or self.outage.ended is None:
            return None
        over = self.outage.ended if self.outage.acted is None else self.outage.acted
        return max(0.0, min(over, self.outage.ended) - self.would.moved)


@dataclass(frozen=True, slots=True)
class Missed:
    """An outage in which the region would not have been left, and why as far as it is known."""

    outage: Outage
    why: str


@dataclass(frozen=True, slots=True)
class Compared:
    """All outages and all failovers that would have been.

    Attributes:
        away: outages of regions that would have been left already, so that nobody was hurt.
        false: failovers without an outage, each with how long before it one had ended.
    """

    found: tuple[Met, ...]
    missed: tuple[Missed, ...]
    away: tuple[Missed, ...]
    false: tuple[tuple[Would, float | None], ...]

    @property
    def detection(self) -> float | None:
        """Median of the seconds until outages were found."""
        return median([met.detection for met in self.found]) if self.found else None

    @property
    def earlier(self) -> float | None:
        """Median of the seconds by which people would have been preceded."""
        known = [met.earlier for met in self.found if met.earlier is not None]
        return median(known) if known else None


def compare(woulds: Sequence[Would], heard: Sequence[Heard], outages: Sequence[Outage]) -> Compared:
    """Hold the one against the other."""
    used: set[str] = set()
    found, missed, away = [], [], []
    for outage in outages:
        within = [would for would in woulds if would.chain not in used and _during(would, outage)]
        used |= {would.chain for would in within}
        if within:
            found.append(Met(outage, within[0], len(within) - 1))
        elif elsewhere := _elsewhere(outage, woulds):
            away.append(Missed(outage, elsewhere))
        else:
            missed.append(Missed(outage, _why(outage, heard)))
    false = [(would, _after(would, outages)) for would in woulds if would.chain not in used]
    return Compared(tuple(found), tuple(missed), tuple(away), tuple(false))


def _during(would: Would, outage: Outage) -> bool:
    if would.region != outage.region or would.confirmed < outage.began - SLACK:
        return False
    return outage.ended is None or would.confirmed <= outage.ended


def _after(would: Would, outages: Sequence[Outage]) -> float | None:
    """How long ago the last outage of the region had ended."""
    ended = [
        would.confirmed - one.ended
        for one in outages
        if one.region == would.region and one.ended is not None and one.ended <= would.confirmed
    ]
    return min(ended, default=None)


def _elsewhere(outage: Outage, woulds: Sequence[Would]) -> str:
    """Since when the region would have been left already; empty where it would not."""
    away = [
        would
        for would in woulds
        if would.region == outage.region
        and would.moved is not None
        and would.moved <= outage.began
        and (would.back is None or would.back >= outage.began)
    ]
    return f"it would have been left already, in chain {away[-1].chain[:8]}" if away else ""


def _why(outage: Outage, heard: Sequence[Heard]) -> str:
    end = float("inf") if outage.ended is None else outage.ended
    near = [
        one
        for one in heard
        if one.region == outage.region and outage.began - SLACK <= one.opened <= end
    ]
    if not near:
        return "no signal said anything about it"
    # The strongest reason goes before the first: a chain that failed hides what it might have been.
    worst = next((one for one in near if one.outcome not in _WEAK), near[0])
    more = f" (and {len(near) - 1} more chain(s))" if len(near) > 1 else ""
    return f"chain {worst.chain[:8]} ended {worst.outcome}: {worst.because}{more}"
