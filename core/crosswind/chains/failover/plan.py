"""The plan of one workload: where its traffic goes when regions are left, and why there.

A pure function of the fleet, the register, what the endpoints answer, and what was planned for all
workloads of the sweep together. It weighs the division that `crosswind.planner` finds, every way of
`alternatives` and every single region that cannot be used, holds each against the fleet's rules
(the same that the register checks at acceptance), and chooses by one stated rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from crosswind.chains.failover.alternatives import Candidate, spreads, whole
from crosswind.chains.failover.measures import against, harm, replicas_for, weighed
from crosswind.chains.failover.reasons import RULE, because, no_way, shown, the_choice
from crosswind.chains.failover.situation import Situation
from crosswind.fleet.quantities import TOLERANCE
from crosswind.fleet.rules import egress_cost, violations
from crosswind.planner.heuristic import plan
from crosswind.planner.outcome import replicas_of, weights_of
from crosswind.planner.problem import Division, Need
from crosswind.planner.survey import latency_of, survey
from crosswind_events.catalogue.failover import Alternative, Decision

__all__ = ["RULE", "Proposal", "Situation", "propose", "replicas_for"]

TOGETHER: Final = "as planned for all together"
ALONE: Final = "as it is best divided"

_REGION_RULES: Final = frozenset({"placement", "residency", "evacuated", "failing-domain"})


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the planner says; `chosen` is None where nothing is safe.

    Attributes:
        spare: replicas to ask for besides, in case that what is chosen is not granted.
    """

    decision: Decision
    chosen: Alternative | None
    spare: Mapping[str, int] = field(default_factory=dict)


def propose(situation: Situation) -> Proposal:
    """Weigh the alternatives and choose one, or none.

    Every alternative stands in the decision with the reason why it was chosen or not.
    """
    found = [_evaluate(situation, name, weights) for name, weights in _alternatives(situation)]
    safe = [one for one in found if not one.breaks]
    chosen = min(safe, key=_order, default=None)
    ordered = sorted(found, key=lambda one: (bool(one.breaks), _order(one)))
    explained = shown(
        [one.model_copy(update={"because": because(one, chosen, situation)}) for one in ordered]
    )
    if chosen is None:
        said = no_way(situation, found)
        return Proposal(
            Decision(rule=RULE, chosen=None, alternatives=explained, because=said), None
        )
    spare = _spare(situation, chosen)
    said = the_choice(chosen, len(found), len(safe), spare)
    return Proposal(
        Decision(rule=RULE, chosen=chosen.name, alternatives=explained, because=said),
        explained[0],
        spare,
    )


def _order(one: Alternative) -> tuple[float, bool, float, float, bool, str]:
    """What is planned together goes before what is cheaper for one: others count on it."""
    return (
        harm(one),
        one.name != TOGETHER,
        against(one),
        one.cost_delta,
        one.name == ALONE,
        one.name,
    )


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
    yield from _ways(situation, takers, stayers, moving)
    present = {
        r: weight for r, weight in weights.items() if r not in situation.leaving and r not in unkept
    }
    for region in barred:
        shares = {**present, region: present.get(region, 0.0) + moving}
        yield f"all that moves to {region}", whole(shares)


def _ways(
    situation: Situation,
    takers: Sequence[Candidate],
    stayers: Mapping[str, float],
    moving: float,
) -> Iterator[tuple[str, Mapping[str, float]]]:
    """First what the planner finds, where none of the ways with a name is the same."""
    kept = sum(stayers.values())
    named = {}
    for name, shares in spreads(takers, moving) if takers else ():
        scaled = {region: share * (1.0 - kept) for region, share in shares.items()}
        named[name] = whole({**scaled, **stayers})
    if situation.allotted:
        together = _divided(situation.together)
        if together is not None:
            yield TOGETHER, together
    alone = _divided(situation)
    if alone is not None and not any(_alike(alone, one) for one in named.values()):
        yield ALONE, alone
    yield from named.items()


def _divided(situation: Situation) -> Mapping[str, float] | None:
    """The weights that the planner finds for this workload."""
    found = _planned(situation)
    if found is None:
        return None
    need, division = found
    weights = dict.fromkeys(sorted(situation.spec.regions), 0.0) | dict(weights_of(need, division))
    return whole({r: share for r, share in weights.items() if r not in situation.leaving})


def _planned(situation: Situation) -> tuple[Need, Division] | None:
    problem = survey(
        situation.fleet,
        situation.intended,
        {situation.workload: situation.known()},
        {situation.region},
    )
    if not problem.needs:
        return None
    (division,) = plan(problem).divisions
    return (problem.needs[0], division) if division.feasible else None


def _alike(these: Mapping[str, float], those: Mapping[str, float]) -> bool:
    return all(
        abs(these.get(region, 0.0) - those.get(region, 0.0)) <= TOLERANCE
        for region in {*these, *those}
    )


def _candidate(situation: Situation, region: str) -> Candidate:
    spec = situation.spec
    rate = spec.rate

    def room(count: int) -> float:
        return min(1.0, count * spec.per_replica / rate) if rate > 0 else 1.0

    price = situation.fleet.regions[region].price
    return Candidate(
        region=region,
        share=situation.register.workload.weights.get(region, 0.0),
        room_ready=room(situation.ready(region)),
        room=room(situation.most(region)),
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
    found += _kin(situation, region)
    unfit = _unfit(situation, region)
    if unfit:
        found.append(unfit)
    elif situation.most(region) == 0:
        found.append(f"capacity: {region} can have no replica")
    return tuple(found)


def _kin(situation: Situation, region: str) -> Iterator[str]:
    """A region that was found unfit may not be the only one of its failing domain."""
    regions = situation.fleet.regions
    own = set(regions[region].failing_domains)
    for other in sorted(situation.excluded - {region}):
        for domain in sorted(own.intersection(regions[other].failing_domains)):
            yield (
                f"failing-domain: {region} shares {domain} with {other}, which was found unfit "
                "in an earlier attempt"
            )


def _unfit(situation: Situation, region: str) -> str:
    """Why a region may not even keep what it has; empty where it may."""
    endpoint = situation.endpoints.get(region)
    if region in situation.excluded:
        return f"excluded: {region} was found unfit in an earlier attempt"
    if endpoint is None or not endpoint.reachable:
        return f"unreachable: the endpoint in {region} does not answer"
    return ""


def _evaluate(situation: Situation, name: str, weights: Mapping[str, float]) -> Alternative:
    now = situation.register.workload
    one = weighed(situation, name, weights)
    capacity = {**now.capacity, **situation.rest, **one.replicas}
    breaks = [
        str(violation)
        for violation in violations(
            situation.fleet, situation.workload, now, situation.intended, weights, capacity
        )
    ]
    for region, weight in weights.items():
        gains = weight > now.weights.get(region, 0.0) + TOLERANCE
        if gains or (weight > 0 and _unfit(situation, region)):
            breaks += [bar for bar in _bars(situation, region) if bar not in breaks]
    return one.model_copy(update={"breaks": tuple(breaks)})


def _spare(situation: Situation, chosen: Alternative) -> Mapping[str, int]:
    """What to ask of other regions at the same time, where a grant is uncertain.

    It is so where GPUs are needed, and where this chain has been granted less than it asked for.
    What is asked for is the plan that would follow if nothing more were granted where more is
    wanted; of regions that are scarce, only what was allotted.
    """
    if situation.spec.gpu is None and not situation.ceilings:
        return {}
    wanting = {
        region: situation.ready(region)
        for region, count in chosen.replicas.items()
        if count > situation.ready(region)
    }
    if not wanting:
        return {}
    found = _planned(situation.together.capped(wanting))
    if found is None:
        return {}
    return {
        region: count
        for region, count in sorted(replicas_of(*found).items())
        if region not in wanting
        and count > max(situation.before(region), chosen.replicas.get(region, 0))
    }
