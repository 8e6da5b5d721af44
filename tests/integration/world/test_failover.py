"""A region is killed under load, and traffic is shifted away from it: what callers see."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from crosswind.world import answers, client
from crosswind.world.control import read_control_log
from crosswind.world.processes import World
from integration.world.conftest import CENTRAL, EAST, EASTUS2, set_weights, status, turn_to
from integration.world.waiting import until


def failures(path: Path) -> int:
    return sum(not answer.good for answer in answers.read(path))


def test_callers_see_502_until_traffic_is_shifted_and_then_none(world: World) -> None:
    log = world.start_load("chat", rate=100)
    until(lambda: sum(1 for _ in answers.read(log)) >= 30)
    assert failures(log) == 0

    killed_at = time.time()
    world.kill(EAST)
    until(lambda: failures(log) >= 10)
    set_weights(world, {CENTRAL: 1.0}, key="shift-1", epoch=1)
    shifted_at = time.time()
    time.sleep(0.8)
    world.stop_load()

    seen = list(answers.read(log))
    failed = [answer for answer in seen if not answer.good]
    assert {(answer.status, answer.region) for answer in failed} == {(502, EAST)}
    assert killed_at - 0.1 < min(answer.at for answer in failed)
    assert max(answer.at for answer in failed) < shifted_at + 0.1
    assert {answer.region for answer in seen if answer.at > shifted_at + 0.1} == {CENTRAL}

    took = answers.recovery_time(seen, threshold=0.01, window=0.5)
    assert took is not None
    assert 0 < took < shifted_at - killed_at + 0.2


def test_a_region_started_again_serves_once_its_replicas_are_ready(world: World) -> None:
    turn_to(world, {EAST: 1.0})
    assert status(world) == 200
    world.kill(EAST)
    world.restart(EAST)
    port = world.addresses.servers[EAST].port

    def ready() -> bool:
        state = client.call(port, "GET", "/status")["workloads"]["chat"]
        return bool(state["ready"] == 4)

    assert not ready()
    until(ready)
    assert status(world) == 200, "a connection to the killed process was used again"


def test_a_grey_region_costs_the_callers_a_timeout(lasting_world: World) -> None:
    turn_to(lasting_world, {EAST: 1.0})
    lasting_world.fault(EAST, "grey")
    begun = time.monotonic()
    assert status(lasting_world) == 504
    assert 0.35 < time.monotonic() - begun < 2.0


def test_an_error_of_the_region_is_a_502_and_is_not_retried_elsewhere(
    lasting_world: World,
) -> None:
    turn_to(lasting_world, {EAST: 0.5, CENTRAL: 0.5})
    lasting_world.fault(EAST, "errors")
    statuses = [status(lasting_world) for _ in range(10)]
    assert sorted(statuses) == [200] * 5 + [502] * 5


def test_telemetry_counts_by_region(lasting_world: World) -> None:
    turn_to(lasting_world, {EAST: 0.5, CENTRAL: 0.5}, "search")
    lasting_world.fault(EAST, "errors")
    for _ in range(10):
        status(lasting_world, "search")
    lasting_world.fault(EAST, "none")
    for _ in range(10):
        status(lasting_world, "search")

    target = client.path("admin", "telemetry", "search", seconds=30)
    regions = client.call(lasting_world.proxy_port, "GET", target)["regions"]
    assert (regions[EAST]["requests"], regions[EAST]["errors"]) == (10, 5)
    assert (regions[CENTRAL]["requests"], regions[CENTRAL]["errors"]) == (10, 0)
    unseen = {"requests": 0, "errors": 0, "p50": None, "p95": None, "slow": None}
    assert regions[EASTUS2] == unseen
    assert 2 <= regions[CENTRAL]["p50"] <= regions[CENTRAL]["p95"] < 400


def test_the_proxy_tells_when_failures_began_and_ended(lasting_world: World) -> None:
    turn_to(lasting_world, {EAST: 1.0})
    lasting_world.fault(EAST, "errors")
    assert status(lasting_world) == 502
    since = time.time()
    assert [status(lasting_world) for _ in range(5)] == [502] * 5
    lasting_world.fault(EAST, "none")
    assert [status(lasting_world) for _ in range(3)] == [200] * 3

    target = client.path("admin", "disruption", "chat", since=since, window=0.001)
    found = client.call(lasting_world.proxy_port, "GET", target)
    assert since <= found["began"] < found["ended"] < time.time()
    assert found["failed"] == 5


def test_weights_are_compared_and_set_by_epoch_and_key(lasting_world: World) -> None:
    def order(key: str, epoch: int, weights: dict[str, float]) -> dict[str, Any]:
        return set_weights(lasting_world, weights, key=key, epoch=epoch, workload="paint")

    first = order("k5", 5, {EAST: 0.25, CENTRAL: 0.75})
    assert (first["effect"], first["epoch"]) == ("applied", 5)
    assert order("k6", 6, {CENTRAL: 1.0})["effect"] == "applied"

    again = order("k5", 5, {EAST: 0.25, CENTRAL: 0.75})
    assert again["effect"] == "repeated"
    assert again["weights"] == first["weights"]

    with pytest.raises(client.Refused) as refused:
        order("late", 5, {EAST: 1.0})
    assert refused.value.status == 409
    assert refused.value.body["epoch"] == 6
    assert refused.value.body["weights"] == {CENTRAL: 1.0}

    in_force = client.call(lasting_world.proxy_port, "GET", "/admin/weights/paint")
    assert in_force == {"workload": "paint", "weights": {CENTRAL: 1.0}, "epoch": 6}
    lines = list(read_control_log(lasting_world.control_log("proxy")))
    assert [(line["key"], line["effect"]) for line in lines[-4:]] == [
        ("k5", "applied"),
        ("k6", "applied"),
        ("k5", "repeated"),
        ("late", "refused"),
    ]


def test_weights_that_cannot_be_are_refused_with_every_fault(lasting_world: World) -> None:
    with pytest.raises(client.Refused) as refused:
        set_weights(lasting_world, {"aws/nowhere": 0.7}, key="k", epoch=1)
    assert refused.value.status == 422
    assert len(refused.value.body["faults"]) == 2
    *_, line = read_control_log(lasting_world.control_log("proxy"))
    assert (line["key"], line["effect"]) == ("k", "refused")


@pytest.mark.parametrize("what", ["weights", "telemetry", "disruption"])
def test_a_workload_without_weights_is_not_found(lasting_world: World, what: str) -> None:
    with pytest.raises(client.Refused, match="no weights are set for 'unheard'") as refused:
        client.call(lasting_world.proxy_port, "GET", client.path("admin", what, "unheard"))
    assert refused.value.status == 404
