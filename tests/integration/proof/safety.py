"""The safety rules, held against every state that the register has ever been in.

Written once more and in other words than the rules of the register itself, from what they promise:
whatever the order in which chains were worked, traffic is never intended to go where it must not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from crosswind.fleet.declaration import Fleet, WorkloadSpec
from crosswind.fleet.state import RegionState, WorkloadState
from integration.proof.sky import Sky

if TYPE_CHECKING:
    from integration.proof.director import Director

_NOTHING: Final = 1e-6


def served(
    spec: WorkloadSpec,
    weights: Mapping[str, float],
    capacity: Mapping[str, int],
    off: frozenset[str],
) -> float:
    """Requests per second that meet a replica in a region that is not left."""
    return sum(
        min(weight * spec.rate, capacity.get(region, 0) * spec.per_replica)
        for region, weight in weights.items()
        if region not in off
    )


def safe(director: Director) -> Iterator[str]:
    """Every state of the register in the order in which it was written."""
    fleet = director.scenario.fleet
    assert fleet is not None
    regions: dict[str, RegionState] = {}
    workloads: dict[str, WorkloadState] = {}
    for writes in _in_order(director):
        before = dict(workloads)
        for key, value in writes.items():
            kind, _, name = key.partition(":")
            if kind == "region":
                region = name.replace(":", "/", 1)
                regions[region] = RegionState.model_validate_json(value)
            else:
                workloads[name] = WorkloadState.model_validate_json(value)
        off = frozenset(name for name, state in regions.items() if state.state == "evacuated")
        if off >= fleet.regions.keys():
            yield f"every region is off: {sorted(off)}"
        yield from _reserved(fleet, regions)
        for key in writes:
            kind, _, name = key.partition(":")
            if kind == "workload":
                yield from _workload(fleet, name, before.get(name), workloads[name], off)


def _in_order(director: Director) -> Iterator[dict[str, bytes]]:
    """What each write put of workloads and regions, the first write first."""
    found: dict[int, dict[str, bytes]] = {}
    for (partition, key), written in director.witness.history.items():
        if partition.startswith("fleet:") and key.startswith(("workload:", "region:")):
            for one in written:
                if one.value is not None:
                    found.setdefault(one.number, {})[key] = one.value
    for number in sorted(found):
        yield found[number]


def _reserved(fleet: Fleet, regions: Mapping[str, RegionState]) -> Iterator[str]:
    for name, state in regions.items():
        quota = fleet.regions[name].quota
        held = {
            workload: spec.replicas.get(name, 0) for workload, spec in fleet.workloads.items()
        } | dict(state.reserved)
        if quota is not None and sum(held.values()) > quota:
            yield f"{name} has {held} replicas reserved, its quota is {quota}"


def _workload(
    fleet: Fleet,
    name: str,
    before: WorkloadState | None,
    after: WorkloadState,
    off: frozenset[str],
) -> Iterator[str]:
    spec = fleet.workloads[name]
    old = before or WorkloadState(weights=spec.weights, capacity=spec.replicas)
    capacity = {**spec.replicas, **after.capacity}
    if after.epoch != old.epoch + 1:
        yield f"epoch {old.epoch} of {name} was followed by {after.epoch}"
    if abs(sum(after.weights.values()) - 1) > _NOTHING or min(after.weights.values()) < 0:
        yield f"the weights of {name} are {after.weights}"
    for region, weight in after.weights.items():
        if weight > old.weights.get(region, 0.0) + _NOTHING and region in off:
            yield f"more of {name} is to go to {region}, which is left"
        if capacity.get(region, 0) > max(spec.regions[region].quota, old.capacity.get(region, 0)):
            yield f"{name} has {capacity[region]} replicas in {region}, beyond its quota"
    floor = spec.floor * spec.rate - _NOTHING
    if dict(after.weights) != dict(old.weights):
        was = served(spec, old.weights, {**spec.replicas, **old.capacity}, off)
        now = served(spec, after.weights, capacity, off)
        if now < min(floor, was) - _NOTHING:
            yield f"{now:g} of {spec.rate:g} requests/s of {name} are served, before it was {was:g}"
    moving = after.moving
    if moving is not None and (old.moving is None or old.moving.plan != moving.plan):
        for region, weight in moving.target.items():
            if weight > old.weights.get(region, 0.0) + _NOTHING and region in off:
                yield f"plan {moving.plan} leads {name} into {region}, which is left"
        if served(spec, moving.target, moving.planned, off) < floor:
            yield f"plan {moving.plan} leads {name} below its floor: {moving.target}"


def obeyed(director: Director) -> Iterator[str]:
    """Traffic was only ever told what was intended at that epoch, and never an old one."""
    sky: Sky = director.worlds["sky"]
    intended: dict[tuple[str, int], Mapping[str, float]] = {}
    for writes in _in_order(director):
        for key, value in writes.items():
            if key.startswith("workload:"):
                state = WorkloadState.model_validate_json(value)
                intended[key.partition(":")[2], state.epoch] = state.weights
    last: dict[str, int] = {}
    for step in sky.steps:
        wanted = intended.get((step.workload, step.epoch))
        if wanted is None or dict(wanted) != dict(step.weights):
            yield f"traffic of {step.workload} was told {step.weights} at epoch {step.epoch}"
        if step.epoch < last.get(step.workload, 0):
            yield f"traffic of {step.workload} went back to epoch {step.epoch}"
        last[step.workload] = step.epoch
