"""Small fleets for tests, and short ways to say what differs in them."""

from __future__ import annotations

from typing import Any, Final

from crosswind.fleet.declaration import Fleet

EAST: Final = "aws/us-east-1"
CENTRAL: Final = "gcp/us-central1"
EUROPE: Final = "azure/westeurope"
OHIO: Final = "aws/us-east-2"


def placement(weight: float, replicas: int, quota: int) -> dict[str, Any]:
    return {"weight": weight, "replicas": replicas, "quota": quota}


def workload(**changes: Any) -> dict[str, Any]:
    """60 requests a second from three replicas, spread over two regions and a standby."""
    return {
        "rate": 60,
        "per_replica": 20,
        "regions": {
            EAST: placement(0.5, 2, 4),
            CENTRAL: placement(0.5, 2, 4),
            EUROPE: placement(0, 0, 4),
        },
    } | changes


def document(**changes: Any) -> dict[str, Any]:
    """A fleet of four regions, two of them on one grid, with one workload."""
    return {
        "name": "test",
        "regions": {
            EAST: {"jurisdiction": "US", "failing_domains": ["grid:pjm"], "egress": 0.1},
            CENTRAL: {"jurisdiction": "US", "egress": 0.1},
            EUROPE: {"jurisdiction": "NL", "egress": 0.2},
            OHIO: {"jurisdiction": "US", "failing_domains": ["grid:pjm"]},
        },
        "workloads": {"chat": workload()},
    } | changes


def fleet(**changes: Any) -> Fleet:
    return Fleet.model_validate(document(**changes))
