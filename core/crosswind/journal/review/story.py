"""The review of one incident: its chains, told together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from crosswind.journal.review.episode import episode
from crosswind.journal.review.facts import Asked, ChainFacts, Decided, Done, Failed, Seen
from crosswind.journal.review.incidents import Found
from crosswind.journal.review.lessons import Lesson, lessons
from crosswind.journal.review.phases import Way, ways
from crosswind.journal.review.reading import read_facts
from crosswind.journal.review.unknowns import Unknown, unknowns
from crosswind.journal.review.wording import stamp
from crosswind.records.ledger import Ledger

if TYPE_CHECKING:
    from crosswind.app import App


@dataclass(frozen=True, slots=True)
class Review:
    """A review, ready to be shown.

    Attributes:
        chains: oldest first.
        left_out: chains of the episode that were not read.
        missing: chains that are no longer in the journal.
        first: since when it is told: the first evidence, or the first failure that callers saw
            where that was measured; seconds since the epoch.
        ways: by chain, how long each part took.
    """

    incident: Found
    now: float
    chains: tuple[ChainFacts, ...]
    left_out: int
    missing: tuple[str, ...]
    first: float
    ways: Mapping[str, tuple[Way, ...]]
    unknown: tuple[Unknown, ...]
    lessons: tuple[Lesson, ...]

    @property
    def seen(self) -> list[Seen]:
        """All that was seen, oldest first."""
        return sorted((one for facts in self.chains for one in facts.seen), key=lambda one: one.at)

    @property
    def decided(self) -> list[Decided]:
        """All that was decided, oldest first."""
        return sorted(
            (one for facts in self.chains for one in facts.decided), key=lambda one: one.at
        )

    @property
    def asked(self) -> list[Asked]:
        """All that a person was asked, oldest first."""
        return sorted((one for facts in self.chains for one in facts.asked), key=lambda one: one.at)

    @property
    def done(self) -> list[Done]:
        """All that was done, oldest first."""
        return sorted((one for facts in self.chains for one in facts.done), key=lambda one: one.at)

    @property
    def failed(self) -> list[Failed]:
        """All runs with failed attempts, oldest first."""
        return sorted(
            (one for facts in self.chains for one in facts.failed), key=lambda one: one.at
        )

    def as_json(self) -> dict[str, Any]:
        """The whole of it, for programs; facts have their times in seconds since the epoch."""
        return {
            **incident_as_json(self.incident),
            "chains": [_chain_as_json(facts) for facts in self.chains],
            "chains_left_out": self.left_out,
            "chains_missing": list(self.missing),
            "seen": [asdict(one) for one in self.seen],
            "decided": [asdict(one) for one in self.decided],
            "asked": [asdict(one) for one in self.asked],
            "done": [asdict(one) for one in self.done],
            "failed": [asdict(one) for one in self.failed],
            "took": [
                {**asdict(way), "seconds": way.seconds}
                for ways in self.ways.values()
                for way in ways
            ],
            "unknown": [asdict(one) for one in self.unknown],
            "lessons": [asdict(one) for one in self.lessons],
        }


def review(
    ledger: Ledger, app: App, incident: Found, now: float, others: Sequence[Found] = ()
) -> Review:
    """Read the review of an incident.

    Args:
        app: whose kinds of action put themselves into words.
        now: seconds since the epoch.
        others: all known incidents, to tell where the same trouble came again.
    """
    whole = episode(ledger, incident, now, [one for one in others if one.name == incident.name])
    facts, missing = [], []
    for chain in whole.chains:
        found = read_facts(ledger.store, chain, app, now)
        if found is None:
            missing.append(chain)
        else:
            facts.append(found)
    facts.sort(key=lambda one: (one.opened, one.chain))
    taken = {one.chain: ways(one, now) for one in facts}
    first = min([incident.since, *(way.began for ways in taken.values() for way in ways)])
    return Review(
        incident=incident,
        now=now,
        chains=tuple(facts),
        left_out=whole.left_out,
        missing=tuple(missing),
        first=first,
        ways=taken,
        unknown=unknowns(facts, first),
        lessons=lessons(facts, taken, first),
    )


def incident_as_json(incident: Found) -> dict[str, Any]:
    """An incident for programs, without its story."""
    return {
        "id": incident.id,
        "incident": incident.name,
        "title": incident.title,
        "severity": incident.severity,
        "state": incident.state,
        "region": incident.region,
        "workloads": list(incident.workloads),
        "since": stamp(incident.since),
        "until": None if incident.until is None else stamp(incident.until),
        "because": incident.because or None,
        "by": incident.by,
        "times": incident.times,
        "met": [{**one._asdict(), "at": stamp(one.at)} for one in incident.met],
    }


def _chain_as_json(facts: ChainFacts) -> dict[str, Any]:
    return {
        "chain": facts.chain,
        "opened": stamp(facts.opened),
        "closed": None if facts.closed is None else stamp(facts.closed),
        "outcome": facts.outcome,
        "target": facts.target,
        "began_with": facts.began_with,
        "simulated": facts.simulated,
        "cut": facts.cut,
        "waits": list(facts.waits),
        "outages": {name: asdict(one) for name, one in facts.outages.items()},
    }
