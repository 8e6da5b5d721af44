"""Conditions: what the faults of a plan mean for each region at a moment.

Between two moments at which a fault begins or ends nothing here changes, and while no fault is at
work all is `NOMINAL`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from crosswind.sim.faults import Fault, Faults, Kind

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet


class Condition(NamedTuple):
    """How a region treats the requests of one workload.

    Attributes:
        down: nothing there answers.
        errors: share of requests that fail, beyond those for which there is no capacity.
        slow: factor on latency.
    """

    down: bool = False
    errors: float = 0.0
    slow: float = 1.0


NOMINAL: Final = Condition()


class Change(NamedTuple):
    """A fault that begins or ends, or a region that flaps up or down; `at` since the beginning."""

    at: float
    begins: bool
    fault: Fault


class Conditions:
    """The faults at work, kept up to date as time goes on.

    Args:
        faults: the plan.
        fleet: whose regions.
    """

    def __init__(self, faults: Faults, fleet: Fleet) -> None:
        self._changes = sorted(_changes(faults), key=lambda change: (change.at, change.begins))
        self._times = [change.at for change in self._changes]
        self._next = 0
        self._places = {fault: fault.regions(fleet) for fault in dict.fromkeys(faults)}
        self._active: dict[str, tuple[Fault, ...]] = dict.fromkeys(fleet.regions, ())
        self._anywhere: tuple[Fault, ...] = ()
        self._known: dict[tuple[str, str], Condition] = {}

    def next(self) -> float:
        """When the next change is, in seconds since the beginning; infinite where none is left."""
        return self._times[self._next] if self._next < len(self._times) else inf

    def advance(self, to: float) -> tuple[Change, ...]:
        """Make the changes up to a moment; returns them."""
        end = bisect_right(self._times, to, self._next)
        made = tuple(self._changes[self._next : end])
        self._next = end
        for change in made:
            for region in self._places[change.fault]:
                self._active[region] = _with(self._active[region], change)
            self._anywhere = _with(self._anywhere, change)
            self._known.clear()
        return made

    @property
    def nominal(self) -> bool:
        """Whether no fault is at work anywhere."""
        return not self._anywhere

    def faulty(self, region: str) -> bool:
        """Whether any fault is at work in a region."""
        return bool(self._active[region])

    def places(self, fault: Fault) -> tuple[str, ...]:
        """The regions in which a fault of the plan is at work."""
        return self._places[fault]

    def of(self, region: str, workload: str) -> Condition:
        """How a region treats a workload's requests."""
        active = self._active[region]
        if not active:
            return NOMINAL
        known = self._known.get((region, workload))
        if known is None:
            known = self._known[region, workload] = _condition(active, workload)
        return known

    def active(
        self, kind: Kind, region: str | None = None, workload: str | None = None
    ) -> Iterator[Fault]:
        """The faults of a kind that are at work, in a region and on a workload where given."""
        for fault in self._anywhere if region is None else self._active[region]:
            if fault.kind == kind and (workload is None or fault.workload in (None, workload)):
                yield fault

    def factor(self, kind: Kind, region: str | None = None, workload: str | None = None) -> float:
        """The sizes of all faults of a kind that are at work, multiplied."""
        factor = 1.0
        for fault in self.active(kind, region, workload):
            factor *= sized(fault)
        return factor

    def unreachable(self, region: str) -> bool:
        """Whether the region's control plane gives no answer."""
        return any(
            fault.kind == "control-plane"
            or (fault.kind in ("outage", "flapping") and fault.workload is None)
            for fault in self._active[region]
        )


def sized(fault: Fault) -> float:
    """The size of a fault of which the kind has one."""
    if fault.size is None:
        raise TypeError(f"a fault of kind {fault.kind} has no size")
    return fault.size


def _with(active: tuple[Fault, ...], change: Change) -> tuple[Fault, ...]:
    if change.begins:
        return (*active, change.fault)
    # One of equal faults, if a plan has the same one twice.
    position = active.index(change.fault)
    return active[:position] + active[position + 1 :]


def _condition(active: Iterable[Fault], workload: str) -> Condition:
    down, well, slow = False, 1.0, 1.0
    for fault in active:
        if fault.workload not in (None, workload):
            continue
        match fault.kind:
            case "outage" | "flapping":
                down = True
            case "brown-out":
                well *= 1.0 - sized(fault)
            case "slow":
                slow *= sized(fault)
    return Condition(down, 1.0 - well, slow)


def _changes(faults: Faults) -> Iterator[Change]:
    for fault in faults:
        for begins, ends in spells(fault):
            yield Change(begins, True, fault)
            yield Change(ends, False, fault)


def spells(fault: Fault) -> Iterator[tuple[float, float]]:
    """The times in which a fault is at work: one, but of a region that flaps."""
    if fault.kind != "flapping":
        yield fault.begins, fault.ends
        return
    begins, number = fault.begins, 0
    while begins < fault.ends:
        yield begins, min(fault.ends, begins + fault.every * sized(fault))
        number += 1
        begins = fault.begins + number * fault.every
