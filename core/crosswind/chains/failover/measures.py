"""What a way to serve a workload amounts to, and in which order ways are compared.

Pure functions. The measures are those of `crosswind.planner.problem`, as shares of the demand.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Final

from crosswind.chains.failover.situation import Situation
from crosswind.fleet.declaration import WorkloadSpec
from crosswind.fleet.rules import SERVING, egress_cost
from crosswind.planner.problem import HORIZON, LATE
from crosswind.planner.survey import latency_of
from crosswind_events.catalogue.failover import Alternative

_DIGITS: Final = 6

_ROUNDED: Final = 1e-7
"""Share that the rounding of weights may add; no replica is asked for because of it."""


def replicas_for(spec: WorkloadSpec, share: float) -> int:
    """Replicas that serve a share of the workload's demand."""
    return max(0, ceil((share - _ROUNDED) * spec.rate / spec.per_replica))


def weighed(situation: Situation, name: str, weights: Mapping[str, float]) -> Alternative:
    """A way with all its measures; whether it breaks a rule is not yet said."""
    fleet, spec, now = situation.fleet, situation.spec, situation.register.workload
    rate, unit = spec.rate, spec.per_replica
    start = min(1.0, spec.start_up / HORIZON)
    replicas: dict[str, int] = {}
    unserved = slow = delayed = untrusted = crowded = 0.0
    domains: dict[str, float] = {}
    for region, weight in weights.items():
        if weight <= 0:
            continue
        wanted = max(replicas_for(spec, weight), situation.before(region))
        replicas[region] = count = min(wanted, situation.most(region))
        served = min(weight, count * unit / rate) if rate > 0 else weight
        soon = min(served, situation.ready(region) * unit / rate) if rate > 0 else served
        late = _too_slow(situation, region)
        unserved += weight - served
        slow += served if late else 0.0
        delayed += start * (served - soon) * (1 - LATE if late else 1.0)
        if situation.register.regions.get(region, SERVING).state == "soaking":
            untrusted += max(0.0, weight - now.weights.get(region, 0.0))
        crowded += max(0.0, weight - spec.spread.max_share)
        for domain in fleet.regions[region].failing_domains if region in fleet.regions else ():
            domains[domain] = domains.get(domain, 0.0) + weight
    crowded += sum(max(0.0, share - spec.spread.max_domain_share) for share in domains.values())
    return Alternative(
        name=name,
        weights=weights,
        replicas=replicas,
        unserved=_share(unserved),
        slow=_share(slow),
        delayed=_share(delayed),
        untrusted=_share(untrusted),
        crowded=_share(crowded),
        latency_ms=_latency(situation, weights),
        cost_delta=round(_cost_delta(situation, weights, replicas), 4),
        egress=round(egress_cost(fleet, spec, weights), 4),
        because="to be judged",
    )


def harm(one: Alternative) -> float:
    """The share of the demand that is lost; one that is answered late counts `LATE`."""
    return round(one.unserved + LATE * one.slow + one.delayed, _DIGITS)


def against(one: Alternative) -> float:
    """The share that goes where it is wished not to."""
    return round(one.untrusted + one.crowded, _DIGITS)


def _cost_delta(
    situation: Situation, weights: Mapping[str, float], replicas: Mapping[str, int]
) -> float:
    """USD per hour against now; the region that is left keeps its replicas until it is back."""
    fleet, spec, now = situation.fleet, situation.spec, situation.register.workload
    running = sum(
        (count - situation.before(region)) * fleet.regions[region].price
        for region, count in replicas.items()
    )
    return running + egress_cost(fleet, spec, weights) - egress_cost(fleet, spec, now.weights)


def _too_slow(situation: Situation, region: str) -> bool:
    objective = situation.spec.slo.latency_ms
    latency = latency_of(situation.fleet, region)
    return objective is not None and latency is not None and latency > objective


def _latency(situation: Situation, weights: Mapping[str, float]) -> float | None:
    known = {
        region: latency
        for region, weight in weights.items()
        if weight > 0 and (latency := latency_of(situation.fleet, region)) is not None
    }
    total = sum(weights[region] for region in known)
    if total <= 0:
        return None
    return round(sum(weights[region] * known[region] for region in known) / total, 3)


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, value)), _DIGITS)
