"""Which incidents there are.

The store of incidents knows those that were remembered. The journal also knows those that were
only observed, as the mode was observe, and those that could not be remembered: they are read from
the events that would have opened them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from pydantic_core import from_json

from crosswind.chains.incidents import kept as keeping
from crosswind.chains.incidents.kept import Kept
from crosswind.chains.incidents.operations import SEVERITIES, OpenIncident
from crosswind.errors import CrosswindError
from crosswind.journal.chain import Run
from crosswind.journal.listing import Listed, list_chains
from crosswind.ports import Store
from crosswind.records.identity import RUN, chain_partition, name_id
from crosswind.records.ledger import Ledger
from crosswind.records.record import Record
from crosswind_events.catalogue.incident import IncidentOpened

State = Literal["open", "resolved", "observed", "untold"]
"""
open      remembered, and not over
resolved  remembered, and over
observed  it would have been opened: everything in its chain was only observed
untold    its event was said, and no handler has remembered it: see the dead letters
"""

CHAINS: Final = 20_000
"""Chains that are looked through for incidents that nobody has remembered, the newest."""

_OPEN: Final = f"act:{OpenIncident.kind}"
_SAID: Final = f'"type":"{IncidentOpened.event_type}"'.encode()
_TOLD: Final = f'"kind":"{_OPEN}"'.encode()
_REGION: Final = re.compile(r"region:((?:aws|gcp|azure)/[a-z0-9-]+)")
_ORDER: Final = {"open": 0, "untold": 1, "observed": 2, "resolved": 3}


class NoSuchIncident(CrosswindError, LookupError):
    """No incident has this id or name."""


class AmbiguousIncident(CrosswindError, LookupError):
    """More than one incident begins like this."""


class Met(NamedTuple):
    """One time that an incident was met; `at` in seconds since the epoch."""

    at: float
    chain: str | None
    title: str
    cause: str
    severity: str
    workload: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """One incident.

    Attributes:
        id: names this one; short forms are understood where they are unique.
        name: of its trouble; the same may come again later.
        since, until: seconds since the epoch; `until` is None while it goes on.
        met: the times it was met, the first and the latest.
        unlisted: how many between them are not kept.
    """

    id: str
    name: str
    title: str
    severity: str
    state: State
    region: str | None
    since: float
    met: tuple[Met, ...]
    unlisted: int = 0
    until: float | None = None
    because: str = ""
    by: str | None = None

    @property
    def workloads(self) -> tuple[str, ...]:
        """Those that were named when it was met."""
        return tuple(dict.fromkeys(one.workload for one in self.met if one.workload))

    @property
    def chains(self) -> tuple[str, ...]:
        """Those that have met it."""
        return tuple(dict.fromkeys(one.chain for one in self.met if one.chain))

    @property
    def times(self) -> int:
        """How often it was met."""
        return len(self.met) + self.unlisted


def incidents(
    ledger: Ledger,
    fleets: Iterable[str],
    now: float,
    since: float,
    *,
    region: str | None = None,
) -> list[Found]:
    """The incidents that are open, and those that were met in the last `since` seconds.

    Open ones first, and among them the gravest; else the newest first.

    Args:
        fleets: whose.
        now: seconds since the epoch.
        region: only those of this region.
    """
    remembered = [one for fleet in fleets for one in _remembered(ledger.store, fleet, now - since)]
    chains = list_chains(ledger, now, since, ticks=False)[:CHAINS]
    found = [*remembered, *_unremembered(ledger.store, chains, remembered)]
    wanted = (one for one in found if region is None or one.region == region)
    return sorted(wanted, key=_rank)


def find_incident(found: Sequence[Found], given: str) -> Found:
    """The incident of this name, or of the beginning of this id, the newest of a name.

    Raises:
        NoSuchIncident, AmbiguousIncident: none, or several.
    """
    given = given.strip()
    named = [one for one in found if given in (one.name, one.region)]
    if named:
        return min(named, key=lambda one: (one.until is not None, -one.since))
    by_id = [one for one in found if given and one.id.startswith(given.lower())]
    if not by_id:
        raise NoSuchIncident(f"no incident has the id or name {given!r:.80}")
    if len(by_id) > 1:
        some = ", ".join(one.id for one in by_id[:5])
        raise AmbiguousIncident(
            f"{len(by_id)} incidents begin with {given}: {some}; give more of it"
        )
    return by_id[0]


def _rank(one: Found) -> tuple[int, int, float, str]:
    gravity = SEVERITIES.index(one.severity) if one.severity in SEVERITIES else -1
    return (_ORDER[one.state], -gravity if one.state == "open" else 0, -one.since, one.id)


def _remembered(store: Store, fleet: str, since: float) -> Iterator[Found]:
    seen: set[str] = set()
    for one in keeping.current(store, fleet):
        if one.open or one.since >= since or (one.until or 0.0) >= since:
            seen.add(one.id)
            yield _found(one)
    for one in keeping.past(store, fleet, since):
        if one.id not in seen:
            yield _found(one)


def _found(one: Kept) -> Found:
    met = tuple(
        Met(told.at, told.chain, told.title, told.cause, told.severity, told.workload)
        for told in one.told
    )
    return Found(
        id=one.id,
        name=one.name,
        title=one.title,
        severity=one.severity,
        state="open" if one.open else "resolved",
        region=one.region,
        since=one.since,
        met=met,
        unlisted=one.untold,
        until=one.until,
        because=one.because,
        by=one.by,
    )


def _unremembered(
    store: Store, chains: Sequence[Listed], remembered: Sequence[Found]
) -> Iterator[Found]:
    """What only the journal knows, one for each name: what is observed changes nothing, and so
    comes again and again."""
    known = {(one.name, chain) for one in remembered for chain in one.chains}
    spans = [(one.name, one.since, one.until) for one in remembered if one.unlisted]
    by_name: dict[tuple[str, State], Found] = {}
    for listed in reversed(chains):
        for event, state in _opened(store, listed.chain):
            one = _from_event(event, state, listed.chain)
            if (one.name, listed.chain) in known or _within(one, spans):
                continue
            name = (one.name, one.state)
            before = by_name.get(name)
            by_name[name] = one if before is None else _again(before, one)
    yield from by_name.values()


def _opened(store: Store, chain: str) -> Iterator[tuple[Mapping[str, Any], State]]:
    """The events of a chain that open incidents, and whether that was only observed."""
    said: dict[str, Mapping[str, Any]] = {}
    observed: set[str] = set()
    after = ""
    while page := store.scan(chain_partition(chain), RUN, after):
        for item in page:
            # Told apart by their bytes: most records are not decoded for it.
            if _SAID not in item.value and _TOLD not in item.value:
                continue
            record = Record.decode(item.value)
            for emitted in Run(record, from_json(record.event)).emitted():
                if emitted.event["type"] == IncidentOpened.event_type:
                    said[str(emitted.event["id"])] = emitted.event
            observed |= {
                str(entry.args["incident"])
                for entry in record.log
                if entry.kind == _OPEN and entry.simulated
            }
        after = page[-1].key
    for event in said.values():
        only = event.get("simulated") or event["data"]["incident"] in observed
        yield event, "observed" if only else "untold"


def _from_event(event: Mapping[str, Any], state: State, chain: str) -> Found:
    data = event["data"]
    name, at = str(data["incident"]), datetime.fromisoformat(event["time"]).timestamp()
    region = _REGION.fullmatch(name)
    met = Met(
        at,
        data.get("chain") or chain,
        str(data["title"]),
        str(data["cause"]),
        str(data["severity"]),
        data.get("workload"),
    )
    return Found(
        id=name_id("incident", name, event["id"]),
        name=name,
        title=met.title,
        severity=met.severity,
        state=state,
        region=data.get("region") or (region[1] if region else None),
        since=at,
        met=(met,),
    )


def _again(before: Found, one: Found) -> Found:
    met = (*before.met, *one.met)
    dropped = max(0, len(met) - keeping.TELLINGS)
    graver = max((before.severity, one.severity), key=SEVERITIES.index)
    return replace(
        before,
        severity=graver,
        met=(met[0], *met[1 + dropped :]),
        unlisted=before.unlisted + dropped,
    )


def _within(one: Found, spans: Sequence[tuple[str, float, float | None]]) -> bool:
    """Whether it is one of the many times that an incident was met and that are not kept."""
    return any(
        name == one.name and since <= one.since and (until is None or one.since <= until)
        for name, since, until in spans
    )
