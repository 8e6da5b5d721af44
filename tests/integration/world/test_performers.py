"""Performers on a world of real processes: what an action leads to, also when it is repeated."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crosswind.actions import Call, Pending, Performer
from crosswind.operations.endpoints import (
    EndpointState,
    EndpointStatus,
    Scaled,
    ScaleEndpoint,
)
from crosswind.operations.telemetry import MeasureOutage, ProbeEndpoint, ReadTelemetry
from crosswind.operations.traffic import CurrentWeights, SetWeights, WeightsSet
from crosswind.world import client
from crosswind.world.addresses import Addresses, NoWorld
from crosswind.world.control import read_control_log
from crosswind.world.performers import (
    EndpointPerformer,
    NotInWorld,
    TelemetryPerformer,
    TrafficPerformer,
    performers,
)
from crosswind.world.processes import World
from integration.world.conftest import CENTRAL, EAST, EASTUS2, REGIONS, status, turn_to
from integration.world.waiting import until


def call(key: str, *, checking: bool = False) -> Call:
    return Call(key=key, timeout=2.0, checking=checking)


def settled(performer: EndpointPerformer, action: ScaleEndpoint, key: str) -> Scaled:
    """The result of an action, asked for again with the same key until it is there."""
    end = time.monotonic() + 5
    while isinstance(result := performer.perform(action, call(key, checking=True)), Pending):
        assert time.monotonic() < end
        time.sleep(0.05)
    return result


def test_they_are_performers(tmp_path: Path) -> None:
    every: list[Performer] = list(performers(tmp_path))
    kinds = [kind.kind for one in every for kind in (*one.performs, *one.answers)]
    assert sorted(kinds) == [
        "endpoint.scale",
        "endpoint.status",
        "telemetry.outage",
        "telemetry.probe",
        "telemetry.traffic",
        "traffic.set-weights",
        "traffic.weights",
    ]


def test_where_no_world_runs_they_say_so(tmp_path: Path) -> None:
    with pytest.raises(NoWorld, match=r"start one there first"):
        TrafficPerformer(tmp_path).answer(CurrentWeights(workload="chat"), timeout=1)


def test_weights_are_set_once_per_key(lasting_world: World) -> None:
    performer = TrafficPerformer(lasting_world.directory)
    weights = {EAST: 0.5, CENTRAL: 0.5}
    action = SetWeights(workload="drawn", weights=weights, epoch=3)
    first = performer.perform(action, call("run-1/0"))
    assert first == WeightsSet(applied=True, epoch=3, weights=weights)
    assert performer.perform(action, call("run-1/0")) == first
    assert performer.answer(CurrentWeights(workload="drawn"), timeout=1) == first

    lines = list(read_control_log(lasting_world.control_log("proxy")))[-2:]
    assert [(line["key"], line["effect"]) for line in lines] == [
        ("run-1/0", "applied"),
        ("run-1/0", "repeated"),
    ]


def test_weights_of_an_older_epoch_are_not_set_and_the_newer_ones_returned(
    lasting_world: World,
) -> None:
    performer = TrafficPerformer(lasting_world.directory)
    newer = SetWeights(workload="raced", weights={EAST: 1.0}, epoch=8)
    older = SetWeights(workload="raced", weights={CENTRAL: 1.0}, epoch=7)
    performer.perform(newer, call("newer"))
    result = performer.perform(older, call("older"))
    assert (result.applied, result.epoch, result.weights) == (False, 8, {EAST: 1.0})
    assert result.reason == "epoch 8 is in force, 7 is older"


def test_weights_that_cannot_be_are_refused(lasting_world: World) -> None:
    performer = TrafficPerformer(lasting_world.directory)
    action = SetWeights(workload="drawn", weights={"aws/nowhere": 1.0}, epoch=9)
    with pytest.raises(client.Refused, match="aws/nowhere is not a region of this proxy"):
        performer.perform(action, call("impossible"))


def search(world: World) -> dict[str, Any]:
    """The state of the workload `search` in the east, where it has one replica at first."""
    port = world.addresses.servers[EAST].port
    state: dict[str, Any] = client.call(port, "GET", "/status")["workloads"]["search"]
    return state


@pytest.fixture
def epoch(lasting_world: World) -> Iterator[int]:
    """An epoch above those in force for `search`, which has its one replica again afterwards."""
    yield search(lasting_world)["epoch"] + 2
    again = search(lasting_world)["epoch"] + 1
    order = {"workload": "search", "replicas": 1, "key": f"again/{again}", "epoch": again}
    port = lasting_world.addresses.servers[EAST].port
    client.call(port, "POST", "/admin/scale", order)
    until(lambda: search(lasting_world)["ready"] == 1)


def scale(replicas: int, epoch: int) -> ScaleEndpoint:
    return ScaleEndpoint(workload="search", region=EAST, replicas=replicas, epoch=epoch)


def test_scaling_is_pending_until_the_replicas_serve(lasting_world: World, epoch: int) -> None:
    performer = EndpointPerformer(lasting_world.directory, check_after=0.25)
    action, key = scale(3, epoch), f"up/{epoch}"
    first = performer.perform(action, call(key))
    assert first == Pending(0.25, f"1 of 3 replicas serve in {EAST}")
    assert settled(performer, action, key) == Scaled(requested=3, granted=3, ready=3)

    lines = read_control_log(lasting_world.control_log(EAST))
    effects = [line["effect"] for line in lines if line["key"] == key]
    assert effects[0] == "applied"
    assert set(effects[1:]) == {"repeated"}


def test_a_partial_grant_says_why(lasting_world: World, epoch: int) -> None:
    performer = EndpointPerformer(lasting_world.directory)
    assert settled(performer, scale(40, epoch), f"much/{epoch}") == Scaled(
        requested=40,
        granted=4,
        ready=4,
        reason="the quota is 8 replicas, 4 of them held by other workloads",
    )


def test_scaling_down_is_done_at_once(lasting_world: World, epoch: int) -> None:
    performer = EndpointPerformer(lasting_world.directory)
    result = performer.perform(scale(0, epoch), call(f"down/{epoch}"))
    assert result == Scaled(requested=0, granted=0, ready=0)


def test_a_scale_order_survives_the_death_of_its_region(world: World) -> None:
    performer = EndpointPerformer(world.directory)
    action = scale(3, epoch=1)
    assert isinstance(performer.perform(action, call("scale")), Pending)
    world.kill(EAST)
    with pytest.raises(client.Unreachable, match="nothing was sent"):
        performer.perform(action, call("scale", checking=True))

    query = EndpointStatus(workload="search", regions=(EAST, CENTRAL))
    states = performer.answer(query, timeout=1).states
    assert states[EAST] == EndpointState(region=EAST, reachable=False)
    assert states[CENTRAL] == EndpointState(region=CENTRAL, reachable=True, ready=1, quota=8)

    world.restart(EAST)
    assert settled(performer, action, "scale") == Scaled(requested=3, granted=3, ready=3)
    effects = [line["effect"] for line in read_control_log(world.control_log(EAST))]
    assert effects.count("applied") == 1


def test_a_scale_order_of_an_older_epoch_changes_nothing(lasting_world: World, epoch: int) -> None:
    performer = EndpointPerformer(lasting_world.directory)
    performer.perform(scale(1, epoch), call(f"newer/{epoch}"))
    result = performer.perform(scale(4, epoch - 1), call(f"older/{epoch}"))
    reason = f"epoch {epoch} is in force, {epoch - 1} is older"
    assert result == Scaled(requested=4, granted=1, ready=1, reason=reason)


def test_a_scale_order_that_a_newer_one_replaced_does_not_wait_for_ever(
    lasting_world: World, epoch: int
) -> None:
    performer = EndpointPerformer(lasting_world.directory)
    older, key = scale(4, epoch), f"replaced/{epoch}"
    assert isinstance(performer.perform(older, call(key)), Pending)
    performer.perform(scale(1, epoch + 1), call(f"replacing/{epoch}"))
    reason = f"granted, then epoch {epoch + 1} took its place"
    result = performer.perform(older, call(key, checking=True))
    assert result == Scaled(requested=4, granted=1, ready=1, reason=reason)


def test_a_workload_that_a_region_does_not_serve_has_no_replicas_there(
    lasting_world: World,
) -> None:
    query = EndpointStatus(workload="paint", regions=REGIONS)
    states = EndpointPerformer(lasting_world.directory).answer(query, timeout=1).states
    assert [(state.reachable, state.ready) for state in states.values()] == [(True, 0)] * 3


def test_a_region_of_another_world_is_an_error(lasting_world: World) -> None:
    query = EndpointStatus(workload="chat", regions=("aws/eu-west-1",))
    with pytest.raises(NotInWorld, match="aws/eu-west-1 is not a region of this world"):
        EndpointPerformer(lasting_world.directory).answer(query, timeout=1)


def test_a_probe_asks_the_region_past_the_proxy(lasting_world: World) -> None:
    turn_to(lasting_world, {CENTRAL: 1.0})
    performer = TelemetryPerformer(lasting_world.directory)
    well = performer.answer(ProbeEndpoint(workload="chat", region=EAST, count=4), timeout=2)
    assert (well.sent, well.failed, well.healthy, well.error) == (4, 0, True, "")
    assert well.latency is not None
    assert well.fastest is not None
    assert 2 <= well.fastest <= well.latency < 500


def test_a_probe_sees_through_a_grey_region(lasting_world: World) -> None:
    lasting_world.fault(EASTUS2, "grey")
    performer = TelemetryPerformer(lasting_world.directory, probe_timeout=0.1)
    grey = performer.answer(ProbeEndpoint(workload="chat", region=EASTUS2, count=2), timeout=2)
    assert (grey.sent, grey.failed, grey.healthy, grey.latency) == (2, 2, False, None)
    assert "timed out" in grey.error


def test_probes_end_when_their_time_is_over(lasting_world: World) -> None:
    lasting_world.fault(EASTUS2, "grey")
    performer = TelemetryPerformer(lasting_world.directory, probe_timeout=0.2)
    begun = time.monotonic()
    grey = performer.answer(ProbeEndpoint(workload="chat", region=EASTUS2, count=20), timeout=0.3)
    assert time.monotonic() - begun < 1
    assert 1 <= grey.sent == grey.failed < 20


def test_telemetry_and_outage_tell_what_callers_saw(lasting_world: World) -> None:
    performer = TelemetryPerformer(lasting_world.directory, steady=0.001)
    turn_to(lasting_world, {EAST: 1.0})
    since = time.time()
    quiet = performer.answer(MeasureOutage(workload="chat", since=since), timeout=1)
    assert (quiet.began, quiet.failed, quiet.counted) == (None, 0, 0)

    lasting_world.fault(EAST, "errors")
    assert [status(lasting_world) for _ in range(4)] == [502] * 4
    begun = performer.answer(MeasureOutage(workload="chat", since=since), timeout=1)
    assert (begun.failed, begun.counted, begun.ended, begun.seconds) == (4, 4, None, None)

    lasting_world.fault(EAST, "none")

    def ended() -> bool:
        assert status(lasting_world) == 200
        over = performer.answer(MeasureOutage(workload="chat", since=since), timeout=1)
        return over.seconds is not None and over.failed == 4

    until(ended)
    seen = performer.answer(ReadTelemetry(workload="chat", seconds=600), timeout=1)
    assert seen.seconds == 600
    assert seen.regions[EAST].errors >= 4
    assert 0 < seen.error_rate < 1


def test_telemetry_tells_several_windows_and_slow_answers_at_once(world: World) -> None:
    turn_to(world, {EAST: 1.0}, "search")
    world.fault(EAST, "slow", ms=120)
    assert status(world, "search") == 200
    world.fault(EAST, "none")
    time.sleep(0.3)
    assert status(world, "search") == 200
    query = ReadTelemetry(workload="search", seconds=600, slower_than=100, windows=(600.0, 0.25))
    seen = TelemetryPerformer(world.directory).answer(query, timeout=1)
    assert seen.regions[EAST].slow == 1
    assert [window.seconds for window in seen.windows] == [600.0, 0.25]
    long, short = (window.regions[EAST] for window in seen.windows)
    assert (long.requests, long.slow) == (2, 1)
    assert (short.requests, short.slow) == (1, 0)
    assert seen.windows[0].regions[CENTRAL].slow == 0


def test_what_is_not_asked_of_telemetry_is_not_told(lasting_world: World) -> None:
    turn_to(lasting_world, {EAST: 1.0})
    seen = TelemetryPerformer(lasting_world.directory).answer(
        ReadTelemetry(workload="chat", seconds=10), timeout=1
    )
    assert seen.windows == ()
    assert seen.regions[EAST].slow is None


def test_telemetry_that_does_not_answer_says_nothing_instead_of_failing(world: World) -> None:
    os.kill(Addresses.read(world.directory).proxy.pid, signal.SIGKILL)
    seen = TelemetryPerformer(world.directory).answer(ReadTelemetry(workload="chat"), timeout=1)
    assert (seen.regions, seen.windows) == ({}, ())


def test_the_telemetry_performer_changes_nothing(tmp_path: Path) -> None:
    action = SetWeights(workload="chat", weights={EAST: 1.0}, epoch=1)
    with pytest.raises(TypeError, match=r"performs no action, so not traffic.set-weights"):
        TelemetryPerformer(tmp_path).perform(action, call("never"))
