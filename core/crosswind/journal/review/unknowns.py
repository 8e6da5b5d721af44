"""What was not known when it was decided: said plainly, so that nobody reads more into a review."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from crosswind.journal.review.facts import ChainFacts, Seen
from crosswind.journal.review.reading import READ
from crosswind.journal.review.wording import after, lasting, stamp

LATE: Final = 30.0
"""Seconds after which a piece is called late: one round of probes, as the fleet has it unless said
otherwise."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """One thing that was not known; `chain` is empty where it is about all of them."""

    chain: str
    at: float
    what: str


def unknowns(chains: Sequence[ChainFacts], first: float) -> tuple[Unknown, ...]:
    """All of it, in the order of time.

    Args:
        first: since when the story is told, seconds since the epoch.
    """
    found = [one for facts in chains for one in _of(facts, first)]
    return tuple(sorted(found, key=lambda one: one.at))


def late(seen: Seen) -> bool:
    """Whether a piece came late."""
    return seen.late > LATE


def _of(facts: ChainFacts, first: float) -> Iterator[Unknown]:
    def unknown(at: float, what: str) -> Unknown:
        return Unknown(facts.chain, at, what)

    if facts.simulated:
        yield unknown(
            facts.opened,
            "what would really have happened: it was only observed, so that nothing was done, "
            "capacity was assumed to be granted in full, and no step was judged",
        )
    if facts.cut:
        yield unknown(
            facts.opened,
            f"all of the chain: it has more than {READ:,} items of a kind, and no more were read",
        )
    if facts.closed is None:
        waits = f"; {facts.waits[0]}" if facts.waits else ""
        yield unknown(facts.opened, f"how it ends: the chain is still open{waits}")
    for one in facts.seen:
        if late(one):
            who = one.kind + (f" from {one.vantage}" if one.vantage else "")
            said = f"{who} said at {stamp(one.at)} that {one.region} is {one.says}"
            yield unknown(one.at, f"{said}, which came {lasting(one.late)} later")
        elif one.heard is None:
            yield unknown(
                one.at, f"when the word of {one.kind} of {stamp(one.at)} came: its run is not read"
            )
    for gap in facts.gaps:
        again = f", {gap.times} times" if gap.times > 1 else ""
        yield unknown(gap.at, f"{gap.what}{again}, first at {after(gap.at, first)}")
    for workload, why in facts.unmeasured.items():
        yield unknown(
            facts.closed or facts.opened,
            f"how long the callers of {workload} were without answers: no recovery time was "
            f"measured ({why})",
        )
    for failed in facts.failed:
        if not failed.final:
            times = f"{failed.times} time(s)"
            yield unknown(
                failed.at,
                f"what {failed.handler} asked for in vain {times} before it was answered: "
                f"{failed.error}",
            )
