"""The fleet register: what is intended now, so that two chains cannot break a rule together.

A plan takes effect by one atomic write that demands the version of everything its rules have
read. Whoever loses such a race decides again from what then holds. Every action leaves a receipt
under its key in the same write, so that it takes effect once however often it is asked for.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from crosswind.errors import CrosswindError
from crosswind.fleet import acceptance, adoption, keys
from crosswind.fleet.acceptance import Decision, Snapshot
from crosswind.fleet.applications import (
    Adopted,
    AdoptPlacement,
    ApplyDeclaration,
    Applying,
    ConcludeApply,
    Concluded,
    Declaration,
    Intention,
    ReadDeclaration,
    ReadIntention,
)
from crosswind.fleet.history import History
from crosswind.fleet.operations import (
    Accepted,
    AcceptPlan,
    Advanced,
    AdvanceShift,
    Marked,
    MarkRegion,
    ReadRegions,
    ReadRegister,
    Released,
    ReleasePlan,
)
from crosswind.fleet.placements import Placements, ReadPlacements, read_placements
from crosswind.fleet.receipts import Outcome, R, Receipts
from crosswind.fleet.rules import depends_on, gpus_reserved, held, reserved
from crosswind.fleet.state import (
    Condition,
    Movement,
    Priority,
    RegionState,
    RegionsView,
    RegisterView,
    WorkloadState,
    region_state,
    unrecorded,
    workload_state,
)
from crosswind.ports import ABSENT, Check, Put

if TYPE_CHECKING:
    from crosswind.actions import Action, Call, Query
    from crosswind.context import Lock
    from crosswind.fleet.declaration import Fleet
    from crosswind.ports import Change, Store

__all__ = [
    "AcceptPlan",
    "Accepted",
    "AdvanceShift",
    "Advanced",
    "Condition",
    "MarkRegion",
    "Marked",
    "Movement",
    "NotInFleet",
    "Priority",
    "ReadRegions",
    "ReadRegister",
    "RegionState",
    "RegionsView",
    "RegisterPerformer",
    "RegisterView",
    "ReleasePlan",
    "Released",
    "WorkloadState",
]

KEEP_RECEIPTS: Final = 90 * 86_400.0
"""Seconds for which a receipt is kept: longer than a chain and its dead letters can live."""


A = TypeVar("A", bound="Action[Any]")


class NotInFleet(CrosswindError, LookupError):
    """A workload or region that the fleet does not declare."""


class RegisterPerformer:
    """Keeps the register of a fleet in a store.

    A repeated key is recognised by its receipt, which is written together with the effect.

    Args:
        store: of the fleet's home cloud.
        fleet: the declaration.
        keep: seconds for which receipts are kept.
        clock: seconds since the epoch.
        pause: waits so many seconds.
        draw: draws the jitter of a wait between two numbers.
    """

    performs: tuple[type[Action[Any]], ...] = (
        AcceptPlan,
        AdvanceShift,
        ReleasePlan,
        MarkRegion,
        ApplyDeclaration,
        ConcludeApply,
        AdoptPlacement,
    )
    answers: tuple[type[Query[Any]], ...] = (
        ReadRegister,
        ReadRegions,
        ReadPlacements,
        ReadDeclaration,
        ReadIntention,
    )

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        *,
        keep: float = KEEP_RECEIPTS,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.store = store
        self.fleet = fleet
        self.clock = clock
        self.partition = keys.partition(fleet.name)
        self.receipts = Receipts(
            store, self.partition, keep=keep, clock=clock, pause=pause, draw=draw
        )
        self.history = History(store, self.partition, self.receipts, clock)

    def perform(
        self, action: Any, call: Call
    ) -> Accepted | Advanced | Released | Marked | Applying | Concluded | Adopted:
        """Decide on one action and write the decision.

        Raises:
            NotInFleet: the fleet does not declare the workload or region.
            Diverged, Conflict, Throttled, Unreachable: see `Receipts.settle`.
        """
        match action:
            case AcceptPlan():
                return self._settle(action, call, self._for_acceptance, acceptance.accept)
            case AdvanceShift():
                return self._settle(action, call, self._for_step, acceptance.advance)
            case ReleasePlan():
                return self._settle(action, call, self._for_release, acceptance.release)
            case MarkRegion():
                return self._settle(action, call, self._for_mark, acceptance.mark)
            case AdoptPlacement():
                return self._settle(action, call, self._for_adoption, adoption.adopt)
            case ApplyDeclaration():
                return self.history.begin(action, call)
            case ConcludeApply():
                return self.history.conclude(action, call)
        raise TypeError(f"the register does not perform {type(action).__name__}")

    @overload
    def answer(self, query: ReadRegister, timeout: float) -> RegisterView: ...
    @overload
    def answer(self, query: ReadRegions, timeout: float) -> RegionsView: ...
    @overload
    def answer(self, query: ReadPlacements, timeout: float) -> Placements: ...
    @overload
    def answer(self, query: ReadDeclaration, timeout: float) -> Declaration: ...
    @overload
    def answer(self, query: ReadIntention, timeout: float) -> Intention: ...

    def answer(
        self, query: Any, timeout: float
    ) -> RegisterView | RegionsView | Placements | Declaration | Intention:
        """Read what is intended, each item strongly consistent.

        Raises:
            NotInFleet: the fleet does not declare the workload or region.
            Throttled, Unreachable: the store could not be read; try again.
        """
        if isinstance(query, ReadDeclaration):
            return self.history.declaration(query)
        if isinstance(query, ReadPlacements):
            return read_placements(self.store, self.partition, self.fleet, query.region)
        reading = self._reading()
        match query:
            case ReadIntention():
                return Intention(
                    workload=reading.workload(query.workload),
                    recorded=reading.versions[keys.workload(query.workload)] != ABSENT,
                    unrecorded=reading.unrecorded,
                )
            case ReadRegister():
                workload = reading.workload(query.workload)
                regions = reading.regions({*reading.needed(), *query.regions})
                seen = self._seen_by(query.workload, regions)
                return RegisterView(
                    workload=workload,
                    unrecorded=reading.unrecorded,
                    regions=seen,
                    versions=reading.versions,
                )
            case ReadRegions():
                regions = reading.regions(query.regions or self.fleet.regions)
                seen = self._seen_by(None, regions)
                return RegionsView(regions=seen, versions=reading.versions)
        raise TypeError(f"the register does not answer {type(query).__name__}")

    def _seen_by(
        self, workload: str | None, regions: Mapping[str, RegionState]
    ) -> dict[str, RegionState]:
        """States with the reservations of others summed up: a view has to fit in a journal."""
        seen = {}
        for region, state in regions.items():
            own = {} if workload is None else {workload: held(self.fleet, workload, region, state)}
            others = reserved(self.fleet, region, state) - sum(own.values())
            update: dict[str, Any] = {"reserved": own, "others": others}
            if offered := self.fleet.regions[region].gpus:
                spec = None if workload is None else self.fleet.workloads[workload]
                gpus = {kind: gpus_reserved(self.fleet, region, state, kind) for kind in offered}
                if workload is not None and spec is not None and spec.gpu in gpus:
                    gpus[spec.gpu] -= own[workload] * spec.gpus_per_replica
                update["gpus"] = gpus
            seen[region] = state.model_copy(update=update)
        return seen

    def _settle(
        self,
        action: A,
        call: Call,
        read: Callable[[A], Snapshot],
        decide: Callable[[Snapshot, A], Decision[R]],
    ) -> R:
        def outcome() -> Outcome[R]:
            snapshot = read(action)
            decision = decide(snapshot, action)
            return Outcome(decision.result, _changes(decision, snapshot.versions))

        result: R = self.receipts.settle(action, call, outcome)
        return result

    def _for_acceptance(self, action: AcceptPlan) -> Snapshot:
        reading = self._reading()
        reading.workload(action.workload)
        wanted = {*reading.needed(), action.region} if action.region else reading.needed()
        return reading.snapshot(wanted, action.lock, action.relies_on)

    def _for_adoption(self, action: AdoptPlacement) -> Snapshot:
        reading = self._reading()
        reading.workload(action.workload)
        return reading.snapshot(reading.needed())

    def _for_step(self, action: AdvanceShift) -> Snapshot:
        reading = self._reading()
        reading.workload(action.workload)
        return reading.snapshot(reading.needed())

    def _for_release(self, action: ReleasePlan) -> Snapshot:
        reading = self._reading()
        reading.workload(action.workload)
        return reading.snapshot(())

    def _for_mark(self, action: MarkRegion) -> Snapshot:
        # Whether a region may be left depends on all others; anything else on itself alone.
        wanted = {action.region}
        if action.state == "evacuated":
            wanted |= self.fleet.regions.keys()
        return self._reading().snapshot(wanted, action.lock, action.relies_on)

    def _reading(self) -> _Reading:
        return _Reading(self.store, self.partition, self.fleet, self.clock())


class _Reading:
    """Reads items of the register for one decision and keeps the version of each."""

    def __init__(self, store: Store, partition: str, fleet: Fleet, now: float) -> None:
        self.store = store
        self.partition = partition
        self.fleet = fleet
        self.now = now
        self.versions: dict[str, str] = {}
        self.unrecorded: tuple[str, ...] = ()
        self._name = ""
        self._workload: WorkloadState | None = None

    def workload(self, name: str) -> WorkloadState:
        """The state of a workload."""
        if name not in self.fleet.workloads:
            raise NotInFleet(f"fleet {self.fleet.name} does not declare workload {name}")
        item = self._value(keys.workload(name))
        self._name = name
        self._workload = workload_state(self.fleet, name, item)
        self.unrecorded = unrecorded(self.fleet, name, item)
        return self._workload

    def needed(self) -> tuple[str, ...]:
        """The regions that the rules of the workload read."""
        assert self._workload is not None, "the workload is read first"
        return depends_on(self.fleet, self._name, self._workload.weights)

    def regions(self, names: Iterable[str]) -> dict[str, RegionState]:
        """The states of regions, in the order of their names."""
        states: dict[str, RegionState] = {}
        for name in sorted(names):
            if name not in self.fleet.regions:
                raise NotInFleet(f"fleet {self.fleet.name} does not declare region {name}")
            states[name] = region_state(self._value(keys.region(name)))
        return states

    def snapshot(
        self, regions: Iterable[str], lock: Lock | None = None, relies_on: Iterable[str] = ()
    ) -> Snapshot:
        """All that a decision is made from, with the version of every item relied on."""
        states = self.regions(regions)
        seen = self._value(keys.target(lock.flight, lock.target)) if lock else None
        further = [key for key in relies_on if key not in self.versions]
        if further:
            known = {*map(keys.workload, self.fleet.workloads)}
            known |= {*map(keys.region, self.fleet.regions)}
            for key in known.intersection(further):
                self._value(key)
        return Snapshot(
            fleet=self.fleet,
            now=self.now,
            regions=states,
            versions=self.versions,
            workload=self._workload,
            lock_epoch=json.loads(seen)["epoch"] if seen else 0,
        )

    def _value(self, key: str) -> bytes | None:
        item = self.store.read(self.partition, key)
        self.versions[key] = ABSENT if item is None else item.version
        return None if item is None else item.value


def _changes(decision: Decision[Any], versions: Mapping[str, str]) -> list[Change]:
    """A put of what the decision changes, a check of everything else that it was made from."""
    return [
        Put(key, decision.puts[key], version) if key in decision.puts else Check(key, version)
        for key, version in versions.items()
    ]
