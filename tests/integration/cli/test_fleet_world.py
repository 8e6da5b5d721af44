"""Declaration, register and real processes: applied, tampered with, brought back, left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crosswind.world import client
from crosswind.world.processes import RegionServer, World
from integration.cli.project import UNHEALTHY, Project

EAST, CENTRAL = "aws/us-east-1", "gcp/us-central1"
FLEET = """
name: small
regions:
  aws/us-east-1: {jurisdiction: US, failing_domains: [grid:pjm]}
  gcp/us-central1: {jurisdiction: US, failing_domains: [grid:miso]}
workloads:
  chat:
    rate: 10
    per_replica: 10
    regions:
      aws/us-east-1: {weight: 0.5, replicas: 1, quota: 3}
      gcp/us-central1: {weight: 0.5, replicas: 1, quota: 3}
    shift: {steps: 2, pause: 0.1, window: 0.2}
modes: {default: act}
"""
MORE = "gcp/us-central1: {weight: 0.8, replicas: 2, quota: 3}"


def test_the_world_follows_the_register_and_the_register_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fleet.yaml").write_text(FLEET)
    project = Project(tmp_path)
    servers = [RegionServer(name, {"chat": 1}, quota=4) for name in (EAST, CENTRAL)]
    weights = {"chat": {EAST: 0.5, CENTRAL: 0.5}}
    with World(tmp_path / "world", servers, weights=weights, max_seconds=60) as world:
        apply = ("fleet", "apply", "--yes", "--world", "world", "--wait", "20s")
        assert project.json(*apply)["applied"] is True
        text = FLEET.replace("gcp/us-central1: {weight: 0.5, replicas: 1, quota: 3}", MORE)
        Path("fleet.yaml").write_text(text.replace("weight: 0.5", "weight: 0.2"))
        assert kinds(project, code=1) == {"change": 2}
        assert project.json(*apply)["applied"] is True
        assert in_force(world)["weights"] == {EAST: 0.2, CENTRAL: 0.8}
        assert kinds(project) == {}

        # Somebody changes the shares at the proxy, by hand and under the same epoch.
        epoch = in_force(world)["epoch"]
        order = {"workload": "chat", "weights": {EAST: 1.0}, "epoch": epoch, "key": "by hand"}
        client.call(world.proxy_port, "PUT", "/admin/weights", order)
        assert kinds(project, code=1) == {"drift": 2}
        seen = {
            "workload": "chat",
            "epoch": epoch,
            "actual_epoch": epoch,
            "intended": {EAST: 0.2, CENTRAL: 0.8},
            "because": "seen by hand",
        }
        told = publish(project, "drift.detected", seen)
        assert told["outcome"] == "reconciled"
        assert in_force(world) == {"weights": {EAST: 0.2, CENTRAL: 0.8}, "epoch": epoch}
        assert kinds(project) == {}

        # A region fails: what is intended moves, and the file is not applied against that.
        world.kill(EAST)
        assert publish(project, "region.unhealthy", UNHEALTHY)["outcome"] == "completed"
        assert set(kinds(project, code=1)) == {"failover"}
        assert project.json(*apply)["applied"] is False
        assert in_force(world)["weights"][CENTRAL] == 1.0


def kinds(project: Project, code: int = 0) -> Any:
    return project.json("fleet", "diff", "--world", "world", code=code)["kinds"]


def publish(project: Project, kind: str, data: Any) -> Any:
    """Publish an event and have it worked; how its chain stands."""
    more = ("--world", "world", "--wait", "20s")
    return project.json("publish", kind, "--data-json", json.dumps(data), *more)["chains"][0]


def in_force(world: World) -> Any:
    """The weights and the epoch at the proxy."""
    found = client.call(world.proxy_port, "GET", client.path("admin", "weights", "chat"))
    return {"weights": found["weights"], "epoch": found["epoch"]}
