"""The steps of a shift, and the judgement on what each of them did. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Final, Literal

from crosswind.chains.failover.measures import replicas_for
from crosswind.fleet.declaration import FailoverPolicy, WorkloadSpec
from crosswind.fleet.quantities import TOLERANCE
from crosswind.operations.endpoints import EndpointState
from crosswind.operations.telemetry import Telemetry
from crosswind_events.catalogue.failover import Plan

ENOUGH_REQUESTS: Final = 20
"""Real requests below which an error rate says nothing about a region."""

PATIENCE: Final = 3
"""Pauses that are added to one step while a region errs or is slow."""

SHORTEST_PAUSE: Final = 1.0
"""Seconds that an added pause takes at least, where the policy's own pause is shorter."""

_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to do next, and why.

    Attributes:
        verdict: `go` on, `hold` for one more pause, or `leave` the regions named.
        ceilings: replicas that a region turned out to have at the most.
    """

    verdict: Literal["go", "hold", "leave"]
    because: str
    regions: tuple[str, ...] = ()
    ceilings: Mapping[str, int] = field(default_factory=dict)


def weights_at(plan: Plan, step: int) -> dict[str, float]:
    """The shares after a step: on the straight way from origin to target; 0 is the origin."""
    if step >= plan.steps:
        return dict(plan.target)
    part = step / plan.steps
    regions = sorted({*plan.origin, *plan.target})
    return {
        region: round(
            plan.origin.get(region, 0.0) * (1 - part) + plan.target.get(region, 0.0) * part,
            _DIGITS,
        )
        for region in regions
    }


def moved(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """The share of traffic that changes its region."""
    regions = {*before, *after}
    change = sum(abs(after.get(region, 0.0) - before.get(region, 0.0)) for region in regions)
    return min(1.0, round(change / 2, _DIGITS))


def watched(plan: Plan) -> list[str]:
    """The regions that are judged: on the way out all that serve at the end, for each that is bad
    has to be left as well; on the way back those that gain, for the others are relieved by it.
    """
    regions = (region for region, weight in plan.target.items() if weight > 0)
    if plan.sweep.purpose == "failback":
        regions = (r for r in regions if plan.target[r] > plan.origin.get(r, 0.0) + TOLERANCE)
    return sorted(regions)


def pause_of(plan: Plan) -> float:
    """Seconds of an added pause."""
    return max(plan.pause, SHORTEST_PAUSE)


def judge(
    plan: Plan,
    step: int,
    holds: int,
    spec: WorkloadSpec,
    policy: FailoverPolicy,
    telemetry: Telemetry,
    endpoints: Mapping[str, EndpointState],
) -> Judgement:
    """Whether a step may be taken, from what the `watched` regions look like now.

    A region that does not answer is left at once. One that errs, or has not yet the replicas that
    the step needs, is given time first: `PATIENCE` pauses for errors and latency, the policy's
    capacity timeout after their start-up for replicas. Latency alone never turns a plan around.

    Args:
        step: the step that would be taken; one more than the plan's for the look after the last.
        holds: pauses added before this step so far.
    """
    serving = watched(plan)
    lost = [region for region in serving if not _answers(endpoints.get(region))]
    if lost:
        return Judgement("leave", f"{_list(lost)} no longer answer(s)", tuple(lost))
    erring = {
        region: seen.error_rate
        for region in serving
        if (seen := telemetry.regions.get(region)) is not None
        and seen.requests >= ENOUGH_REQUESTS
        and seen.error_rate > spec.shift.max_error_rate
    }
    if erring:
        said = ", ".join(f"{region} fails {rate:.1%}" for region, rate in erring.items())
        said += f" of its requests, at most {spec.shift.max_error_rate:.1%} may"
        verdict: Literal["hold", "leave"] = "hold" if holds < PATIENCE else "leave"
        return Judgement(verdict, said, tuple(erring))
    short = _short(plan, step, spec, endpoints)
    if short:
        said = ", ".join(
            f"{region} has {ready} of {needed} replicas"
            for region, (ready, needed) in short.items()
        )
        patience = ceil((policy.capacity_timeout + spec.start_up) / pause_of(plan))
        if holds < patience:
            return Judgement("hold", said, tuple(short))
        return Judgement(
            "leave", said, tuple(short), {region: ready for region, (ready, _) in short.items()}
        )
    slow = _slow(serving, spec, telemetry)
    if slow and holds < PATIENCE:
        return Judgement("hold", slow)
    return Judgement("go", slow or "every region that it leads to is well")


def _answers(endpoint: EndpointState | None) -> bool:
    return endpoint is not None and endpoint.reachable


def _short(
    plan: Plan, step: int, spec: WorkloadSpec, endpoints: Mapping[str, EndpointState]
) -> dict[str, tuple[int, int]]:
    """Regions that get more by this step and lack replicas for it: (ready, needed)."""
    before, after = weights_at(plan, step - 1), weights_at(plan, step)
    if plan.demand is not None:
        spec = spec.model_copy(update={"rate": plan.demand})
    short: dict[str, tuple[int, int]] = {}
    for region, weight in after.items():
        if weight <= before.get(region, 0.0) or region not in plan.replicas:
            continue
        needed = min(plan.replicas[region], replicas_for(spec, weight))
        ready = endpoints[region].ready if region in endpoints else 0
        if ready < needed:
            short[region] = (ready, needed)
    return short


def _slow(serving: list[str], spec: WorkloadSpec, telemetry: Telemetry) -> str:
    objective = spec.slo.latency_ms
    if objective is None:
        return ""
    slow = [
        f"{region} takes {seen.p95:.0f} ms"
        for region in serving
        if (seen := telemetry.regions.get(region)) is not None
        and seen.requests >= ENOUGH_REQUESTS
        and seen.p95 is not None
        and seen.p95 > objective
    ]
    return f"{', '.join(slow)}; the objective is {objective:.0f} ms" if slow else ""


def _list(regions: list[str]) -> str:
    return ", ".join(regions)
