"""Fleets, evidence and situations for tests of the chains, in short."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from crosswind.chains.failover.plan import Situation
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.state import RegionState, RegisterView, WorkloadState
from crosswind.operations.endpoints import EndpointState
from crosswind_events import Event, Native, RegionRecovered, RegionUnhealthy
from crosswind_events.catalogue.failover import Allotted

EAST: Final = "aws/us-east-1"
OHIO: Final = "aws/us-east-2"
CENTRAL: Final = "gcp/us-central1"
EUROPE: Final = "azure/westeurope"
NOW: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def placement(weight: float, replicas: int, quota: int) -> dict[str, Any]:
    return {"weight": weight, "replicas": replicas, "quota": quota}


def workload(**changes: Any) -> dict[str, Any]:
    """100 requests/s, 10 a replica: half in the east, half in the centre, Europe stands by."""
    return {
        "rate": 100,
        "per_replica": 10,
        "regions": {
            EAST: placement(0.5, 5, 10),
            CENTRAL: placement(0.5, 5, 10),
            EUROPE: placement(0.0, 0, 10),
        },
        "shift": {"steps": 2, "pause": 10, "window": 10},
    } | changes


def document(**changes: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "regions": {
            EAST: {"jurisdiction": "US", "failing_domains": ["grid:pjm"], "price": 2.0},
            OHIO: {"jurisdiction": "US", "failing_domains": ["grid:pjm"], "price": 1.0},
            CENTRAL: {"jurisdiction": "US", "price": 2.0, "latency_ms": {"us": 30}},
            EUROPE: {"jurisdiction": "NL", "price": 3.0, "latency_ms": {"us": 110}},
        },
        "workloads": {"chat": workload()},
        "failover": {
            "soak": 60,
            "recovery_quorum": 2.0,
            "failback_steps": 2,
            "failback_pause": 10,
        },
        "modes": {"default": "act"},
    } | changes


def fleet(**changes: Any) -> Fleet:
    return Fleet.model_validate(document(**changes))


def heard(
    says: type[RegionUnhealthy] | type[RegionRecovered] = RegionUnhealthy,
    evidence: str = "probe",
    *,
    id: str = "1",
    ago: float = 0.0,
    source: str = "//probes.example.com",
    region: str = EAST,
    alarm: str | None = None,
    **more: Any,
) -> Event[Any]:
    """One piece of evidence."""
    native = Native(kind="aws.cloudwatch.alarm", id="arn:example", name=alarm) if alarm else None
    data = says.model_validate(
        {"region": region, "evidence": evidence, "reason": "r", "native": native, **more}
    )
    return Event.of(data, id=id, source=source, time=NOW - timedelta(seconds=ago))


def register(
    fleet: Fleet,
    workload: str = "chat",
    *,
    weights: Mapping[str, float] | None = None,
    capacity: Mapping[str, int] | None = None,
    states: Mapping[str, str] | None = None,
    others: Mapping[str, int] | None = None,
) -> RegisterView:
    """A view of the register: as declared, unless said otherwise."""
    spec = fleet.workloads[workload]
    return RegisterView(
        workload=WorkloadState(
            weights=weights or spec.weights, capacity={**spec.replicas, **(capacity or {})}
        ),
        regions={
            region: RegionState.model_validate(
                {
                    "state": (states or {}).get(region, "serving"),
                    "reserved": {workload: spec.regions[region].replicas}
                    if region in spec.regions
                    else {},
                    "others": (others or {}).get(region, 0),
                }
            )
            for region in fleet.regions
        },
        versions={},
    )


def situation(
    fleet: Fleet,
    view: RegisterView | None = None,
    *,
    region: str = EAST,
    silent: tuple[str, ...] = (),
    ready: Mapping[str, int] | None = None,
    excluded: tuple[str, ...] = (),
    ceilings: Mapping[str, int] | None = None,
    allotted: Mapping[str, Allotted] | None = None,
    rest: Mapping[str, int] | None = None,
) -> Situation:
    """What a plan is made from: every endpoint answers with its declared replicas."""
    spec = fleet.workloads["chat"]
    return Situation(
        fleet=fleet,
        workload="chat",
        region=region,
        register=view or register(fleet),
        endpoints={
            name: EndpointState(
                region=name,
                reachable=name not in silent,
                ready=(ready or {}).get(name, spec.regions[name].replicas),
            )
            for name in spec.regions
        },
        excluded=frozenset(excluded),
        ceilings=ceilings,
        allotted=allotted or {},
        rest=rest or {},
    )
