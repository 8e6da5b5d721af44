"""The safety rules, held against every state of the register that is ever written.

Written once more, and in other words than the rules of the register itself, from what those
promise: whatever happens, traffic is never intended to go where it must not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from crosswind.fleet.rules import carry
from crosswind.sim.intended import Written

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet, WorkloadSpec
    from crosswind.fleet.state import RegionState, WorkloadState
    from crosswind.sim.intended import Intended

_NOTHING: Final = 1e-6


class Broken(NamedTuple):
    """A rule that was broken: which, by what, and how."""

    rule: str
    what: str
    why: str


def broken(fleet: Fleet, intended: Intended, written: Written) -> Iterator[Broken]:
    """Every rule that a write of the register breaks.

    Args:
        intended: the register as it is after the write.
    """
    off = intended.off
    if written.regions and off >= fleet.regions.keys():
        yield Broken("all-regions-off", ", ".join(sorted(off)), "no region is left that serves")
    for key, (before, after) in written.locks.items():
        if after < before:
            yield Broken("epochs", key, f"lock epoch {before} was followed by {after}")
    for region in written.regions:
        yield from _reserved(fleet, region, intended.regions[region])
    for name, (old, new) in written.workloads.items():
        for rule, why in _workload(fleet, name, old, new, off):
            yield Broken(rule, name, why)


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


def _reserved(fleet: Fleet, region: str, state: RegionState) -> Iterator[Broken]:
    held = {
        name: spec.regions[region].replicas
        for name, spec in fleet.workloads.items()
        if region in spec.regions
    } | dict(state.reserved)
    declared = fleet.regions[region]
    total = sum(held.values())
    if declared.quota is not None and total > declared.quota:
        why = f"{total} replicas are reserved, its quota is {declared.quota}"
        yield Broken("region-quota", region, why)
    for kind, offered in declared.gpus.items():
        needed = sum(
            count * fleet.workloads[name].gpus_per_replica
            for name, count in held.items()
            if name in fleet.workloads and fleet.workloads[name].gpu == kind
        )
        if needed > offered:
            yield Broken("gpus", region, f"{needed} of {offered} GPUs of kind {kind} are reserved")


def _workload(
    fleet: Fleet, name: str, old: WorkloadState, new: WorkloadState, off: frozenset[str]
) -> Iterator[tuple[str, str]]:
    spec = fleet.workloads[name]
    if new.epoch != old.epoch + 1:
        yield "epochs", f"epoch {old.epoch} was followed by {new.epoch}"
    for region, count in new.capacity.items():
        quota = spec.regions[region].quota if region in spec.regions else 0
        if count > max(quota, old.capacity.get(region, 0)):
            yield "quota", f"{count} replicas in {region}, its quota there is {quota}"
    if dict(new.weights) != dict(old.weights):
        yield from _placed(fleet, spec, old.weights, new.weights, off)
        floor = spec.floor * spec.rate
        was = served(spec, old.weights, old.capacity, off)
        now = served(spec, new.weights, new.capacity, off)
        if now < min(floor, was) - _NOTHING * max(1.0, spec.rate):
            why = f"{now:g} of {spec.rate:g} requests/s meet a replica, before it were {was:g}"
            yield "floor", f"{why}, the floor is {floor:g}"
    moving = new.moving
    if moving is not None and (old.moving is None or old.moving.plan != moving.plan):
        for rule, why in _placed(fleet, spec, old.weights, moving.target, off):
            yield rule, f"plan {moving.plan}: {why}"
        meant = served(spec, moving.target, moving.planned, off)
        if meant < spec.floor * spec.rate - _NOTHING * max(1.0, spec.rate):
            yield "floor", f"plan {moving.plan} leads to {meant:g} of {spec.rate:g} requests/s"


def _placed(
    fleet: Fleet,
    spec: WorkloadSpec,
    before: Mapping[str, float],
    after: Mapping[str, float],
    off: frozenset[str],
) -> Iterator[tuple[str, str]]:
    """Rules on where the requests of a workload go, and where more of them go than before."""
    if abs(sum(after.values()) - 1) > _NOTHING or min(after.values()) < 0:
        yield "shares", f"the shares are {dict(after)}"
    if all(region in off for region, weight in after.items() if weight > _NOTHING):
        yield "all-regions-off", "no region that serves gets any of its requests"
    failing = {domain for region in off for domain in fleet.regions[region].failing_domains}
    for region, weight in after.items():
        if weight <= before.get(region, 0.0) + _NOTHING:
            continue
        if region not in spec.regions:
            yield "placement", f"it is not declared in {region}"
            continue
        declared = fleet.regions[region]
        if not spec.may_reside(declared.jurisdiction):
            yield (
                "residency",
                f"{region} is under {declared.jurisdiction}, {spec.residency} allowed",
            )
        if region in off:
            yield "evacuated", f"more is to go to {region}, which is left"
        elif not failing.isdisjoint(declared.failing_domains):
            shared = ", ".join(sorted(failing.intersection(declared.failing_domains)))
            yield (
                "failing-domain",
                f"more is to go to {region}, which shares {shared} with one left",
            )
    if spec.max_egress_usd_per_hour is not None:
        cost, was = _egress(fleet, spec, after), _egress(fleet, spec, before)
        if cost > max(spec.max_egress_usd_per_hour, was) + _NOTHING:
            yield "egress", f"answers cost {cost:.2f} USD an hour to send"


def _egress(fleet: Fleet, spec: WorkloadSpec, weights: Mapping[str, float]) -> float:
    """USD an hour for what leaves regions, were all answered."""
    return sum(
        weight * spec.rate * 3600 * carry(fleet, spec, region)
        for region, weight in weights.items()
        if region in fleet.regions
    )
