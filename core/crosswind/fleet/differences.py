"""Declared, intended, actual: where they differ for a workload in a region, and why.

| kind         | says                                                                    |
|--------------|-------------------------------------------------------------------------|
| `failover`   | a failover or its way back has it in hand                               |
| `plan`       | another plan is under way                                               |
| `change`     | the declaration has changed, or was never applied: `fleet apply`        |
| `left`       | a plan has moved it and is over, and nothing has brought it back        |
| `drift`      | the world is not as it is intended                                      |
| `undeclared` | the register holds a workload that is no longer declared                |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from crosswind.fleet.quantities import TOLERANCE
from crosswind.fleet.rules import SERVING

if TYPE_CHECKING:
    from crosswind.fleet.comparison import Seen
    from crosswind.fleet.declaration import Fleet, WorkloadSpec
    from crosswind.fleet.state import RegionState, WorkloadState

Kind = Literal["failover", "plan", "change", "left", "drift", "undeclared"]


class Amounts(NamedTuple):
    """Share and replicas in a region; None where that is not known."""

    weight: float | None
    replicas: int | None


class Row(NamedTuple):
    """A workload in a region, as declared, as intended and as it is.

    Attributes:
        declared: None where it is not declared there.
        intended: None where the register holds nothing of it.
        kinds: in which ways they differ; empty where they do not.
        because: what explains it.
    """

    workload: str
    region: str
    declared: Amounts | None
    intended: Amounts | None
    actual: Amounts
    kinds: tuple[Kind, ...]
    because: str = ""


def rows(
    fleet: Fleet,
    register: Mapping[str, WorkloadState],
    regions: Mapping[str, RegionState],
    world: Mapping[str, Seen],
    applied: Fleet | None,
) -> Iterator[Row]:
    """Every workload in each of its regions, in the order of the declaration.

    Args:
        register: what is recorded, by workload, without what is only declared.
        regions: states of regions; one that is missing serves.
        world: what was seen, by workload.
        applied: the declaration that was applied last with success.
    """
    for name in {**fleet.workloads, **register}:
        yield from _workload(
            name, fleet.workloads.get(name), register.get(name), regions, world.get(name), applied
        )


def _workload(
    name: str,
    spec: WorkloadSpec | None,
    state: WorkloadState | None,
    regions: Mapping[str, RegionState],
    seen: Seen | None,
    applied: Fleet | None,
) -> Iterator[Row]:
    places = dict.fromkeys(spec.regions if spec else ())
    if state is not None:
        places |= dict.fromkeys((*state.weights, *state.capacity))
    if seen is not None and seen.weights is not None:
        places |= dict.fromkeys(region for region, share in seen.weights.items() if share)
    for region in places:
        declared = intended = None
        if spec is not None and region in spec.regions:
            placement = spec.regions[region]
            declared = Amounts(placement.weight, placement.replicas)
        if state is not None:
            intended = Amounts(state.weights.get(region, 0.0), state.capacity.get(region, 0))
        actual = Amounts(None, None)
        if seen is not None:
            weights = seen.weights
            share = None if weights is None else weights.get(region, 0.0)
            actual = Amounts(share, seen.replicas.get(region))
        kinds: list[Kind] = []
        because = ""
        if spec is None:
            kinds, because = ["undeclared"], "it is no longer declared"
        elif state is None:
            if _apart(declared or Amounts(0.0, 0), actual):
                kinds, because = ["change"], "nothing of it was ever applied"
        elif intended is not None:
            away = _away(spec, state, regions)
            if _apart(declared or Amounts(0.0, 0), intended):
                kind, because = _unlike(name, spec, state, away, applied)
                kinds.append(kind)
            if _apart(intended, actual):
                same_shares = not _apart(intended, actual._replace(replicas=None))
                kind, why = _elsewhere(region, state, regions, same_shares)
                kinds += [] if kind in kinds else [kind]
                because = "; ".join(dict.fromkeys(text for text in (because, why) if text))
        yield Row(name, region, declared, intended, actual, tuple(kinds), because)


def _apart(these: Amounts, those: Amounts) -> bool:
    """Whether two known amounts differ."""
    weight = None not in (these.weight, those.weight) and (
        abs((these.weight or 0.0) - (those.weight or 0.0)) > TOLERANCE
    )
    replicas = None not in (these.replicas, those.replicas) and these.replicas != those.replicas
    return weight or replicas


def _away(
    spec: WorkloadSpec, state: WorkloadState, regions: Mapping[str, RegionState]
) -> list[str]:
    """Regions of a workload that were left, or are on their way back."""
    return [
        f"{region} is {regions[region].state}"
        for region in sorted({*spec.regions, *state.weights} & regions.keys())
        if regions[region].state != "serving"
        and (spec.weights.get(region, 0.0) > 0 or state.weights.get(region, 0.0) > 0)
    ]


def _unlike(
    name: str,
    spec: WorkloadSpec,
    state: WorkloadState,
    away: list[str],
    applied: Fleet | None,
) -> tuple[Kind, str]:
    """Why what is intended is not what is declared."""
    if state.moving is not None:
        return _moving(state)
    if away:
        return "failover", "; ".join(away)
    before = None if applied is None else applied.workloads.get(name)
    if before is None or (before.weights, before.replicas) != (spec.weights, spec.replicas):
        return "change", "the declaration has changed"
    return "left", f"plan {state.plan} has left it so" if state.plan else "nothing says why"


def _elsewhere(
    region: str, state: WorkloadState, regions: Mapping[str, RegionState], same_shares: bool
) -> tuple[Kind, str]:
    """Why what is there is not what is intended.

    What replicas a region has that was left is the business of the way back; its traffic is not.
    """
    if state.moving is not None:
        return _moving(state)
    condition = regions.get(region, SERVING).state
    if condition != "serving" and same_shares:
        return "failover", f"{region} is {condition}"
    return "drift", "the world is not as it is intended"


def _moving(state: WorkloadState) -> tuple[Kind, str]:
    moving = state.moving
    assert moving is not None, "asked of a plan that is under way"
    kind: Kind = "failover" if moving.priority == "failover" else "plan"
    return kind, f"{moving.priority} {moving.plan} is under way, step {moving.step} of {moving.of}"
