"""The planner of the way back: how near to its declared placement a workload can be brought.

A pure function, like `plan`. Regions that are evacuated, or soak for the sake of another chain,
keep what they have; the others, and the region that has recovered, divide the rest as declared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from crosswind.chains.failover.alternatives import whole
from crosswind.chains.failover.measures import replicas_for
from crosswind.chains.failover.plan import Proposal
from crosswind.chains.failover.situation import Situation
from crosswind.fleet.quantities import TOLERANCE
from crosswind.fleet.rules import egress_cost, violations
from crosswind.fleet.state import RegionState
from crosswind_events.catalogue.failover import Alternative, Decision

MARGIN: Final = 0.005
"""Share of its traffic for which a workload is not moved once more: the gain is not worth it."""

RULE: Final = "no rule broken; then the least distance from the declared placement; then the name"


def restore(situation: Situation) -> Proposal:
    """Weigh the ways back for `situation.region` and choose one, or none."""
    found = [_evaluate(situation, name, weights) for name, weights in _ways(situation)]
    safe = [one for one in found if not one.breaks]
    chosen = min(safe, key=lambda one: (_distance(situation, one), one.name), default=None)
    explained = tuple(
        one.model_copy(update={"because": _because(situation, one, chosen)}) for one in found
    )
    if chosen is None:
        reasons = dict.fromkeys(broken for one in found for broken in one.breaks)
        said = "no safe way back: " + "; ".join(list(reasons)[:8])
        return Proposal(
            Decision(rule=RULE, chosen=None, alternatives=explained, because=said), None
        )
    said = f"{chosen.name}: {_distance(situation, chosen):.1%} from the declared placement"
    return Proposal(
        Decision(rule=RULE, chosen=chosen.name, alternatives=explained, because=said),
        next(one for one in explained if one.name == chosen.name),
    )


def at_rest(situation: Situation, chosen: Alternative) -> bool:
    """Whether the workload stands already, or nearly, where this alternative would bring it."""
    now = situation.register.workload
    return all(
        abs(weight - now.weights.get(region, 0.0)) <= MARGIN
        for region, weight in chosen.weights.items()
    ) and all(now.capacity.get(region, 0) == count for region, count in chosen.replicas.items())


def _ways(situation: Situation) -> Iterator[tuple[str, Mapping[str, float]]]:
    now = situation.register.workload.weights
    declared = situation.spec.weights
    kept = {
        region: weight
        for region, weight in now.items()
        if region != situation.region and weight > 0 and not _open(situation, region)
    }
    free = max(0.0, 1.0 - sum(kept.values()))
    normal = {
        region: weight
        for region, weight in declared.items()
        if region not in kept and (region == situation.region or _open(situation, region))
    }
    total = sum(normal.values())
    if total > 0:
        target = whole({**{r: weight / total * free for r, weight in normal.items()}, **kept})
        yield "as declared", _all(declared, target)
        room = _room(situation)
        if room < target[situation.region]:
            yield "as far as capacity reaches", _all(declared, _part(situation, target, room))
    yield "stay as it is", _all(declared, dict(now))


def _open(situation: Situation, region: str) -> bool:
    state = situation.register.regions.get(region, RegionState())
    endpoint = situation.endpoints.get(region)
    return state.state == "serving" and endpoint is not None and endpoint.reachable


def _room(situation: Situation) -> float:
    """The share for which the region can have replicas."""
    spec = situation.spec
    if spec.rate <= 0:
        return 1.0
    return min(1.0, situation.most(situation.region) * spec.per_replica / spec.rate)


def _part(situation: Situation, target: Mapping[str, float], room: float) -> dict[str, float]:
    """On the way from now to the target, as far as the region has room."""
    now, region = situation.register.workload.weights, situation.region
    begin, end = now.get(region, 0.0), target[region]
    part = max(0.0, min(1.0, (room - begin) / (end - begin))) if end > begin else 0.0
    return whole(
        {
            name: now.get(name, 0.0) * (1 - part) + target.get(name, 0.0) * part
            for name in {*now, *target}
        }
    )


def _all(declared: Mapping[str, float], weights: Mapping[str, float]) -> dict[str, float]:
    return {region: weights.get(region, 0.0) for region in {**declared, **weights}}


def _evaluate(situation: Situation, name: str, weights: Mapping[str, float]) -> Alternative:
    fleet, spec, now = situation.fleet, situation.spec, situation.register.workload
    replicas: dict[str, int] = {}
    unserved = 0.0
    for region, weight in weights.items():
        if weight <= 0 and region != situation.region and not _open(situation, region):
            continue  # nothing is asked of a region that is away
        placement = spec.regions.get(region)
        normal = placement.replicas if placement else 0
        wanted = max(normal, replicas_for(spec, weight))
        replicas[region] = min(wanted, max(situation.most(region), 0))
        if spec.rate > 0:
            unserved += max(0.0, weight - replicas[region] * spec.per_replica / spec.rate)
    region = situation.region
    soaking = situation.register.regions.get(region, RegionState()).model_copy(
        update={"state": "soaking"}
    )
    states = {**situation.register.regions, region: soaking}
    breaks = [
        str(violation)
        for violation in violations(
            fleet, situation.workload, now, states, weights, {**now.capacity, **replicas}
        )
    ]
    endpoint = situation.endpoints.get(region)
    if weights.get(region, 0.0) > now.weights.get(region, 0.0) + TOLERANCE and (
        endpoint is None or not endpoint.reachable
    ):
        breaks.append(f"unreachable: the endpoint in {region} does not answer")
    running = sum(
        (count - now.capacity.get(one, 0)) * fleet.regions[one].price
        for one, count in replicas.items()
    )
    egress = egress_cost(fleet, spec, weights)
    return Alternative(
        name=name,
        weights=weights,
        replicas=replicas,
        unserved=min(1.0, round(unserved, 6)),
        slow=0.0,
        cost_delta=round(running + egress - egress_cost(fleet, spec, now.weights), 4),
        egress=round(egress, 4),
        breaks=tuple(breaks),
        because="to be judged",
    )


def _distance(situation: Situation, one: Alternative) -> float:
    declared = situation.spec.weights
    change = sum(
        abs(one.weights.get(region, 0.0) - declared.get(region, 0.0))
        for region in {*declared, *one.weights}
    )
    return round(change / 2, 6)


def _because(situation: Situation, one: Alternative, chosen: Alternative | None) -> str:
    if one.breaks:
        return f"rejected: it breaks {len(one.breaks)} rule(s): {'; '.join(one.breaks)}"[:2000]
    distance = _distance(situation, one)
    if chosen is None or one.name == chosen.name:
        return f"chosen: {distance:.1%} from the declared placement"
    return (
        f"rejected: {distance:.1%} from the declared placement, "
        f"{chosen.name} only {_distance(situation, chosen):.1%}"
    )
