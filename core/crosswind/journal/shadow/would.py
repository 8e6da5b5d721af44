"""The failovers that would have been: read from chains in which everything was only observed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from crosswind.journal.listing import list_chains
from crosswind.journal.review.facts import ChainFacts, Planned
from crosswind.journal.review.reading import read_facts
from crosswind.records.ledger import Ledger
from crosswind_events.catalogue.failover import FailoverConfirmed
from crosswind_events.catalogue.recovery import RegionRelapsed
from crosswind_events.catalogue.region import RegionRecovered, RegionUnhealthy

if TYPE_CHECKING:
    from crosswind.app import App

CHAINS: Final = 100_000
"""Chains that are read at the most, the newest."""

AGAIN: Final = 6 * 3_600.0
"""Seconds within which a region that would be left again counts as not having been left, where
nothing follows what was only observed."""

_ABOUT_REGIONS: Final = frozenset({RegionUnhealthy.event_type, RegionRecovered.event_type})


@dataclass(frozen=True, slots=True)
class Would:
    """One failover that would have been; times in seconds since the epoch.

    Attributes:
        evidence: when the first of its evidence was given.
        confirmed: when there was enough.
        shifted: when the first traffic would have moved; None where none would.
        moved: when all of it would have.
        outcome: of its chain; None while it is open.
        because: why it was confirmed, and how it ended.
        plans: the last one of each workload.
        relapses: when the region failed again on its way back.
        back: when its traffic would have been back; None where it would not have been yet.
        well: when a signal first said that the region was well again, after it was confirmed.
        again: how often the same would have been decided once more, as nothing was moved.
    """

    region: str
    chain: str
    evidence: float
    confirmed: float
    shifted: float | None
    moved: float | None
    outcome: str | None
    because: str
    plans: tuple[Planned, ...]
    relapses: tuple[float, ...] = ()
    back: float | None = None
    well: float | None = None
    again: int = 0

    @property
    def detection(self) -> float:
        """Seconds from the first evidence until there was enough."""
        return max(0.0, self.confirmed - self.evidence)

    def away(self, until: float) -> float:
        """Seconds for which its traffic would have been elsewhere, up to a moment at the most."""
        if self.moved is None:
            return 0.0
        return max(0.0, (until if self.back is None else self.back) - self.moved)

    @property
    def cost(self) -> float:
        """USD per hour that its plans add."""
        return sum(plan.cost for plan in self.plans)

    @property
    def egress(self) -> float:
        """USD per hour that the answers cost to send under its plans."""
        return sum(plan.egress for plan in self.plans)

    @property
    def replicas(self) -> int:
        """Replicas that its plans ask for beyond those that serve."""
        return sum(sum(plan.added.values()) for plan in self.plans)


@dataclass(frozen=True, slots=True)
class Heard:
    """A chain that heard that a region fails, and did not lead to leaving it."""

    region: str
    chain: str
    opened: float
    closed: float | None
    outcome: str | None
    because: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What is read of a store.

    Attributes:
        woulds: oldest first.
        heard: chains that came to nothing, oldest first.
        acted: failovers that were really carried out.
        unmapped: how often alarms were heard that nothing maps, by name.
        gave_up: errors of handlers that gave up, each with how often.
        chains: how many were read.
        first, last: the first and the last word of any observer.
        cut: there are more chains than were read.
    """

    woulds: tuple[Would, ...]
    heard: tuple[Heard, ...]
    acted: int
    unmapped: dict[str, int]
    gave_up: dict[str, int]
    chains: int
    first: float | None
    last: float | None
    cut: bool


def observed(ledger: Ledger, app: App, now: float, since: float, *, follows: bool) -> Observed:
    """Read all chains about regions.

    Args:
        now: until when, seconds since the epoch.
        since: seconds before it from which on.
        follows: the register has followed what was only observed, so that what comes again is new.
    """
    listed = [
        one for one in list_chains(ledger, now, since, ticks=False) if one.type in _ABOUT_REGIONS
    ]
    by_region: dict[str, list[ChainFacts]] = defaultdict(list)
    collected = _Collected()
    for one in reversed(listed[:CHAINS]):
        facts = read_facts(ledger.store, one.chain, app, now)
        if facts is not None:
            by_region[facts.target].append(facts)
            collected.add(facts)
    woulds = [would for one in by_region.values() for would in _of_region(one, follows=follows)]
    return Observed(
        woulds=tuple(sorted(woulds, key=lambda would: (would.confirmed, would.region))),
        heard=tuple(sorted(collected.heard, key=lambda one: (one.opened, one.chain))),
        acted=collected.acted,
        unmapped=dict(sorted(collected.unmapped.items(), key=lambda one: (-one[1], one[0]))),
        gave_up=dict(sorted(collected.gave_up.items(), key=lambda one: (-one[1], one[0]))),
        chains=collected.chains,
        first=collected.first,
        last=collected.last,
        cut=len(listed) > CHAINS,
    )


class _Collected:
    """What is counted over all chains; the facts themselves are let go."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.acted = self.chains = 0
        self.unmapped: dict[str, int] = defaultdict(int)
        self.gave_up: dict[str, int] = defaultdict(int)
        self.first: float | None = None
        self.last: float | None = None

    def add(self, facts: ChainFacts) -> None:
        self.chains += 1
        for seen in facts.seen:
            self.first = seen.at if self.first is None else min(self.first, seen.at)
            self.last = seen.last if self.last is None else max(self.last, seen.last)
            if seen.alarm and seen.because.startswith("unmapped"):
                self.unmapped[seen.alarm] += seen.times
        for failed in facts.failed:
            if failed.final:
                self.gave_up[f"{failed.handler}: {failed.error}"] += 1
        left = any(one.type == FailoverConfirmed.event_type for one in facts.decided)
        if not left and any(seen.says == "unhealthy" for seen in facts.seen):
            self.heard.append(
                Heard(
                    facts.target,
                    facts.chain,
                    facts.opened,
                    facts.closed,
                    facts.outcome,
                    _because(facts),
                )
            )
        if not facts.simulated and facts.outcome == "completed":
            self.acted += 1


def _of_region(chains: Sequence[ChainFacts], *, follows: bool) -> Iterator[Would]:
    """The failovers of one region, from its chains in the order of time."""
    ordered = sorted(chains, key=lambda facts: (facts.opened, facts.chain))
    standing: Would | None = None
    for facts in ordered:
        relapses = tuple(one.at for one in facts.decided if one.type == RegionRelapsed.event_type)
        would = _would(facts) if facts.simulated and not relapses else None
        if would is not None:
            if standing is not None and _same(standing, would, follows=follows):
                standing = replace(standing, again=standing.again + 1)
                continue
            if standing is not None:
                yield standing
            standing = would
        elif standing is not None and relapses:
            standing = replace(standing, relapses=(*standing.relapses, *relapses))
        if standing is None:
            continue
        if standing.well is None:
            said = [seen.at for seen in facts.seen if seen.says == "recovered"]
            later = [at for at in said if at > standing.confirmed]
            standing = replace(standing, well=min(later, default=None))
        if facts.outcome == "recovered" and standing.back is None and standing.moved is not None:
            standing = replace(standing, back=facts.closed)
    if standing is not None:
        yield standing


def _because(facts: ChainFacts) -> str:
    """Why a chain led to nothing."""
    final = [f"{failed.handler} gave up: {failed.error}" for failed in facts.failed if failed.final]
    said = [one.because for one in facts.decided if one.because]
    return (final or said or [f"its chain is {facts.outcome or 'open'}"])[-1]


def _would(facts: ChainFacts) -> Would | None:
    confirmed = [one for one in facts.decided if one.type == FailoverConfirmed.event_type]
    if not confirmed:
        return None
    words = [seen.at for seen in facts.seen if seen.says == "unhealthy"]
    shifts = [moment.at for moment in facts.moments if moment.phase == "shift"]
    plans = {plan.workload: plan for plan in facts.planned if plan.purpose == "failover"}
    ends = [one.because for one in facts.decided if one.ends]
    because = confirmed[0].because + (f". It ends {facts.outcome}: {ends[-1]}" if ends else "")
    return Would(
        region=facts.target,
        chain=facts.chain,
        evidence=min([*words, confirmed[0].at]),
        confirmed=confirmed[0].at,
        shifted=min(shifts, default=None),
        moved=facts.closed if facts.outcome == "completed" else None,
        outcome=facts.outcome,
        because=because[:1_000],
        plans=tuple(plans.values()),
    )


def _same(standing: Would, would: Would, *, follows: bool) -> bool:
    """Whether a failover would only be decided again because the one before was not carried out."""
    if follows or would.confirmed - standing.confirmed > AGAIN:
        return False
    return standing.well is None or standing.well > would.confirmed
