"""The steps by which a workload converges, and the judgement on each. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from crosswind.fleet.quantities import TOLERANCE

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet
    from crosswind.operations.endpoints import EndpointState
    from crosswind.operations.telemetry import Telemetry
    from crosswind_events.catalogue.fleet import ConvergenceStep

PATIENCE: Final = 3
"""Pauses for which errors are borne before everything is taken back."""

ENOUGH: Final = 20
"""Requests under which an error rate says nothing."""

SHORTEST: Final = 1.0
"""Seconds between two looks at the least, also where the policy has no pause."""

_DIGITS: Final = 9


class Judgement(NamedTuple):
    """What the look before a step says: take it, wait, or take everything back."""

    verdict: Literal["go", "hold", "back"]
    because: str


def weights_at(
    origin: Mapping[str, float], target: Mapping[str, float], step: int, of: int
) -> dict[str, float]:
    """The shares after a step; after the last they are exactly the target."""
    if step >= of:
        return dict(target)
    part = step / of
    weights = {
        region: round(
            origin.get(region, 0.0) * (1 - part) + target.get(region, 0.0) * part, _DIGITS
        )
        for region in {**origin, **target}
    }
    # What was lost to rounding goes where it weighs least.
    largest = max(weights, key=lambda region: weights[region])
    weights[largest] += 1.0 - sum(weights.values())
    return weights


def moved(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """The share of traffic that changes its region."""
    change = sum(abs(after.get(r, 0.0) - before.get(r, 0.0)) for r in {*before, *after})
    return min(1.0, round(change / 2, 6))


def receiving(step: ConvergenceStep) -> tuple[str, ...]:
    """The regions that have traffic at the end: those that have to be well."""
    return tuple(sorted(region for region, weight in step.target.items() if weight > 0))


def pause_of(step: ConvergenceStep) -> float:
    """Seconds until the next look."""
    return max(step.pause, SHORTEST)


def judge(
    step: ConvergenceStep,
    fleet: Fleet,
    telemetry: Telemetry,
    endpoints: Mapping[str, EndpointState],
) -> Judgement:
    """Whether a step may be taken, from what the regions that get traffic look like now."""
    spec = fleet.workloads[step.workload]
    regions = receiving(step)
    lost = [r for r in regions if r not in endpoints or not endpoints[r].reachable]
    if lost:
        return Judgement("back", f"{', '.join(lost)} no longer answer(s)")
    most = spec.shift.max_error_rate
    erring = {
        region: seen.error_rate
        for region in regions
        if (seen := telemetry.regions.get(region)) is not None
        and seen.requests >= ENOUGH
        and seen.error_rate > most
    }
    if erring:
        said = ", ".join(f"{region} fails {rate:.1%}" for region, rate in erring.items())
        said += f" of its requests, at most {most:.1%} may"
        return Judgement("hold" if step.holds < PATIENCE else "back", said)
    short = _short(step, spec.per_replica, spec.rate, endpoints)
    if short:
        said = ", ".join(
            f"{r} has {has} of {needed} replicas" for r, (has, needed) in short.items()
        )
        patience = ceil(fleet.failover.capacity_timeout / pause_of(step))
        return Judgement("hold" if step.holds < patience else "back", said)
    return Judgement("go", "every region that gets traffic is well")


def _short(
    step: ConvergenceStep,
    per_replica: float,
    rate: float,
    endpoints: Mapping[str, EndpointState],
) -> dict[str, tuple[int, int]]:
    """Regions that get more by this step and lack replicas for it: (ready, needed)."""
    before = weights_at(step.origin, step.target, step.step - 1, step.of)
    after = weights_at(step.origin, step.target, step.step, step.of)
    short = {}
    for region, weight in after.items():
        if weight <= before.get(region, 0.0) + TOLERANCE:
            continue
        needed = min(step.replicas.get(region, 0), ceil(weight * rate / per_replica - TOLERANCE))
        if endpoints[region].ready < needed:
            short[region] = (endpoints[region].ready, needed)
    return short
