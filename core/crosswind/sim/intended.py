"""What the register holds, and which chains and incidents are open, told by what is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pydantic_core import from_json

from crosswind.chains.incidents import kept
from crosswind.fleet import keys
from crosswind.fleet.state import RegionState, WorkloadState, region_state, workload_state
from crosswind.ports import Put
from crosswind.records.identity import HEAD, RUN

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet
    from crosswind.ports import Change

_CHAIN: Final = "chain:"
_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class Written:
    """One write of the register: before and after, of what it changed."""

    workloads: Mapping[str, tuple[WorkloadState, WorkloadState]]
    regions: Mapping[str, tuple[RegionState, RegionState]]
    locks: Mapping[str, tuple[int, int]] = field(default_factory=dict)


class Intended:
    """The register of a fleet as it stands.

    Attributes:
        workloads, regions: their states.
        version: counts the writes that changed one of them.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.version = 0
        self.workloads = {name: workload_state(fleet, name, None) for name in fleet.workloads}
        self.regions = {name: region_state(None) for name in fleet.regions}
        self._partition = keys.partition(fleet.name)
        self._locks: dict[str, int] = {}
        self._workload_keys = {keys.workload(name): name for name in fleet.workloads}
        self._region_keys = {keys.region(name): name for name in fleet.regions}
        self._told: dict[str, dict[int, Mapping[str, float]]] = {
            name: {0: state.weights} for name, state in self.workloads.items()
        }

    @property
    def off(self) -> frozenset[str]:
        """The regions that are evacuated."""
        return frozenset(name for name, state in self.regions.items() if state.state == "evacuated")

    def weights_at(self, workload: str, epoch: int) -> Mapping[str, float] | None:
        """The shares that were intended at an epoch; None where that is not known any more."""
        return self._told[workload].get(epoch)

    def hear(self, partition: str, changes: Sequence[Change]) -> Written | None:
        """Take in a write; what it changed of the register, or None."""
        if partition != self._partition:
            return None
        workloads: dict[str, tuple[WorkloadState, WorkloadState]] = {}
        regions: dict[str, tuple[RegionState, RegionState]] = {}
        locks: dict[str, tuple[int, int]] = {}
        for change in changes:
            if not isinstance(change, Put):
                continue
            workload = self._workload_keys.get(change.key)
            region = self._region_keys.get(change.key)
            if workload is not None:
                state = workload_state(self.fleet, workload, change.value)
                workloads[workload] = self.workloads[workload], state
                self.workloads[workload] = state
                self._remember(workload, state)
            elif region is not None:
                marked = region_state(change.value)
                regions[region] = self.regions[region], marked
                self.regions[region] = marked
            elif change.key.startswith("target:"):
                epoch = int(from_json(change.value)["epoch"])
                locks[change.key] = self._locks.get(change.key, 0), epoch
                self._locks[change.key] = epoch
        if not (workloads or regions or locks):
            return None
        self.version += 1
        return Written(workloads, regions, locks)

    def _remember(self, workload: str, state: WorkloadState) -> None:
        told = self._told[workload]
        told[state.epoch] = state.weights
        if len(told) > _KEPT:
            del told[next(iter(told))]


class OpenChains:
    """The chains that have to end and have not.

    Attributes:
        deadlines: of each open chain that can end, by when it has to, seconds since the epoch.
        ended: the outcome of each chain that has ended.
        claimed: partition and record of the run that was written last.
    """

    def __init__(self) -> None:
        self.deadlines: dict[str, float] = {}
        self.ended: dict[str, str] = {}
        self.claimed: tuple[str, bytes] | None = None

    def hear(self, partition: str, changes: Sequence[Change]) -> None:
        """Take in a write."""
        if not partition.startswith(_CHAIN):
            return
        for change in changes:
            if not isinstance(change, Put):
                continue
            if change.key == HEAD:
                self._head(partition.removeprefix(_CHAIN), change.value)
            elif change.key.startswith(RUN):
                self.claimed = partition, change.value

    def _head(self, chain: str, value: bytes) -> None:
        head = from_json(value)
        if head["outcome"] is not None:
            self.deadlines.pop(chain, None)
            self.ended[chain] = str(head["outcome"])
        elif head["deadline"] is not None:
            self.deadlines[chain] = head["deadline"]
            self.ended.pop(chain, None)


class IncidentNames:
    """The names of a fleet's incidents that are open.

    Args:
        names: of those that are open already.
    """

    def __init__(self, fleet: Fleet, names: Iterable[str] = ()) -> None:
        self._open = set(names)
        self._partition = kept.partition(fleet.name)

    def hear(self, partition: str, changes: Sequence[Change]) -> None:
        """Take in a write."""
        if partition != self._partition:
            return
        for change in changes:
            if isinstance(change, Put) and change.key.startswith(kept.CURRENT):
                stored = from_json(change.value)
                if stored["until"] is None:
                    self._open.add(stored["name"])
                else:
                    self._open.discard(stored["name"])

    def of(self, name: str) -> bool:
        """Whether the incident of a name is open, or one whose name continues it."""
        return name in self._open or any(one.startswith(f"{name}:") for one in self._open)
