"""The history of a fleet: which declarations were applied, by whom, and how that ended.

It stands in the fleet's partition, beside the declarations themselves:

    declared:<digest>     a declaration, as it was when something was decided under it
    applied               which one was applied last
    applied:<number>      one application

An application is written together with its receipt, so that it is one entry however often it is
asked for.
"""

from __future__ import annotations

import zlib
from base64 import b64decode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from pydantic_core import from_json, to_json

from crosswind.fleet import keys
from crosswind.fleet.applications import (
    PAGE,
    ApplyDeclaration,
    Applying,
    ConcludeApply,
    Concluded,
    Declaration,
    Entry,
    Placed,
    ReadDeclaration,
)
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.receipts import Outcome, Receipts
from crosswind.ports import ABSENT, Put

if TYPE_CHECKING:
    from collections.abc import Callable

    from crosswind.actions import Call
    from crosswind.ports import Store

_SCAN: Final = 200
_REMEMBERED: Final = 4


class History:
    """Keeps the history of one fleet.

    Args:
        store: of the fleet's home cloud.
        partition: of the fleet.
        receipts: of the same partition.
        clock: seconds since the epoch.
    """

    def __init__(
        self, store: Store, partition: str, receipts: Receipts, clock: Callable[[], float]
    ) -> None:
        self.store = store
        self.partition = partition
        self.receipts = receipts
        self.clock = clock
        self._known: dict[str, Fleet] = {}

    def begin(self, action: ApplyDeclaration, call: Call) -> Applying:
        """Note that a declaration is applied from now on, unless another was applied since."""

        def decide() -> Outcome[Applying]:
            if self._declared(action.digest) is None:
                why = f"declaration {action.digest:.12} is not kept in the store"
                return Outcome(Applying(begun=False, reason=why), ())
            head = self.store.read(self.partition, keys.APPLIED)
            last = None if head is None else from_json(head.value)
            standing = None if last is None else last["digest"]
            if standing != action.previous:
                now = "no declaration was" if standing is None else f"{standing:.12} was"
                why = f"{now} applied last, not {action.previous or 'none':.12}; look again"
                return Outcome(Applying(begun=False, reason=why), ())
            number = 1 if last is None else int(last["number"]) + 1
            entry = Entry(
                number=number,
                digest=action.digest,
                previous=action.previous,
                at=self.clock(),
                by=action.by,
                rollback=action.rollback,
                chain=action.chain,
                plan=action.plan,
                changes=action.changes,
            )
            pointer = to_json({"number": number, "digest": action.digest})
            version = ABSENT if head is None else head.version
            puts = (
                Put(keys.APPLIED, pointer, version),
                Put(keys.applied(number), entry.model_dump_json().encode(), ABSENT),
            )
            return Outcome(Applying(begun=True, number=number), puts)

        return self.receipts.settle(action, call, decide)

    def conclude(self, action: ConcludeApply, call: Call) -> Concluded:
        """Note how an application ended."""

        def decide() -> Outcome[Concluded]:
            item = self.store.read(self.partition, keys.applied(action.number))
            entry = None if item is None else Entry.model_validate_json(item.value)
            if item is None or entry is None or entry.plan != action.plan:
                return Outcome(Concluded(noted=False), ())
            ended = entry.model_copy(
                update={
                    "outcome": action.outcome,
                    "counts": action.counts,
                    "because": action.because,
                }
            )
            value = ended.model_dump_json().encode()
            put = Put(keys.applied(action.number), value, item.version)
            return Outcome(Concluded(noted=True), (put,))

        return self.receipts.settle(action, call, decide)

    def declaration(self, query: ReadDeclaration) -> Declaration:
        """The placements of some workloads in a declaration."""
        fleet = self._declared(query.digest)
        if fleet is None:
            return Declaration(known=False)
        names = query.workloads or sorted(n for n in fleet.workloads if n > query.after)[:PAGE]
        return Declaration(
            known=True,
            workloads={
                name: Placed(weights=spec.weights, replicas=spec.replicas)
                for name in names
                if (spec := fleet.workloads.get(name)) is not None
            },
        )

    def _declared(self, digest: str) -> Fleet | None:
        """A declaration; the last few are remembered, for a digest names one for ever."""
        if digest not in self._known:
            item = self.store.read(self.partition, keys.declared(digest))
            if item is None:
                return None
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[digest] = unpacked(item.value)
        return self._known[digest]


def read_history(store: Store, fleet: str) -> Iterator[Entry]:
    """The applications of a fleet, the first one first."""
    after = ""
    while page := store.scan(keys.partition(fleet), f"{keys.APPLIED}:", after, _SCAN):
        yield from (Entry.model_validate_json(item.value) for item in page)
        after = page[-1].key


def read_declaration(store: Store, fleet: str, digest: str) -> Fleet | None:
    """A declaration of a fleet as it was kept; None where it was not."""
    item = store.read(keys.partition(fleet), keys.declared(digest))
    return None if item is None else unpacked(item.value)


def unpacked(value: bytes) -> Fleet:
    """A declaration from its item."""
    return Fleet.model_validate_json(zlib.decompress(b64decode(from_json(value)["zlib"])))
