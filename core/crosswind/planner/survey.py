"""From a fleet, its register and what endpoints answer to the problem that a plan solves.

What a region serves and can serve stays with it: a plan moves what must move and nothing else, so
that nothing is moved twice for a small gain. What must move is all that goes to regions that are
left, and what a region that stays has no replicas for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from crosswind.fleet.declaration import Fleet, WorkloadSpec
from crosswind.fleet.rules import SERVING, carry, gpus_reserved, reserved
from crosswind.fleet.state import RegionState
from crosswind.fleet.workloads import TIERS
from crosswind.operations.endpoints import EndpointState
from crosswind.planner.problem import HORIZON, LATE, NOTHING, Need, Option, Pool, Problem, Stay

_LEAST_RATE: Final = 1e-3
"""Requests/s that a workload without demand is planned for: its traffic has to go somewhere."""

_UNLIMITED: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one workload.

    Attributes:
        weights: the shares that are intended now.
        capacity: the replicas that are intended now.
        endpoints: what each region answered, of those that were asked: one that is asked and
            missing did not answer. None where nothing was asked; then what is intended is there.
        excluded: regions that take no traffic, as was found out before.
        ceilings: replicas that a region can have at the most, as was found out before.
    """

    weights: Mapping[str, float]
    capacity: Mapping[str, int]
    endpoints: Mapping[str, EndpointState] | None = None
    excluded: frozenset[str] = frozenset()
    ceilings: Mapping[str, int] = field(default_factory=dict)


def latency_of(fleet: Fleet, region: str) -> float | None:
    """Mean latency of a region over the areas that it declares, in milliseconds."""
    declared = fleet.regions[region].latency_ms.values()
    return sum(declared) / len(declared) if declared else None


def survey(
    fleet: Fleet,
    regions: Mapping[str, RegionState],
    known: Mapping[str, Known],
    left: Iterable[str],
) -> Problem:
    """What has to be planned when regions are left.

    Args:
        regions: what is intended for the regions that the workloads' rules read; one that is
            missing serves.
        known: the workloads to be planned together.
        left: the regions that are left now; those that are evacuated are left as well.
    """
    return _Survey(fleet, regions, frozenset(left)).problem(known)


class _Survey:
    def __init__(
        self, fleet: Fleet, regions: Mapping[str, RegionState], left: frozenset[str]
    ) -> None:
        self.fleet = fleet
        self.states = regions
        evacuated = {name for name, state in regions.items() if state.state == "evacuated"}
        self.left = left | evacuated
        self.pools: list[Pool] = []
        self.numbers: dict[tuple[str, str | None], int] = {}
        self.latencies = {name: latency_of(fleet, name) for name in fleet.regions}
        self.shared = self.in_trouble(self.left)

    def in_trouble(self, failed: Iterable[str]) -> dict[str, str]:
        """Regions that share a failing domain with failed ones, and why not to go there."""
        specs = self.fleet.regions
        domains: dict[str, str] = {}
        for name in sorted(failed):
            if name in specs:
                for domain in specs[name].failing_domains:
                    domains.setdefault(domain, name)
        found = {}
        for name, spec in specs.items():
            for domain in spec.failing_domains:
                if domain in domains:
                    found[name] = f"it shares {domain} with {domains[domain]}, which fails"
                    break
        return found

    def problem(self, known: Mapping[str, Known]) -> Problem:
        needs, settled, stranded = [], [], {}
        for name, one in known.items():
            if self.untouched(name, one):
                settled.append(name)
                continue
            need = self.need(name, one)
            if need.moving <= NOTHING * max(1.0, need.rate):
                settled.append(name)
            elif not need.options:
                reasons = "; ".join(f"{stay.region}: {stay.why}" for stay in need.stays if stay.why)
                stranded[name] = reasons or "it is declared in no region but those that are left"
            else:
                needs.append(need)
        return Problem(needs, self.pools, settled, stranded)

    def untouched(self, name: str, known: Known) -> bool:
        """Whether nothing of a workload has to move, as far as a glance can tell."""
        spec = self.fleet.workloads[name]
        if known.excluded or known.ceilings or known.endpoints is not None:
            return False
        unit, rate = spec.per_replica, spec.rate
        return all(
            share <= 0
            or (
                region not in self.left
                and region in spec.regions
                and share * rate <= known.capacity.get(region, 0) * unit
            )
            for region, share in known.weights.items()
        )

    def need(self, name: str, known: Known) -> Need:
        spec = self.fleet.workloads[name]
        rate = max(spec.rate, _LEAST_RATE)
        options: list[Option] = []
        stays: list[Stay] = []
        shared = self.shared
        if known.excluded:
            shared = {**self.in_trouble(known.excluded), **shared}
        moving = rate
        sent = 0.0
        for region in spec.regions:
            if region in self.left:
                continue
            share = known.weights.get(region, 0.0)
            bar = self.bar(spec, region, known, shared)
            if not bar:
                option = self.option(spec, rate, region, share, known)
                options.append(option)
                moving -= option.keep
                sent += option.keep * option.carry
            else:
                stay = self.stay(spec, rate, region, share, known, bar)
                stays.append(stay)
                moving -= stay.keep
                sent += stay.keep * stay.carry
        kept = sum(one.keep for one in options) + sum(one.served for one in stays)
        return Need(
            name=name,
            tier=TIERS.index(spec.tier),
            rate=rate,
            unit=spec.per_replica,
            moving=max(0.0, moving),
            floor=spec.floor * rate - kept,
            start=min(1.0, spec.start_up / HORIZON),
            budget=self.budget(spec, rate, known.weights, sent),
            max_share=spec.spread.max_share * rate,
            max_domain=spec.spread.max_domain_share * rate,
            options=options,
            stays=[one for one in stays if one.keep > 0 or one.why],
            loss=sum(one.keep - (one.served * (1 - LATE * one.slow)) for one in stays)
            + sum(LATE * one.keep for one in options if one.slow),
        )

    def bar(self, spec: WorkloadSpec, region: str, known: Known, shared: Mapping[str, str]) -> str:
        """Why a region may take no more of a workload; empty where it may."""
        declared = self.fleet.regions.get(region)
        if declared is None:
            return "it is not declared"
        if region in known.excluded:
            return "it was found unfit in an earlier attempt"
        if not self.answers(known, region):
            return "its endpoint does not answer"
        if not spec.may_reside(declared.jurisdiction):
            return f"it is under {declared.jurisdiction}, which residency does not allow"
        return shared.get(region, "")

    @staticmethod
    def answers(known: Known, region: str) -> bool:
        if known.endpoints is None:
            return True
        endpoint = known.endpoints.get(region)
        return endpoint is not None and endpoint.reachable

    def stay(
        self, spec: WorkloadSpec, rate: float, region: str, share: float, known: Known, bar: str
    ) -> Stay:
        """It keeps what it has, if it serves."""
        unfit = region in known.excluded or not self.answers(known, region)
        ready = known.capacity.get(region, 0)
        if known.endpoints is not None and region in known.endpoints:
            ready = known.endpoints[region].ready
        keep = 0.0 if unfit or ready <= 0 else share * rate
        capacity = known.capacity.get(region, 0)
        return Stay(
            region=region,
            domains=self.domains(region),
            keep=keep,
            served=min(keep, capacity * spec.per_replica),
            slow=self.slow(spec, region),
            carry=3600 * carry(self.fleet, spec, region) if region in self.fleet.regions else 0.0,
            why=bar,
        )

    def option(
        self, spec: WorkloadSpec, rate: float, region: str, share: float, known: Known
    ) -> Option:
        declared = self.fleet.regions[region]
        intended = known.capacity.get(region, 0)
        physical = known.ceilings.get(region, _UNLIMITED)
        ready = intended
        if known.endpoints is not None:
            endpoint = known.endpoints[region]
            ready = endpoint.ready
            if endpoint.quota is not None:
                physical = min(physical, endpoint.quota)
        base = min(intended, physical)
        most = max(0, min(spec.regions[region].quota, physical) - base)
        state = self.states.get(region, SERVING)
        unit = spec.per_replica
        before = share * rate
        keep = min(before, base * unit)
        spare = base * unit - keep
        free = min(spare, max(0.0, min(ready, base) * unit - keep))
        return Option(
            region=region,
            domains=self.domains(region),
            held=base,
            keep=keep,
            before=before,
            free=free,
            idle=spare - free,
            most=most,
            slow=self.slow(spec, region),
            soaking=state.state == "soaking",
            price=declared.price,
            carry=3600 * carry(self.fleet, spec, region),
            pools=tuple(self.take(spec, region)),
        )

    def take(self, spec: WorkloadSpec, region: str) -> Iterable[tuple[int, int]]:
        """The pools from which a further replica takes, and how much."""
        declared = self.fleet.regions[region]
        if declared.quota is not None:
            yield self.pool(region, None, declared.quota), 1
        if spec.gpu is not None and declared.gpus:
            yield self.pool(region, spec.gpu, declared.gpus.get(spec.gpu, 0)), spec.gpus_per_replica

    def pool(self, region: str, gpu: str | None, most: int) -> int:
        number = self.numbers.get((region, gpu))
        if number is None:
            number = self.numbers[region, gpu] = len(self.pools)
            state = self.states.get(region, SERVING)
            if gpu is None:
                taken = reserved(self.fleet, region, state)
            else:
                taken = gpus_reserved(self.fleet, region, state, gpu)
            self.pools.append(Pool(region, gpu, max(0, most - taken)))
        return number

    def budget(
        self, spec: WorkloadSpec, rate: float, weights: Mapping[str, float], sent: float
    ) -> float | None:
        """USD/h that what moves may cost to send: what the budget allows, or it costs already."""
        most = spec.max_egress_usd_per_hour
        if most is None:
            return None
        now = sum(
            share * rate * 3600 * carry(self.fleet, spec, region)
            for region, share in weights.items()
            if region in self.fleet.regions
        )
        return max(most, now) - sent

    def slow(self, spec: WorkloadSpec, region: str) -> bool:
        objective, latency = spec.slo.latency_ms, self.latencies.get(region)
        return objective is not None and latency is not None and latency > objective

    def domains(self, region: str) -> tuple[str, ...]:
        declared = self.fleet.regions.get(region)
        return declared.failing_domains if declared is not None else ()
