"""The register beside the world: where what is intended is not what is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from crosswind.fleet.convergence import same_weights
from crosswind.fleet.rules import SERVING

if TYPE_CHECKING:
    from crosswind.fleet.state import RegionState, WorkloadState


class Seen(NamedTuple):
    """What was seen of a workload in the world.

    Attributes:
        weights: share by region; None where the traffic's target gave no answer.
        epoch: that the target holds.
        replicas: by region, those that serve and those that start; a region that gave no answer
            is left out, and says nothing.
    """

    weights: Mapping[str, float] | None
    epoch: int
    replicas: Mapping[str, int]


class Replicas(NamedTuple):
    """Replicas of a region, as intended and as they are."""

    intended: int
    actual: int


class Drift(NamedTuple):
    """Where the world is not as it is intended.

    Attributes:
        moved: share of the traffic that goes elsewhere than intended.
        replicas: of the regions where they differ.
    """

    moved: float
    replicas: Mapping[str, Replicas]

    def __bool__(self) -> bool:
        return self.moved > 0 or bool(self.replicas)

    def __str__(self) -> str:
        said = [f"{self.moved:.1%} of its traffic goes elsewhere"] if self.moved else []
        said += [
            f"{region} has {count.actual} replicas instead of {count.intended}"
            for region, count in self.replicas.items()
        ]
        return "; ".join(said) or "all is as intended"


def drift(
    state: WorkloadState,
    unrecorded: tuple[str, ...],
    regions: Mapping[str, RegionState],
    seen: Seen,
) -> Drift:
    """Where the world is not as the register intends a workload, which is at rest.

    Replicas are looked at where the register holds some and the region serves: what a region
    that was left has is the business of the way back.

    Args:
        unrecorded: regions of which the register holds no replicas.
        regions: states of the regions; one that is missing serves.
    """
    moved = 0.0
    if seen.weights is not None and not same_weights(state.weights, seen.weights):
        places = {*state.weights, *seen.weights}
        moved = sum(
            abs(state.weights.get(place, 0.0) - seen.weights.get(place, 0.0)) for place in places
        )
    replicas = {
        region: Replicas(intended, seen.replicas[region])
        for region, intended in sorted(state.capacity.items())
        if region not in unrecorded
        and regions.get(region, SERVING).state == "serving"
        and seen.replicas.get(region, intended) != intended
    }
    return Drift(min(1.0, round(moved / 2, 6)), replicas)
