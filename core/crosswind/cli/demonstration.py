"""What there is to see where nothing is declared: a small fleet, in which all is as declared."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from crosswind.actions import Action, Call, Query
from crosswind.fleet.load import parse_fleet
from crosswind.operations.endpoints import EndpointState, EndpointStates, EndpointStatus
from crosswind.operations.telemetry import (
    MeasureOutage,
    Outage,
    Probed,
    ProbeEndpoint,
    ReadTelemetry,
    RegionTelemetry,
    Telemetry,
)
from crosswind.operations.traffic import CurrentWeights, WeightsSet

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet

FILE: Final = "demonstration.yaml"


def demonstration_fleet() -> Fleet:
    """The packaged fleet; every mode in it is observe."""
    text = resources.files("crosswind.cli").joinpath(FILE).read_text(encoding="utf-8")
    return parse_fleet(text, FILE)


class DeclaredWorld:
    """Answers queries as if the world were as it is declared, and quiet. It changes nothing."""

    performs: tuple[type[Action[Any]], ...] = ()
    answers: tuple[type[Query[Any]], ...] = (
        CurrentWeights,
        EndpointStatus,
        MeasureOutage,
        ProbeEndpoint,
        ReadTelemetry,
    )

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def perform(self, action: Action[Any], call: Call) -> Any:
        """It performs nothing.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"in a demonstration nothing is done, so not {action.kind}")

    def answer(self, query: Any, timeout: float) -> Any:
        """What the declaration says; of traffic, that there is none."""
        placed = self._fleet.workloads[query.workload].regions
        match query:
            case CurrentWeights():
                weights = {region: placement.weight for region, placement in placed.items()}
                return WeightsSet(applied=True, epoch=0, weights=weights)
            case EndpointStatus():
                states = {
                    region: EndpointState(
                        region=region,
                        reachable=region in placed,
                        ready=placed[region].replicas if region in placed else 0,
                        quota=placed[region].quota if region in placed else None,
                    )
                    for region in query.regions
                }
                return EndpointStates(states=states)
            case MeasureOutage():
                return Outage(began=None, ended=None, failed=0, counted=0)
            case ProbeEndpoint():
                return Probed(region=query.region, sent=query.count, failed=0, latency=1.0)
            case ReadTelemetry():
                quiet = {region: RegionTelemetry(requests=0, errors=0) for region in placed}
                return Telemetry(seconds=query.seconds, regions=quiet)
        raise TypeError(f"the demonstration does not answer {type(query).__name__}")
