"""What no plan may break: the safety rules, as pure functions over intended state.

No rule reads another workload: what workloads share is in the state of regions. A plan is
therefore safe if the write that accepts it demands the version of its workload's item and of the
items of the regions in `depends_on`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from crosswind.fleet.quantities import TOLERANCE
from crosswind.fleet.state import Movement, RegionState, WorkloadState

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet, WorkloadSpec

Rule = Literal[
    "shares",
    "placement",
    "residency",
    "evacuated",
    "failing-domain",
    "quota",
    "region-quota",
    "gpus",
    "all-regions-off",
    "floor",
    "egress",
]

SERVING: Final = RegionState()


class Violation(NamedTuple):
    """A rule that would be broken, how, and in which region where it is one."""

    rule: Rule
    detail: str
    region: str | None = None

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}"


class _Proposal(NamedTuple):
    fleet: Fleet
    workload: str
    spec: WorkloadSpec
    current: WorkloadState
    regions: Mapping[str, RegionState]
    weights: Mapping[str, float]
    capacity: Mapping[str, int]
    underway: bool

    def condition(self, region: str) -> str:
        return self.regions.get(region, SERVING).state

    def raises(self, region: str) -> bool:
        """Whether traffic is moved into a region."""
        before = self.current.weights.get(region, 0.0)
        return self.weights.get(region, 0.0) > before + TOLERANCE

    def receives(self) -> Iterator[str]:
        """The regions whose traffic is to be judged: underway only those that get more."""
        for region, weight in self.weights.items():
            if weight > 0 and (self.raises(region) or not self.underway):
                yield region


def violations(
    fleet: Fleet,
    workload: str,
    current: WorkloadState,
    regions: Mapping[str, RegionState],
    weights: Mapping[str, float],
    capacity: Mapping[str, int],
    *,
    underway: bool = False,
) -> tuple[Violation, ...]:
    """Every rule that a workload would break with these weights and replicas.

    Args:
        fleet: the declaration.
        workload: a declared workload.
        current: what is intended for it now; what it has already is not held against a plan.
        regions: states of the regions in `depends_on`, with the change that the plan makes;
            one that is missing counts as serving.
        weights: proposed share by region.
        capacity: proposed replicas by region.
        underway: the state is one that is passed through; it must not be worse than `current`.
    """
    proposal = _Proposal(
        fleet, workload, fleet.workloads[workload], current, regions, weights, capacity, underway
    )
    return tuple(found for rule in _RULES for found in rule(proposal))


def depends_on(fleet: Fleet, workload: str, used: Iterable[str] = ()) -> tuple[str, ...]:
    """The regions whose state the rules of a workload read.

    These are its declared regions, those that it uses although they are declared no longer, and
    those that share a failing domain with one of them.

    Args:
        used: the regions of its intended weights.
    """
    own = {*fleet.workloads[workload].regions, *used}
    domains = {
        domain
        for region in own
        if region in fleet.regions
        for domain in fleet.regions[region].failing_domains
    }
    return tuple(
        region
        for region, spec in fleet.regions.items()
        if region in own or not domains.isdisjoint(spec.failing_domains)
    )


def servable(
    spec: WorkloadSpec,
    weights: Mapping[str, float],
    capacity: Mapping[str, int],
    regions: Mapping[str, RegionState],
) -> float:
    """Requests per second that meet a replica, if traffic is divided like this.

    A region serves at most what its replicas can, and nothing once it is evacuated.
    """
    return sum(
        min(weight * spec.rate, capacity.get(region, 0) * spec.per_replica)
        for region, weight in weights.items()
        if regions.get(region, SERVING).state != "evacuated"
    )


def egress_cost(fleet: Fleet, spec: WorkloadSpec, weights: Mapping[str, float]) -> float:
    """USD per hour for the answers that leave each region, and for data read from another one."""
    return sum(
        weight * spec.rate * 3600 * carry(fleet, spec, region)
        for region, weight in weights.items()
        if region in fleet.regions
    )


def carry(fleet: Fleet, spec: WorkloadSpec, region: str) -> float:
    """USD that one request costs in egress where a declared region serves it.

    Its answer leaves that region. Where the data that it reads is not there, it is read from the
    region that has it and is the cheapest to read from.
    """
    cost = spec.gb_per_request * fleet.regions[region].egress
    data = spec.data
    if data is not None and data.gb_per_request and region not in data.regions:
        prices = [fleet.regions[one].egress for one in data.regions if one in fleet.regions]
        cost += data.gb_per_request * min(prices, default=0.0)
    return cost


def strays(movement: Movement, weights: Mapping[str, float]) -> tuple[str, ...]:
    """Regions whose share is not between those at which a plan begins and ends."""
    found = []
    for region in sorted({*movement.start, *movement.target, *weights}):
        ends = (movement.start.get(region, 0.0), movement.target.get(region, 0.0))
        if not min(ends) - TOLERANCE <= weights.get(region, 0.0) <= max(ends) + TOLERANCE:
            found.append(region)
    return tuple(found)


def _shares(plan: _Proposal) -> Iterator[Violation]:
    total = sum(plan.weights.values())
    if abs(total - 1) > TOLERANCE:
        yield Violation("shares", f"the weights sum to {total:g} instead of 1")
    for region, weight in plan.weights.items():
        if not 0 <= weight <= 1:
            yield Violation("shares", f"{region} gets {weight:g}, not a share from 0 to 1", region)


def _placement(plan: _Proposal) -> Iterator[Violation]:
    for region in plan.receives():
        if region not in plan.spec.regions or region not in plan.fleet.regions:
            yield Violation("placement", f"{plan.workload} is not declared in {region}", region)


def _residency(plan: _Proposal) -> Iterator[Violation]:
    for region in plan.receives():
        spec = plan.fleet.regions.get(region)
        if spec is not None and not plan.spec.may_reside(spec.jurisdiction):
            allowed = ", ".join(plan.spec.residency)
            yield Violation(
                "residency", f"{region} is under {spec.jurisdiction}, allowed are {allowed}", region
            )


def _evacuated(plan: _Proposal) -> Iterator[Violation]:
    for region in plan.weights:
        if plan.raises(region) and plan.condition(region) == "evacuated":
            yield Violation("evacuated", f"{region} is evacuated and would get traffic", region)


def _failing_domain(plan: _Proposal) -> Iterator[Violation]:
    failing: dict[str, str] = {}
    for region, state in plan.regions.items():
        if state.state == "evacuated" and region in plan.fleet.regions:
            for domain in plan.fleet.regions[region].failing_domains:
                failing.setdefault(domain, region)
    for region in plan.weights:
        spec = plan.fleet.regions.get(region)
        if spec is None or not plan.raises(region) or plan.condition(region) == "evacuated":
            continue
        for domain in spec.failing_domains:
            if domain in failing:
                yield Violation(
                    "failing-domain",
                    f"{region} shares {domain} with {failing[domain]}, which is evacuated",
                    region,
                )


def _quota(plan: _Proposal) -> Iterator[Violation]:
    for region, replicas in plan.capacity.items():
        if replicas <= plan.current.capacity.get(region, 0):
            continue
        placement = plan.spec.regions.get(region)
        quota = placement.quota if placement else 0
        if replicas > quota:
            yield Violation(
                "quota",
                f"{plan.workload} would have {replicas} replicas in {region}, its quota is {quota}",
                region,
            )


def _region_quota(plan: _Proposal) -> Iterator[Violation]:
    for region, replicas in plan.capacity.items():
        spec = plan.fleet.regions.get(region)
        if spec is None or spec.quota is None:
            continue
        state = plan.regions.get(region, SERVING)
        before = held(plan.fleet, plan.workload, region, state)
        after = reserved(plan.fleet, region, state) - before + replicas
        if after > spec.quota and replicas > before:
            yield Violation(
                "region-quota",
                f"all workloads would have {after} replicas in {region}, its quota is {spec.quota}",
                region,
            )


def _gpus(plan: _Proposal) -> Iterator[Violation]:
    kind = plan.spec.gpu
    if kind is None:
        return
    for region, replicas in plan.capacity.items():
        spec = plan.fleet.regions.get(region)
        if spec is None or not spec.gpus:
            continue
        state = plan.regions.get(region, SERVING)
        before = held(plan.fleet, plan.workload, region, state)
        if replicas <= before:
            continue
        offered = spec.gpus.get(kind, 0)
        added = (replicas - before) * plan.spec.gpus_per_replica
        after = gpus_reserved(plan.fleet, region, state, kind) + added
        if after > offered:
            yield Violation(
                "gpus",
                f"all workloads would have {after} GPUs {kind} in {region}, it offers {offered}",
                region,
            )


def _all_regions_off(plan: _Proposal) -> Iterator[Violation]:
    on = [r for r, weight in plan.weights.items() if weight > 0]
    if all(plan.condition(region) == "evacuated" for region in on):
        yield Violation("all-regions-off", f"no region that serves would get {plan.workload}")


def _floor(plan: _Proposal) -> Iterator[Violation]:
    needed = plan.spec.floor * plan.spec.rate
    slack = TOLERANCE * max(plan.spec.rate, 1.0)
    after = servable(plan.spec, plan.weights, plan.capacity, plan.regions)
    if after >= needed - slack:
        return
    before = servable(plan.spec, plan.current.weights, plan.current.capacity, plan.regions)
    if plan.underway and after >= before - slack:
        return
    yield Violation(
        "floor",
        f"{after:g} of {plan.spec.rate:g} requests/s would find a replica, "
        f"the floor is {needed:g} ({plan.spec.floor:.0%})",
    )


def _egress(plan: _Proposal) -> Iterator[Violation]:
    most = plan.spec.max_egress_usd_per_hour
    if most is None:
        return
    after = egress_cost(plan.fleet, plan.spec, plan.weights)
    before = egress_cost(plan.fleet, plan.spec, plan.current.weights)
    if after > max(most, before) + TOLERANCE:
        yield Violation(
            "egress",
            f"answers and data would cost {after:.2f} USD an hour to send, at most {most:.2f} may",
        )


_RULES: Final = (
    _shares,
    _placement,
    _residency,
    _evacuated,
    _failing_domain,
    _quota,
    _region_quota,
    _gpus,
    _all_regions_off,
    _floor,
    _egress,
)


def held(fleet: Fleet, workload: str, region: str, state: RegionState) -> int:
    """Replicas that a workload holds in a region: reserved, or else declared."""
    if workload in state.reserved:
        return state.reserved[workload]
    spec = fleet.workloads.get(workload)
    placement = spec.regions.get(region) if spec else None
    return placement.replicas if placement else 0


def reserved(fleet: Fleet, region: str, state: RegionState) -> int:
    """Replicas that all workloads together hold in a region."""
    if state.others is not None:
        return state.others + sum(state.reserved.values())
    names = {*fleet.workloads_in(region), *state.reserved}
    return sum(held(fleet, name, region, state) for name in names)


def gpus_reserved(fleet: Fleet, region: str, state: RegionState, kind: str) -> int:
    """GPUs of one kind that all workloads together hold in a region."""
    found = 0
    names: Iterable[str] = {*fleet.workloads_in(region), *state.reserved}
    if state.gpus is not None:
        found, names = state.gpus.get(kind, 0), state.reserved
    for name in names:
        spec = fleet.workloads.get(name)
        if spec is not None and spec.gpu == kind:
            found += held(fleet, name, region, state) * spec.gpus_per_replica
    return found
