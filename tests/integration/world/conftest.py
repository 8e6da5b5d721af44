"""Worlds of real processes, in directories whose path has a space."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crosswind.world import client
from crosswind.world.processes import RegionServer, World

EAST, CENTRAL, EASTUS2 = "aws/us-east-1", "gcp/us-central1", "azure/eastus2"
REGIONS = (EAST, CENTRAL, EASTUS2)


def servers(*regions: str) -> list[RegionServer]:
    """Regions that are quick to answer and to start replicas."""
    workloads = {"chat": 4, "search": 1}
    return [
        RegionServer(name, workloads, quota=8, rate=200.0, service_ms=2.0, start_seconds=0.3)
        for name in regions
    ]


def set_weights(
    world: World, weights: dict[str, float], *, key: str, epoch: int, workload: str = "chat"
) -> dict[str, Any]:
    """Order weights at the proxy."""
    order = {"workload": workload, "weights": weights, "key": key, "epoch": epoch}
    return client.call(world.proxy_port, "PUT", "/admin/weights", order)


def turn_to(world: World, weights: dict[str, float], workload: str = "chat") -> None:
    """Order weights as the next epoch, whatever was ordered before."""
    target = client.path("admin", "weights", workload)
    epoch = client.call(world.proxy_port, "GET", target)["epoch"] + 1
    set_weights(world, weights, key=f"turn/{workload}/{epoch}", epoch=epoch, workload=workload)


def status(world: World, workload: str = "chat") -> int:
    """The status of one request through the proxy."""
    asked = {"workload": workload, "prompt": "hello"}
    try:
        client.call(world.proxy_port, "POST", "/v1/infer", asked)
    except client.Refused as refused:
        return refused.status
    return 200


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world of two regions for one test, which may break it."""
    two = servers(EAST, CENTRAL)
    with World(tmp_path / "a world", two, timeout=0.4, max_seconds=60) as world:
        yield world


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("shared") / "a world"
    with World(directory, servers(*REGIONS), timeout=0.4, max_seconds=3_600) as world:
        yield world


@pytest.fixture
def lasting_world(shared: World) -> Iterator[World]:
    """A world of three regions that later tests use too: no process of it may be ended."""
    yield shared
    shared.stop_load()
    for region in REGIONS:
        shared.fault(region, "none")
    for workload in ("chat", "search"):
        turn_to(shared, dict.fromkeys(REGIONS, 1 / 3), workload)
