"""Evidence from real processes: what is measured of them leads to the words that it should."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from crosswind.chains.failover import traffic
from crosswind.chains.failover.vantages import failed
from crosswind.fleet.declaration import Fleet
from crosswind.operations.telemetry import Probed, ProbeEndpoint, Telemetry
from crosswind.world.performers import TelemetryPerformer
from crosswind.world.processes import World
from integration.world.conftest import CENTRAL, EAST, status, turn_to

FLEET: Final = Fleet.model_validate(
    {
        "name": "local",
        "regions": {EAST: {"jurisdiction": "US"}, CENTRAL: {"jurisdiction": "US"}},
        "workloads": {
            "chat": {
                "rate": 100,
                "per_replica": 50,
                "slo": {"availability": 0.99, "latency_ms": 60},
                "regions": {
                    EAST: {"weight": 0.5, "replicas": 4, "quota": 8},
                    CENTRAL: {"weight": 0.5, "replicas": 4, "quota": 8},
                },
            }
        },
        "failover": {"burn": [{"long": "1m", "short": "10s", "factor": 10}]},
    }
)


def read(world: World) -> Telemetry:
    query = traffic.question("chat", FLEET, 30)
    return TelemetryPerformer(world.directory).answer(query, timeout=2)


def found(world: World, region: str) -> Any:
    return traffic.failing(read(world), region, "chat", FLEET, datetime.now(UTC))


def probe(world: World, region: str) -> Probed:
    query = ProbeEndpoint(workload="chat", region=region, count=3)
    return TelemetryPerformer(world.directory).answer(query, timeout=2)


def ask(world: World, times: int) -> None:
    turn_to(world, {EAST: 0.5, CENTRAL: 0.5})
    for _ in range(times):
        status(world)


def test_a_region_that_fails_is_told_from_one_that_does_not(world: World) -> None:
    world.fault(EAST, "errors")
    ask(world, 50)
    said = found(world, EAST)
    assert said.measured["error_rate"] == 1.0
    assert said.measured["burn.60.10"] == 100.0, "all fail, and 1 % may"
    assert (said.measured["others"], said.measured["others_failed"]) == (1.0, 0.0)
    assert found(world, CENTRAL) is None
    assert failed(probe(world, EAST), FLEET, "chat")
    assert not failed(probe(world, CENTRAL), FLEET, "chat")


def test_a_grey_region_that_answers_all_too_late_is_found_by_traffic_and_by_probes(
    world: World,
) -> None:
    world.fault(EAST, "slow", ms=90)
    ask(world, 50)
    said = found(world, EAST)
    assert said.measured["error_rate"] == 0.0
    assert said.measured["slow_share"] == 1.0
    assert said.measured["burn.60.10"] == 20.0, "all are late, and 5 % may be"
    assert "took longer than 60 ms" in said.reason
    assert found(world, CENTRAL) is None
    seen = probe(world, EAST)
    assert seen.failed == 0
    assert failed(seen, FLEET, "chat")


def test_what_fails_in_every_region_alike_is_said_to(world: World) -> None:
    world.fault(EAST, "errors")
    world.fault(CENTRAL, "errors")
    ask(world, 50)
    for region in (EAST, CENTRAL):
        measured = found(world, region).measured
        assert (measured["others"], measured["others_failed"]) == (1.0, 1.0)


def test_without_traffic_nothing_is_said(world: World) -> None:
    world.fault(EAST, "errors")
    ask(world, 4)
    assert found(world, EAST) is None
    assert traffic.well(read(world), CENTRAL, "chat", FLEET, datetime.now(UTC)) is None
