"""What to improve, from facts alone: each lesson names what was measured, and what governs it.

Nothing is advised that the journal does not show. A lesson is a fact and a place to look; what
follows from it is for those who read the review.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from crosswind.journal.review.facts import ChainFacts, Phase
from crosswind.journal.review.phases import Way
from crosswind.journal.review.unknowns import late
from crosswind.journal.review.wording import after, lasting, listed, percent
from crosswind_events.catalogue.failover import FailoverUnconfirmed
from crosswind_events.catalogue.recovery import RegionRelapsed

MUCH: Final = 0.25
"""Share of the time of a way from which a part is worth a word."""

_LEAST: Final = 10.0
"""Seconds below which no part is worth one."""

_GOVERNS: Final[Mapping[Phase, str]] = {
    "detection": "probes.every, alerts",
    "confirmation": "failover.quorum, failover.min_kinds, probes.every, alerts",
    "soak": "failover.soak",
    "approval": "modes, limits",
    "capacity": "replicas and quota of the regions, failover.capacity_timeout",
    "shift": "shift.steps, shift.pause; failover.failback_steps, failover.failback_pause",
}
_WORDS: Final[Mapping[Phase, str]] = {
    "detection": "Detection: until the first evidence came it",
    "confirmation": "Confirmation: until the evidence sufficed it",
    "soak": "The soak",
    "approval": "Approval",
    "capacity": "Capacity",
    "shift": "The shift of the traffic",
}
_BAD: Final = frozenset({"impossible", "failed"})
_REFUSED: Final = re.compile(r"was (rejected|expired)|^given up:")
"""What other lessons are about."""

_UNMAPPED: Final = re.compile(r"^unmapped\b")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A fact, and what governs it: fields of the fleet's declaration, or what to look at."""

    fact: str
    governs: str


def lessons(
    chains: Sequence[ChainFacts], ways: Mapping[str, Sequence[Way]], first: float
) -> tuple[Lesson, ...]:
    """All lessons, the ones about time first; each is said once.

    Args:
        ways: by chain.
        first: since when the story is told, seconds since the epoch.
    """
    found: list[Lesson] = []
    for facts in chains:
        found += _of_time(ways.get(facts.chain, ()))
    for facts in chains:
        found += _of_chain(facts)
    found += _of_all(chains, first)
    return tuple(dict.fromkeys(found))


def _of_time(ways: Sequence[Way]) -> Iterator[Lesson]:
    if not ways:
        return
    way = ways[0]
    about = f" of {way.workload}" if way.workload else ""
    for part in way.parts:
        if part.phase not in _GOVERNS or part.share < MUCH or part.seconds < _LEAST:
            continue
        yield Lesson(
            f"{_WORDS[part.phase]} took {percent(part.share)} of the time{about} "
            f"({lasting(part.seconds)} of {lasting(way.seconds)}) in chain {way.chain[:8]}",
            _GOVERNS[part.phase],
        )


def _of_chain(facts: ChainFacts) -> Iterator[Lesson]:
    for one in facts.asked:
        if one.outcome in ("expired", "rejected"):
            what = f"{one.action} of {one.workload}" if one.workload else one.action
            if one.outcome == "expired":
                span = lasting((one.answered or one.at) - one.at)
                yield Lesson(
                    f"Nobody answered the question whether {what} may be done; it expired after "
                    f"{span}",
                    "who is told of approval.requested; modes; the setting approval",
                )
            else:
                why = f": {one.reason}" if one.reason else ", without a reason"
                yield Lesson(f"{one.by or 'A person'} rejected {what}{why}", "modes")
    yield from _of_plans(facts)
    for failed in facts.failed:
        if failed.final:
            yield Lesson(
                f"{failed.handler} gave up after {failed.times} attempt(s): {failed.error}",
                f"crosswind dlq show {failed.run[:12]}",
            )


def _of_plans(facts: ChainFacts) -> Iterator[Lesson]:
    """Plans that did not hold, by what they met."""
    met: Counter[tuple[str, str]] = Counter()
    overtaken: Counter[tuple[str, str]] = Counter()
    held: Counter[tuple[str, str]] = Counter()
    for one in facts.decided:
        if one.type.endswith("requested.v1"):
            counts = overtaken if one.conflicts else met
            if one.conflicts or one.attempt > 1:
                counts[one.workload, one.because] += 1
        elif one.type.endswith("traffic.shift.v1"):
            held[one.workload, one.because] += 1
        elif one.outcome in _BAD and not _REFUSED.search(one.because):
            yield Lesson(
                f"{one.workload} could not be moved: {one.because}",
                "the workload's regions, quotas, floor and residency",
            )
    for (workload, why), times in met.items():
        plans = "A plan" if times == 1 else f"{times} plans"
        yield Lesson(f"{plans} for {workload} did not hold: {why}", "quotas, capacity, prices")
    for (workload, why), times in overtaken.items():
        yield Lesson(
            f"Plans for {workload} were overtaken {times} time(s): {why}",
            "what else changes the register at that time",
        )
    for (workload, why), times in held.items():
        yield Lesson(
            f"The shift of {workload} was held {times} time(s): {why}",
            "shift.max_error_rate, slo.latency_ms, start_up",
        )


def _of_all(chains: Sequence[ChainFacts], first: float) -> Iterator[Lesson]:
    seen = [one for facts in chains for one in facts.seen]
    unmapped = sorted({one.alarm for one in seen if one.alarm and _UNMAPPED.match(one.because)})
    if unmapped:
        names = listed([f"`{name}`" for name in unmapped])
        yield Lesson(f"Counted for nothing, as no entry maps them: alarm(s) {names}", "alerts")
    tardy = [one for one in seen if late(one)]
    if tardy:
        worst = max(tardy, key=lambda one: one.late)
        yield Lesson(
            f"{len(tardy)} piece(s) of evidence came late, the latest of them by "
            f"{lasting(worst.late)} ({worst.kind})",
            "the way of these notifications to the bus",
        )
    for facts in chains:
        for one in facts.decided:
            if one.type == FailoverUnconfirmed.event_type:
                yield Lesson(
                    f"Chain {facts.chain[:8]} ended unconfirmed at {after(one.at, first)}: "
                    f"{one.because}",
                    "failover.quorum, failover.min_kinds, failover.window",
                )
            elif one.type == RegionRelapsed.event_type:
                yield Lesson(
                    f"The region relapsed at {after(one.at, first)}: {one.because}",
                    "failover.soak, failover.recovery_quorum",
                )
    for facts in chains:
        for gap in facts.gaps:
            if "did not answer" in gap.what:
                yield Lesson(
                    f"{gap.what[0].upper()}{gap.what[1:]} when it was asked "
                    f"({gap.times} time(s) in chain {facts.chain[:8]})",
                    "the endpoint's own control plane",
                )
