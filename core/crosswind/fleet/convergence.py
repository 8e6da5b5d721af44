"""Where a workload is to be brought when a declaration is applied: a pure function.

What a failover has in hand is left alone. While a plan is under way nothing is changed. While a
region of the workload is evacuated or soaks, its traffic stays where the failover has put it, and
replicas are only added where regions serve: the way back gives it its declared placement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from crosswind.fleet.quantities import TOLERANCE
from crosswind.fleet.rules import SERVING

if TYPE_CHECKING:
    from crosswind.fleet.applications import Placed
    from crosswind.fleet.state import RegionState, WorkloadState


class Aim(NamedTuple):
    """What is to be intended for a workload.

    Attributes:
        weights: share by region, also of those that get nothing any more.
        replicas: by region.
        held: why it is not all that is declared; empty where it is.
        changes: whether it differs from what is intended now.
    """

    weights: Mapping[str, float]
    replicas: Mapping[str, int]
    held: str
    changes: bool


def aim(declared: Placed, state: WorkloadState, regions: Mapping[str, RegionState]) -> Aim:
    """Where a workload is to be brought.

    Args:
        declared: its placement in the declaration that is applied.
        state: what is intended for it now.
        regions: states of the regions of both; one that is missing serves.
    """
    if state.moving is not None:
        moving = state.moving
        held = f"{moving.priority} {moving.plan} is under way (step {moving.step} of {moving.of})"
        return Aim(state.weights, state.capacity, held, False)
    places = sorted({*declared.weights, *declared.replicas, *state.weights, *state.capacity})
    conditions = {place: regions.get(place, SERVING).state for place in places}
    away = [
        place
        for place in places
        if conditions[place] != "serving"
        and (declared.weights.get(place, 0.0) > 0 or state.weights.get(place, 0.0) > 0)
    ]
    weights = {
        place: (state if away else declared).weights.get(place, 0.0)
        for place in places
        if place in declared.weights or place in state.weights
    }
    replicas = {}
    for place in places:
        wanted, has = declared.replicas.get(place, 0), state.capacity.get(place, 0)
        if conditions[place] != "serving":
            wanted = has
        elif away:
            wanted = max(wanted, has)
        replicas[place] = wanted
    short = not same_weights(weights, declared.weights) or not same_replicas(
        replicas, declared.replicas
    )
    held = ""
    if short:
        states = [p for p in places if conditions[p] != "serving"]
        held = "; ".join(f"{place} is {conditions[place]}" for place in states)
    changes = not same_weights(weights, state.weights) or not same_replicas(
        replicas, state.capacity
    )
    return Aim(weights, replicas, held, changes)


def same_weights(these: Mapping[str, float], those: Mapping[str, float]) -> bool:
    """Whether shares are the same; a region that is not named has none."""
    return all(
        abs(these.get(place, 0.0) - those.get(place, 0.0)) <= TOLERANCE
        for place in {*these, *those}
    )


def same_replicas(these: Mapping[str, int], those: Mapping[str, int]) -> bool:
    """Whether replicas are the same; a region that is not named has none."""
    return all(these.get(place, 0) == those.get(place, 0) for place in {*these, *those})


def division(weights: Mapping[str, float]) -> bool:
    """Whether shares divide all of the traffic."""
    return bool(weights) and abs(sum(weights.values()) - 1.0) <= TOLERANCE
