"""The planner: where a workload's traffic goes when regions are left, and why there.

A pure function of the fleet, the register, and what the endpoints answer. It weighs every way of
`alternatives` and every single region that cannot be used, holds each against the fleet's rules
(the same that the register checks at acceptance), and chooses by one stated rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

from crosswind.chains.failover.alternatives import Candidate, spreads, whole
from crosswind.fleet.declaration import Fleet, WorkloadSpec
from crosswind.fleet.quantities import TOLERANCE
from crosswind.fleet.rules import egress_cost, held, reserved, violations
from crosswind.fleet.state import RegionState, RegisterView
from crosswind.operations.endpoints import EndpointState
from crosswind_events.catalogue.failover import Alternative, Decision

RULE: Final = (
    "no rule broken; then the least share of demand unserved or slower than the objective; "
    "then the least share newly sent to regions that still soak; then the least added cost per "
    "hour; then the name"
)

_UNREAL: Final = 1e-9
_DIGITS: Final = 6
_REGION_RULES: Final = frozenset({"placement", "residency", "evacuated", "failing-domain"})
_SHOWN: Final = 64


@dataclass(frozen=True, slots=True)
class Situation:
    """What a plan is made from.

    Attributes:
        region: the region that is left.
        register: what is intended for the workload and for the regions that its rules read.
        endpoints: what each region answered; a region that is missing did not answer.
        excluded: further regions that take no traffic.
        ceilings: replicas that a region can have at the most, as was found out before.
    """

    fleet: Fleet
    workload: str
    region: str
    register: RegisterView
    endpoints: Mapping[str, EndpointState]
    excluded: frozenset[str] = frozenset()
    ceilings: Mapping[str, int] | None = None

    @property
    def spec(self) -> WorkloadSpec:
        """The workload's declaration."""
        return self.fleet.workloads[self.workload]

    @property
    def intended(self) -> Mapping[str, RegionState]:
        """The states of the regions as the plan would have them."""
        left = self.register.regions.get(self.region, RegionState())
        evacuated = left.model_copy(update={"state": "evacuated"})
        return {**self.register.regions, self.region: evacuated}

    @property
    def leaving(self) -> frozenset[str]:
        """The regions that must not have traffic at the end."""
        evacuated = {r for r, state in self.intended.items() if state.state == "evacuated"}
        return frozenset(evacuated) | self.excluded | {self.region}

    @property
    def moving(self) -> float:
        """The share that has to leave."""
        weights = self.register.workload.weights
        return sum(weights.get(region, 0.0) for region in self.leaving)

    def most(self, region: str) -> int:
        """Replicas that the workload can have in a region at the most."""
        placement = self.spec.regions.get(region)
        bounds = [placement.quota if placement else 0]
        if self.ceilings is not None and region in self.ceilings:
            bounds.append(self.ceilings[region])
        endpoint = self.endpoints.get(region)
        if endpoint is not None and endpoint.quota is not None:
            bounds.append(endpoint.quota)
        quota = self.fleet.regions[region].quota
        if quota is not None:
            state = self.register.regions.get(region, RegionState())
            others = reserved(self.fleet, region, state) - held(
                self.fleet, self.workload, region, state
            )
            bounds.append(quota - others)
        return max(0, min(bounds))

    def ready(self, region: str) -> int:
        """Replicas that serve in a region now."""
        endpoint = self.endpoints.get(region)
        return endpoint.ready if endpoint is not None and endpoint.reachable else 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the planner says; `chosen` is None where nothing is safe."""

    decision: Decision
    chosen: Alternative | None


def propose(situation: Situation) -> Proposal:
    """Weigh the alternatives and choose one, or none.

    Every alternative stands in the decision with the reason why it was chosen or not.
    """
    found = [_evaluate(situation, name, weights) for name, weights in _alternatives(situation)]
    safe = [one for one in found if not one.breaks]
    chosen = min(safe, key=_order, default=None)
    explained = tuple(
        one.model_copy(update={"because": _because(one, chosen)})
        for one in sorted(found, key=lambda one: (bool(one.breaks), _order(one)))
    )[:_SHOWN]
    if chosen is not None:
        return Proposal(
            Decision(
                rule=RULE,
                chosen=chosen.name,
                alternatives=explained,
                because=_explain_choice(chosen, len(found), len(safe)),
            ),
            explained[0],
        )
    return Proposal(
        Decision(
            rule=RULE, chosen=None, alternatives=explained, because=_explain_none(situation, found)
        ),
        None,
    )


def replicas_for(spec: WorkloadSpec, share: float) -> int:
    """Replicas that serve a share of the workload's demand."""
    return ceil(share * spec.rate / spec.per_replica - _UNREAL)


def latency_of(fleet: Fleet, region: str) -> float | None:
    """Mean latency of a region over the areas that it declares, in milliseconds."""
    declared = fleet.regions[region].latency_ms.values()
    return sum(declared) / len(declared) if declared else None


def _alternatives(situation: Situation) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Every way over the regions that may take traffic, and each that may not, alone."""
    weights = situation.register.workload.weights
    takers, stayers, barred = [], {}, []
    for region in sorted(situation.spec.regions):
        if region in situation.leaving:
            continue
        candidate = _candidate(situation, region)
        if not _bars(situation, region):
            takers.append(candidate)
            continue
        barred.append(region)
        # It keeps what it has where the bar is only against more.
        if situation.ready(region) and weights.get(region, 0.0) > 0:
            stayers[region] = weights[region]
    unkept = {
        region: weights.get(region, 0.0)
        for region in barred
        if region not in stayers and weights.get(region, 0.0) > 0
    }
    moving = situation.moving + sum(unkept.values())
    if moving <= TOLERANCE:
        yield "stay as it is", whole(weights)
        return
    kept = sum(stayers.values())
    for name, shares in spreads(takers, moving) if takers else ():
        scaled = {region: share * (1.0 - kept) for region, share in shares.items()}
        yield name, whole({**scaled, **stayers})
    present = {
        r: weight for r, weight in weights.items() if r not in situation.leaving and r not in unkept
    }
    for region in barred:
        shares = {**present, region: present.get(region, 0.0) + moving}
        yield f"all that moves to {region}", whole(shares)


def _candidate(situation: Situation, region: str) -> Candidate:
    spec = situation.spec
    per_share = spec.per_replica / spec.rate if spec.rate > 0 else float("inf")
    price = situation.fleet.regions[region].price
    return Candidate(
        region=region,
        share=situation.register.workload.weights.get(region, 0.0),
        room_ready=min(1.0, situation.ready(region) * per_share),
        room=min(1.0, situation.most(region) * per_share),
        cost=replicas_for(spec, 1.0) * price + egress_cost(situation.fleet, spec, {region: 1.0}),
        latency=latency_of(situation.fleet, region),
    )


def _bars(situation: Situation, region: str) -> tuple[str, ...]:
    """Why a region may take no more traffic whatever the amount."""
    found = [
        str(violation)
        for violation in violations(
            situation.fleet,
            situation.workload,
            situation.register.workload,
            situation.intended,
            {region: 1.0},
            {},
        )
        if violation.rule in _REGION_RULES
    ]
    unfit = _unfit(situation, region)
    if unfit:
        found.append(unfit)
    elif situation.most(region) == 0:
        found.append(f"capacity: {region} can have no replica")
    return tuple(found)


def _unfit(situation: Situation, region: str) -> str:
    """Why a region may not even keep what it has; empty where it may."""
    endpoint = situation.endpoints.get(region)
    if region in situation.excluded:
        return f"excluded: {region} was found unfit in an earlier attempt"
    if endpoint is None or not endpoint.reachable:
        return f"unreachable: the endpoint in {region} does not answer"
    return ""


def _evaluate(situation: Situation, name: str, weights: Mapping[str, float]) -> Alternative:
    fleet, spec, now = situation.fleet, situation.spec, situation.register.workload
    replicas: dict[str, int] = {}
    unserved = slow = untrusted = 0.0
    for region, weight in weights.items():
        if weight <= 0:
            continue
        wanted = max(replicas_for(spec, weight), now.capacity.get(region, 0))
        replicas[region] = min(wanted, max(situation.most(region), 0))
        served = replicas[region] * spec.per_replica
        if spec.rate > 0:
            unserved += max(0.0, weight - served / spec.rate)
        if situation.register.regions.get(region, RegionState()).state == "soaking":
            untrusted += max(0.0, weight - now.weights.get(region, 0.0))
        if _too_slow(situation, region):
            slow += min(weight, served / spec.rate if spec.rate > 0 else weight)
    breaks = [
        str(violation)
        for violation in violations(
            fleet,
            situation.workload,
            now,
            situation.intended,
            weights,
            {**now.capacity, **replicas},
        )
    ]
    for region, weight in weights.items():
        gains = weight > now.weights.get(region, 0.0) + TOLERANCE
        if gains or (weight > 0 and _unfit(situation, region)):
            breaks += [bar for bar in _bars(situation, region) if bar not in breaks]
    return Alternative(
        name=name,
        weights=weights,
        replicas=replicas,
        unserved=_share(unserved),
        slow=_share(slow),
        untrusted=_share(untrusted),
        latency_ms=_latency(fleet, weights),
        cost_delta=round(_cost_delta(situation, weights, replicas), 4),
        egress=round(egress_cost(fleet, spec, weights), 4),
        breaks=tuple(breaks),
        because="to be judged",
    )


def _cost_delta(
    situation: Situation, weights: Mapping[str, float], replicas: Mapping[str, int]
) -> float:
    """USD per hour against now; the region that is left keeps its replicas until it is back."""
    fleet, spec, now = situation.fleet, situation.spec, situation.register.workload
    running = sum(
        (count - now.capacity.get(region, 0)) * fleet.regions[region].price
        for region, count in replicas.items()
    )
    return running + egress_cost(fleet, spec, weights) - egress_cost(fleet, spec, now.weights)


def _too_slow(situation: Situation, region: str) -> bool:
    objective = situation.spec.slo.latency_ms
    latency = latency_of(situation.fleet, region)
    return objective is not None and latency is not None and latency > objective


def _latency(fleet: Fleet, weights: Mapping[str, float]) -> float | None:
    known = {
        region: latency
        for region, weight in weights.items()
        if weight > 0 and (latency := latency_of(fleet, region)) is not None
    }
    total = sum(weights[region] for region in known)
    if total <= 0:
        return None
    return round(sum(weights[region] * known[region] for region in known) / total, 3)


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, value)), _DIGITS)


def _harm(one: Alternative) -> float:
    return round(one.unserved + one.slow, _DIGITS)


def _order(one: Alternative) -> tuple[float, float, float, str]:
    return (_harm(one), one.untrusted, one.cost_delta, one.name)


def _because(one: Alternative, chosen: Alternative | None) -> str:
    if one.breaks:
        return f"rejected: it breaks {len(one.breaks)} rule(s): {'; '.join(one.breaks)}"[:2000]
    if chosen is None or one.name == chosen.name:
        return f"chosen: {_said(one)}"
    if _harm(one) > _harm(chosen):
        return (
            f"rejected: it would harm {_harm(one):.1%} of the demand, "
            f"{chosen.name} only {_harm(chosen):.1%}"
        )
    if one.untrusted > chosen.untrusted:
        return (
            f"rejected: as good, and it sends {one.untrusted:.1%} to regions that still soak, "
            f"{chosen.name} only {chosen.untrusted:.1%}"
        )
    if one.cost_delta > chosen.cost_delta:
        more = one.cost_delta - chosen.cost_delta
        return f"rejected: as good, and {more:.2f} USD/h dearer than {chosen.name}"
    return f"rejected: as good and as cheap as {chosen.name}, which comes first by name"


def _said(one: Alternative) -> str:
    return (
        f"leaves {one.unserved:.1%} of the demand unserved and {one.slow:.1%} slower than the "
        f"objective, at {one.cost_delta:+.2f} USD/h"
    )


def _explain_choice(chosen: Alternative, weighed: int, safe: int) -> str:
    return (
        f"{chosen.name}: of {weighed} alternatives {safe} break no rule, and this one "
        f"{_said(chosen)}"
    )


def _explain_none(situation: Situation, found: list[Alternative]) -> str:
    if not found:
        return (
            f"no safe plan: {situation.workload} is declared in no region but those that are left"
        )
    reasons = dict.fromkeys(broken for one in found for broken in one.breaks)
    return f"no safe plan: each of {len(found)} alternatives breaks a rule: " + "; ".join(
        list(reasons)[:8]
    )
