"""A world that does as it is told: shares and replicas in a file, `still.json`.

What the file does not name is as `fleet.yaml` declares it. A repeated key changes nothing more, for
what it sets is already there; a lower epoch is refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from crosswind import Action, Query
from crosswind.actions import Call
from crosswind.fleet.load import load_fleet
from crosswind.operations.endpoints import (
    EndpointState,
    EndpointStates,
    EndpointStatus,
    Scaled,
    ScaleEndpoint,
)
from crosswind.operations.telemetry import ReadTelemetry, Telemetry
from crosswind.operations.traffic import CurrentWeights, SetWeights, WeightsSet

STILL = Path("still.json")


def read() -> dict[str, Any]:
    """By workload: weights, replicas and epoch."""
    if STILL.exists():
        return dict(json.loads(STILL.read_text()))
    return {
        name: {"weights": dict(spec.weights), "replicas": dict(spec.replicas), "epoch": 0}
        for name, spec in load_fleet("fleet.yaml").workloads.items()
    }


class Still:
    """Performs and answers."""

    performs: tuple[type[Action[Any]], ...] = (SetWeights, ScaleEndpoint)
    answers: tuple[type[Query[Any]], ...] = (CurrentWeights, EndpointStatus, ReadTelemetry)

    def perform(self, action: SetWeights | ScaleEndpoint, call: Call) -> WeightsSet | Scaled:
        """Set what is asked for."""
        world = read()
        its = world[action.workload]
        if action.epoch < its["epoch"] and isinstance(action, SetWeights):
            return WeightsSet(
                applied=False, epoch=its["epoch"], weights=its["weights"], reason="an old epoch"
            )
        if isinstance(action, SetWeights):
            its |= {"weights": dict(action.weights), "epoch": action.epoch}
        else:
            its["replicas"][action.region] = action.replicas
        STILL.write_text(json.dumps(world))
        if isinstance(action, SetWeights):
            return WeightsSet(applied=True, epoch=action.epoch, weights=action.weights)
        count = action.replicas
        return Scaled(requested=count, granted=count, ready=count)

    def answer(self, query: Any, timeout: float) -> Any:
        """What there is; of traffic, that there is none."""
        its = read()[query.workload]
        match query:
            case CurrentWeights():
                return WeightsSet(applied=True, epoch=its["epoch"], weights=its["weights"])
            case EndpointStatus():
                return EndpointStates(
                    states={
                        region: EndpointState(
                            region=region, reachable=True, ready=its["replicas"].get(region, 0)
                        )
                        for region in query.regions
                    }
                )
        return Telemetry(seconds=query.seconds, regions={})


def performers() -> list[Still]:
    """What `--performers still:performers` gives."""
    return [Still()]
