"""What the register holds: the intended state of workloads and regions, as frozen models."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from crosswind.actions import Answer
from crosswind_events import Region

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet

Condition = Literal["serving", "evacuated", "soaking"]
Priority = Literal["break-glass", "failover", "rollback", "rollout", "rotation", "budget"]

PRECEDENCE: Final[tuple[Priority, ...]] = (
    "break-glass",
    "failover",
    "rollback",
    "rollout",
    "rotation",
    "budget",
)
"""Whose plan goes first, where two want the same workload; the first is the strongest."""


class Movement(Answer):
    """An accepted plan that is under way.

    Attributes:
        plan: its id.
        owner: the chain that carries it out.
        priority: its precedence.
        start: the shares from which it began.
        target: the shares at which it ends.
        planned: replicas by region at its end; until then the larger of old and new are kept.
        revision: the revision that serves at its end.
        step, of: how far it has come.
        until: seconds since the epoch from which it no longer holds off weaker plans.
        because: why it was made.
    """

    plan: str
    owner: str
    priority: Priority
    start: Mapping[Region, float]
    target: Mapping[Region, float]
    planned: Mapping[Region, int]
    revision: str | None = None
    step: int = 0
    of: int = 0
    until: float
    because: str = ""


class WorkloadState(Answer):
    """What is intended for a workload.

    Attributes:
        epoch: rises with every change; performers refuse what carries a lower one.
        weights: share of the traffic by region.
        capacity: replicas by region.
        revision: the revision that serves, where one was accepted.
        plan: the plan accepted last.
        moving: that plan while it is under way, None at rest.
    """

    epoch: int = 0
    weights: Mapping[Region, float]
    capacity: Mapping[Region, int]
    revision: str | None = None
    plan: str | None = None
    moving: Movement | None = None

    @property
    def owner(self) -> str | None:
        """The chain whose plan is under way."""
        return self.moving.owner if self.moving else None

    @property
    def priority(self) -> Priority | None:
        """The precedence of the plan under way."""
        return self.moving.priority if self.moving else None


class RegionState(Answer):
    """What is intended for a region.

    Attributes:
        state: `serving`; `evacuated`, into which nothing is moved; or `soaking`, which has
            recovered and is not yet trusted.
        since: seconds since the epoch at which it came into this state, 0 from the beginning.
        plan: the plan that brought it there.
        left: when it was evacuated, seconds since the epoch, the newest eight times.
        reserved: replicas by workload, of those for which a plan was ever accepted; the others
            hold what they declare. A view lists the workload that it is of alone.
        others: in a view, replicas that all other workloads hold together.
        gpus: in a view, GPUs by kind that all other workloads hold together.
    """

    state: Condition = "serving"
    since: float = 0.0
    plan: str | None = None
    left: tuple[float, ...] = ()
    reserved: Mapping[str, int] = {}
    others: int | None = None
    gpus: Mapping[str, int] | None = None


class RegionsView(Answer):
    """States of regions, with the versions they were read at, by item key ("" if absent)."""

    regions: Mapping[Region, RegionState]
    versions: Mapping[str, str]


class RegisterView(RegionsView):
    """The state of a workload and of the regions that its rules look at.

    `unrecorded` are the regions of which the register holds no replicas of it: what is intended
    there is known from the declaration alone, and was never accepted.
    """

    workload: WorkloadState
    unrecorded: tuple[Region, ...] = ()


def workload_state(fleet: Fleet, workload: str, item: bytes | None) -> WorkloadState:
    """The state of a declared workload from its item; without one, its declared placement.

    A region that was declared after the item was written has its declared replicas and no
    traffic, until a plan gives it some.
    """
    spec = fleet.workloads[workload]
    if item is None:
        return WorkloadState(weights=spec.weights, capacity=spec.replicas)
    state = _workload(item)
    return state.model_copy(update={"capacity": {**spec.replicas, **state.capacity}})


def unrecorded(fleet: Fleet, workload: str, item: bytes | None) -> tuple[str, ...]:
    """The declared regions of a workload of which its item holds no replicas."""
    declared = fleet.workloads[workload].regions
    known = _workload(item).capacity if item is not None else {}
    return tuple(sorted(region for region in declared if region not in known))


def region_state(item: bytes | None) -> RegionState:
    """The state of a region from its item; without one, it serves."""
    return RegionState() if item is None else _region(item)


# What is intended is read far more often than it changes.


@lru_cache(maxsize=256)
def _workload(item: bytes) -> WorkloadState:
    return WorkloadState.model_validate_json(item)


@lru_cache(maxsize=256)
def _region(item: bytes) -> RegionState:
    return RegionState.model_validate_json(item)
