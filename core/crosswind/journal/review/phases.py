"""How long each part took: the time of a chain, divided without a gap and without counting twice.

Workloads move side by side, so that their parts do not add up to the time of the chain. What does
is the way of the one that was done with last: it is told in full, the others beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from crosswind.journal.review.facts import Asked, ChainFacts, Moment, Outage, Phase

ORDER: tuple[Phase, ...] = (
    "detection",
    "confirmation",
    "soak",
    "planning",
    "approval",
    "capacity",
    "shift",
    "conclusion",
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part, with its share of the whole."""

    phase: Phase
    seconds: float
    share: float


@dataclass(frozen=True, slots=True)
class Way:
    """The time of a chain as one workload has spent it.

    Attributes:
        workload: empty where the chain has none, or none of it was reached.
        began: with the first failure that callers saw where that was measured, else with the first
            evidence; seconds since the epoch.
        parts: those that took time, in their order; they add up to `seconds`.
        outage: what its callers saw, None where that was not measured.
    """

    chain: str
    workload: str
    began: float
    ended: float
    parts: tuple[Part, ...]
    outage: Outage | None

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.ended - self.began

    def took(self, phase: Phase) -> float:
        """Seconds of one part."""
        return next((part.seconds for part in self.parts if part.phase == phase), 0.0)

    def share(self, phase: Phase) -> float:
        """Share of one part in the whole, from 0 to 1."""
        return next((part.share for part in self.parts if part.phase == phase), 0.0)


def ways(facts: ChainFacts, now: float) -> tuple[Way, ...]:
    """The way of each workload, the one that was done with last first.

    Args:
        now: until when an open chain has taken time, seconds since the epoch.
    """
    ended = now if facts.closed is None else facts.closed
    names = {moment.workload for moment in facts.moments if moment.workload}
    found = [_way(facts, name, ended) for name in sorted(names or {""})]
    return tuple(sorted(found, key=lambda way: (-_done(facts, way.workload, ended), way.workload)))


def _done(facts: ChainFacts, workload: str, ended: float) -> float:
    settled = [
        moment.at
        for moment in facts.moments
        if moment.workload == workload and moment.phase == "conclusion"
    ]
    return max(settled, default=ended)


def _way(facts: ChainFacts, workload: str, ended: float) -> Way:
    outage = facts.outages.get(workload)
    first = min(facts.opened if facts.first_seen is None else facts.first_seen, ended)
    began = first
    spent: dict[Phase, float] = {}
    if outage is not None and outage.began is not None and outage.began < first:
        began = outage.began
        spent["detection"] = first - began
    about = [moment for moment in facts.moments if moment.workload in ("", workload)]
    asked = [one for one in facts.asked if one.workload in ("", workload)]
    for phase, start, end in _segments(about, first, ended):
        waited = sum(_overlap(one, start, end) for one in _apart(asked, ended))
        spent[phase] = spent.get(phase, 0.0) + max(0.0, end - start - waited)
        if waited:
            spent["approval"] = spent.get("approval", 0.0) + min(waited, end - start)
    whole = ended - began
    parts = tuple(
        Part(phase, spent[phase], spent[phase] / whole if whole > 0 else 0.0)
        for phase in ORDER
        if spent.get(phase, 0.0) > 0
    )
    return Way(facts.chain, workload, began, ended, parts, outage)


def _segments(
    moments: Sequence[Moment], first: float, ended: float
) -> Iterator[tuple[Phase, float, float]]:
    """Which phase it was from when to when, from the first evidence to the end."""
    marks: list[tuple[float, Phase]] = [(first, "confirmation")]
    marks += [(moment.at, moment.phase) for moment in moments if first <= moment.at <= ended]
    marks.sort(key=lambda mark: mark[0])
    for (start, phase), (end, _) in pairwise([*marks, (ended, "conclusion")]):
        if end > start:
            yield phase, start, end


def _apart(asked: Sequence[Asked], ended: float) -> list[tuple[float, float]]:
    """The times in which a person was asked, without counting two questions at once twice."""
    spans = sorted((one.at, ended if one.answered is None else one.answered) for one in asked)
    apart: list[tuple[float, float]] = []
    for begin, end in spans:
        if apart and begin <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(apart[-1][1], end))
        else:
            apart.append((begin, end))
    return apart


def _overlap(span: tuple[float, float], start: float, end: float) -> float:
    return max(0.0, min(span[1], end) - max(span[0], start))
