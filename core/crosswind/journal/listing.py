"""Which chains there are, and how each of them stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic_core import from_json

from crosswind.errors import CrosswindError
from crosswind.journal.chain import Chain, read_chain
from crosswind.journal.deliveries import Deliveries
from crosswind.records.head import Head
from crosswind.records.identity import CHAIN_ID, chain_partition, index_shard
from crosswind.records.ledger import Ledger
from crosswind_events.catalogue.schedule import Tick

if TYPE_CHECKING:
    from crosswind.app import App

SHARDS = 16
HORIZON = 36 * 86_400.0
"""Seconds for which chains are looked for: the engine keeps them for 35 days."""

_DAY = 86_400.0
_PREFIX = re.compile(r"[0-9a-f-]{1,36}")

State = Literal["open", "idle", "queued", "dropped", "closed"]
"""
open      something of it is under way, or has to end it
idle      nothing in it can end it, and nothing is under way
queued    its first event waits for a target that another chain holds
dropped   its first event was not to be acted on
closed    it has ended
"""


class NoSuchChain(CrosswindError, LookupError):
    """No chain is listed under this id or its beginning."""


class AmbiguousChain(CrosswindError, LookupError):
    """More than one chain begins like this."""


class Listed(NamedTuple):
    """A chain as the index lists it; `time` is that of its first event, since the epoch."""

    chain: str
    time: float
    type: str
    source: str
    subject: str | None
    handler: str | None


@dataclass(frozen=True, slots=True)
class Summary:
    """How one chain stands.

    Attributes:
        outcome: with which it ended.
        opened, closed: seconds since the epoch.
        target: what it holds or is about.
        waits: what it waits for, for people.
        failed: how many of its runs have failed.
        simulated: something in it was only assumed.
    """

    chain: str
    state: State
    outcome: str | None
    opened: float
    closed: float | None
    target: str | None
    type: str
    source: str
    waits: str = ""
    failed: int = 0
    simulated: bool = False


def list_chains(
    ledger: Ledger, now: float, since: float = HORIZON, *, ticks: bool = True
) -> list[Listed]:
    """The chains whose first event is at most `since` seconds old, newest first.

    Args:
        ticks: also those that the tick of a schedule began.
    """
    found: dict[str, Listed] = {}
    for day in _days(now, since):
        for shard in range(SHARDS):
            for listed in _shard(ledger, day, shard):
                # Evidence that joined on another day has listed the chain there as well.
                other = found.get(listed.chain)
                if other is None or listed.time < other.time:
                    found[listed.chain] = listed
    recent = (
        listed
        for listed in found.values()
        if listed.time >= now - since and (ticks or listed.type != Tick.event_type)
    )
    return sorted(recent, key=lambda listed: (listed.time, listed.chain), reverse=True)


def latest(ledger: Ledger, now: float) -> str:
    """The chain whose first event is the newest; one that a tick began only where no other is.

    Raises:
        NoSuchChain: there is none.
    """
    ticking: Listed | None = None
    for day in _days(now, HORIZON):
        listed = [one for shard in range(SHARDS) for one in _shard(ledger, day, shard)]
        ordered = sorted(listed, key=lambda one: (one.time, one.chain), reverse=True)
        for one in ordered:
            if one.type != Tick.event_type:
                return one.chain
        ticking = ticking or (ordered[0] if ordered else None)
    if ticking is None:
        raise NoSuchChain("no chain is recorded here")
    return ticking.chain


def find_chain(ledger: Ledger, prefix: str, now: float) -> str:
    """The chain whose id begins like this.

    Raises:
        NoSuchChain: none does.
        AmbiguousChain: several do.
    """
    prefix = prefix.strip().lower()
    if CHAIN_ID.fullmatch(prefix):
        if ledger.scan(chain_partition(prefix)):
            return prefix
        raise NoSuchChain(f"no chain {prefix} is recorded here")
    if not _PREFIX.fullmatch(prefix):
        raise NoSuchChain(f"{prefix!r:.60} is not the beginning of a chain's id")
    shard = int(prefix[0], 16) if prefix[0] != "-" else 0
    found = {
        listed.chain
        for day in _days(now, HORIZON)
        for listed in _shard(ledger, day, shard)
        if listed.chain.startswith(prefix)
    }
    if not found:
        raise NoSuchChain(f"no chain recorded here begins with {prefix}")
    if len(found) > 1:
        some = ", ".join(sorted(found)[:5])
        raise AmbiguousChain(f"{len(found)} chains begin with {prefix}: {some}; give more of it")
    return found.pop()


def summarize(ledger: Ledger, listed: Listed, app: App, now: float) -> Summary:
    """How a chain stands; all of it is read for that."""
    chain = read_chain(ledger, listed.chain)
    if chain is None:
        return _summary(listed, None, "open", waits="its first run has not been written yet")
    return summarize_chain(chain, listed, app, now)


def summarize_chain(chain: Chain, listed: Listed, app: App, now: float) -> Summary:
    """How a chain stands that has been read."""
    head = chain.head
    failed = sum(run.record.state == "failed" for run in chain.runs)
    simulated = any(run.record.simulated for run in chain.runs)
    if head is not None and not head.open:
        return _summary(listed, head, "closed", failed=failed, simulated=simulated)
    waits = waits_for(chain, app, now)
    state: State = "open"
    if any(run.record.queued for run in chain.runs):
        state = "queued"
    elif head is None and all(run.record.state == "dropped" for run in chain.runs):
        state = "dropped"
        waits = next((run.record.why for run in chain.runs if run.record.why), "")
    elif not waits and (head is None or head.deadline is None):
        state = "idle"
    if not waits and failed:
        waits = f"{failed} failed run(s), to be redriven"
    return _summary(listed, head, state, waits=waits, failed=failed, simulated=simulated)


def waits_for(chain: Chain, app: App, now: float) -> str:
    """What an open chain waits for, for people; empty where nothing is under way."""
    for run in chain.runs:
        if run.live:
            record = run.record
            entry = record.log[-1] if record.log else None
            if record.state == "suspended" and entry is not None and entry.approval is not None:
                action = entry.kind.partition(":")[2]
                answer = chain.answers.get(f"approval:{entry.approval['id']}")
                if answer is None:
                    return f"approval of {action}"
                return f"{record.handler}: {action} was {answer.outcome} and is to be worked"
            return f"{record.handler}: {record.why or record.state}"
    outstanding = Deliveries(chain, app, now).outstanding()
    if not outstanding:
        return ""
    first = min(outstanding, key=lambda emitted: emitted.due or 0.0)
    due = (first.due or now) - now
    return f"{first.event['type']}" + (f" in {due:.0f} s" if due >= 1 else "")


def _days(now: float, since: float) -> Iterator[int]:
    """Days from tomorrow (clocks may differ) back to that of the oldest first event."""
    yield from range(int(now // _DAY) + 1, int((now - since) // _DAY) - 1, -1)


def _shard(ledger: Ledger, day: int, shard: int) -> Iterator[Listed]:
    for item in ledger.scan(index_shard(day * _DAY, shard)):
        about: dict[str, Any] = from_json(item.value)
        yield Listed(
            item.key,
            float(about["time"]),
            str(about["type"]),
            str(about["source"]),
            about.get("subject"),
            about.get("handler"),
        )


def _summary(
    listed: Listed,
    head: Head | None,
    state: State,
    *,
    waits: str = "",
    failed: int = 0,
    simulated: bool = False,
) -> Summary:
    lock = None if head is None else head.lock
    return Summary(
        chain=listed.chain,
        state=state,
        outcome=None if head is None else head.outcome,
        opened=listed.time if head is None else head.opened,
        closed=None if head is None else head.closed_at,
        target=listed.subject if lock is None else lock.target,
        type=listed.type,
        source=listed.source,
        waits=waits,
        failed=failed,
        simulated=simulated,
    )
