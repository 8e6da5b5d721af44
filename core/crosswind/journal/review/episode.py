"""The chains that tell of one incident: what led to it, and what became of it.

The trouble of a region rarely fits in one chain: it is left, comes back, fails on its way, comes
back again. From the chain that met the incident one looks back to where the region was last well,
and forward to where it is well again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from crosswind.journal.listing import Listed, list_chains
from crosswind.journal.review.incidents import CHAINS, Found
from crosswind.ports import Store
from crosswind.records.head import Head
from crosswind.records.identity import HEAD, RUN, chain_partition
from crosswind.records.ledger import Ledger

MOST: Final = 40
"""Chains of one episode; of more, the first and the latest."""

BEFORE: Final = 7 * 86_400.0
"""Seconds for which one looks back and forward: a chain lives no longer."""

NEAR: Final = 3_600.0
"""Seconds within which a chain that led to nothing is part of what came after it."""

_WELL: Final = frozenset({"recovered", "reconciled", "applied"})
"""Outcomes after which a trouble is over."""

_REGION: Final = "region:"
"""A region that was left has ended `completed`, and is not back."""

_IDLE: Final = frozenset({"nothing-to-do", "unconfirmed", "done"})
_GLASS: Final = b'"mode":"break-glass"'
_BREAK_GLASS: Final = "break-glass:"


class Placed(NamedTuple):
    """A chain of the same target; `closed` is None while it is open."""

    chain: str
    opened: float
    closed: float | None
    outcome: str | None


class Episode(NamedTuple):
    """The chains, oldest first; `left_out` counts those between the first and the latest."""

    chains: tuple[str, ...]
    left_out: int


def episode(ledger: Ledger, incident: Found, now: float, others: Sequence[Found] = ()) -> Episode:
    """The chains that tell of an incident.

    Args:
        others: further incidents: where the same trouble came again, this one's story ends.
        now: seconds since the epoch.
    """
    found = dict.fromkeys(incident.chains)
    end = now if incident.until is None else incident.until
    listed = [
        one
        for one in list_chains(ledger, now, now - incident.since + BEFORE, ticks=False)
        if one.time <= end + BEFORE
    ][:CHAINS]
    if incident.name.startswith(_BREAK_GLASS):
        found.update(dict.fromkeys(_through_the_glass(ledger.store, listed, incident, end)))
    else:
        later = {chain for one in others if one.since > incident.since for chain in one.chains}
        placed = _placed(ledger.store, listed, incident)
        well = _WELL if incident.name.startswith(_REGION) else _WELL | {"completed"}
        around = _around(placed, incident, end, later - set(found), well)
        found.update(dict.fromkeys(around))
    opened = {one.chain: one.time for one in listed}
    ordered = sorted(found, key=lambda chain: (opened.get(chain, incident.since), chain))
    if len(ordered) <= MOST:
        return Episode(tuple(ordered), 0)
    half = MOST // 2
    return Episode((*ordered[:half], *ordered[-half:]), len(ordered) - MOST)


def _placed(store: Store, listed: Sequence[Listed], incident: Found) -> list[Placed]:
    """The chains about the same target, oldest first."""
    found = []
    for one in listed:
        item = store.read(chain_partition(one.chain), HEAD)
        if item is None:
            continue
        head = Head.decode(item.value)
        if head.lock is None:
            continue
        if incident.name == f"{head.lock.flight}:{head.lock.target}":
            found.append(Placed(one.chain, head.opened, head.closed_at, head.outcome))
    return sorted(found, key=lambda placed: (placed.opened, placed.chain))


def _around(
    placed: Sequence[Placed],
    incident: Found,
    end: float,
    later: set[str],
    well: frozenset[str],
) -> Iterator[str]:
    own = [
        position
        for position, one in enumerate(placed)
        if one.chain in incident.chains or incident.since <= one.opened <= end
    ]
    if not own:
        return
    yield from (placed[position].chain for position in own)
    following = placed[own[0]]
    for one in reversed(placed[: own[0]]):
        if one.outcome in well or following.opened - one.opened > BEFORE:
            break
        if one.outcome in _IDLE and following.opened - (one.closed or one.opened) > NEAR:
            continue
        yield one.chain
        following = one
    if placed[own[-1]].outcome in well:
        return
    for one in placed[own[-1] + 1 :]:
        if one.chain in later:
            return
        if one.outcome in _IDLE:
            continue
        yield one.chain
        if one.outcome in well:
            return


def _through_the_glass(
    store: Store, listed: Sequence[Listed], incident: Found, end: float
) -> Iterator[str]:
    """The chains in which something was done while the glass was broken."""
    for one in listed:
        if not incident.since - BEFORE <= one.time <= end:
            continue
        items = store.scan(chain_partition(one.chain), RUN)
        if any(_GLASS in item.value for item in items):
            yield one.chain
