"""The built-in failover on a world of local processes, driven by the command line alone."""

from __future__ import annotations

import json
from pathlib import Path

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
      aws/us-east-1: {weight: 0.5, replicas: 1, quota: 2}
      gcp/us-central1: {weight: 0.5, replicas: 1, quota: 2}
    shift: {steps: 2, pause: 0.1, window: 0.2}
modes: {default: act, kinds: {register.*: propose}}
"""


def test_a_region_is_left_when_a_person_approves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fleet.yaml").write_text(FLEET)
    project = Project(tmp_path)
    servers = [RegionServer(name, {"chat": 1}, quota=4) for name in (EAST, CENTRAL)]
    weights = {"chat": {EAST: 0.5, CENTRAL: 0.5}}
    with World(tmp_path / "a world", servers, weights=weights, max_seconds=60) as world:
        world.kill(EAST)
        report = json.dumps(UNHEALTHY)
        told = project.json(
            "publish", "region.unhealthy", "--data-json", report, "--world", "a world"
        )
        (chain,) = told["chains"]
        assert chain["waits"] == "approval of register.accept"
        assert in_force(world) == weights["chat"]
        shown = project.cw("approve", chain["chain"], "--world", "a world", code=2).stdout
        assert "failover of chat: leave aws/us-east-1" in shown
        answer = project.json(
            "approve", chain["chain"], "--yes", "--world", "a world", "--wait", "20s"
        )
        assert answer["stands"]["outcome"] == "completed"
        assert in_force(world) == {EAST: 0.0, CENTRAL: 1.0}
        state = project.json("fleet", "show")
        assert state["regions"][EAST]["state"] == "evacuated"
        assert state["workloads"]["chat"]["intended"]["weights"][CENTRAL] == 1.0
        assert "evacuated" in project.cw("fleet", "show").stdout
        project.cw("replay", chain["chain"])


def in_force(world: World) -> dict[str, float]:
    """The weights at the proxy."""
    target = client.path("admin", "weights", "chat")
    return dict(client.call(world.proxy_port, "GET", target)["weights"])
