"""Starting and stopping a world: what is told, what fails clearly, and that nothing is left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crosswind.world import answers, client
from crosswind.world.addresses import Addresses, NoWorld
from crosswind.world.processes import RegionServer, World, WorldFailed
from integration.world.conftest import CENTRAL, EAST, EASTUS2, servers
from integration.world.waiting import until


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent to notice does not."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat").read_text()
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self/stat").exists()  # a system without /proc
    return stat.rpartition(")")[2].split()[0] != "Z"


def pids(addresses: Addresses) -> list[int]:
    servers = [server.pid for server in addresses.servers.values()]
    return [*servers, addresses.proxy.pid, *(load.pid for load in addresses.loads)]


def test_other_processes_find_the_world_by_its_address_file(lasting_world: World) -> None:
    world = lasting_world
    log = world.start_load("chat", rate=10)
    addresses = Addresses.read(world.directory)
    assert addresses == world.addresses
    assert addresses.workloads == ("chat", "search")
    assert set(addresses.servers) == {EAST, CENTRAL, EASTUS2}
    assert [(load.workload, load.answers) for load in addresses.loads] == [("chat", log)]
    assert all(alive(pid) for pid in pids(addresses))
    for region, server in addresses.servers.items():
        assert client.call(server.port, "GET", "/status")["region"] == region


def test_after_a_restart_the_address_file_has_the_new_process(world: World) -> None:
    before = Addresses.read(world.directory).servers[EAST]
    world.restart(EAST)
    after = Addresses.read(world.directory).servers[EAST]
    assert after.port == before.port
    assert after.pid != before.pid
    assert not alive(before.pid)


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with World(tmp_path / "a world", servers(EAST, CENTRAL), max_seconds=60) as world:
        world.start_load("chat", rate=20)
        started = pids(world.addresses)
        world.kill(CENTRAL)
    assert not any(alive(pid) for pid in started)
    with pytest.raises(NoWorld, match=r"no world runs in .*a world"):
        Addresses.read(world.directory)


def test_nothing_is_left_behind_when_the_body_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), World(tmp_path, [RegionServer(EAST)]) as world:  # noqa: PT012
        started = pids(world.addresses)
        raise ZeroDivisionError
    assert not any(alive(pid) for pid in started)


ORPHANS = """
import sys, time
from pathlib import Path
from crosswind.world.processes import RegionServer, World

world = World(Path(sys.argv[1]), [RegionServer("aws/us-east-1"), RegionServer("gcp/us-central1")])
with world:
    world.start_load("chat", rate=20)
    print(world.addresses.model_dump_json(), flush=True)
    time.sleep(60)
"""


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs a world with callers and prints its addresses."""
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHANS, str(tmp_path / "a world")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    yield parent
    parent.kill()
    parent.communicate()


def printed(parent: subprocess.Popen[bytes]) -> Addresses:
    assert parent.stdout is not None
    return Addresses.model_validate_json(parent.stdout.readline())


def test_a_killed_parent_leaves_no_child(parent: subprocess.Popen[bytes]) -> None:
    children = pids(printed(parent))
    assert len(children) == 4
    assert all(alive(pid) for pid in children)
    parent.kill()
    parent.wait()
    until(lambda: not any(alive(pid) for pid in children))


def test_an_interrupted_parent_stops_its_children_in_order(
    parent: subprocess.Popen[bytes],
) -> None:
    addresses = printed(parent)
    parent.send_signal(signal.SIGINT)
    parent.wait(timeout=10)
    assert not any(alive(pid) for pid in pids(addresses))
    recorded = list(answers.read(addresses.loads[0].answers))
    assert all(answer.good for answer in recorded)


def test_a_process_that_does_not_start_is_named_with_what_it_said(tmp_path: Path) -> None:
    impossible = RegionServer(EASTUS2, {"chat": 9}, quota=3)
    with (
        pytest.raises(WorldFailed, match=r"(?s)azure/eastus2 ended with 2:.*quota of 3"),
        World(tmp_path / "a world", [RegionServer(EAST), impossible]),
    ):
        pytest.fail("this world must not start")


def test_a_process_that_is_not_ready_in_time_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(WorldFailed, match=r"aws/us-east-1 was not ready within 0.001 s"),
        World(tmp_path, [RegionServer(EAST)], ready_seconds=0.001),
    ):
        pytest.fail("this world must not start")


def test_a_directory_with_logs_of_an_earlier_world_is_refused(tmp_path: Path) -> None:
    with World(tmp_path, [RegionServer(EAST)]):
        pass
    with (
        pytest.raises(WorldFailed, match="logs of an earlier world"),
        World(tmp_path, [RegionServer(EAST)]),
    ):
        pytest.fail("this world must not start")


def test_a_port_taken_meanwhile_is_a_clear_failure(world: World) -> None:
    world.kill(EAST)
    port = world.addresses.servers[EAST].port
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(WorldFailed, match=r"(?s)aws/us-east-1 ended with 1:.*in use"),
    ):
        world.restart(EAST)
    world.restart(EAST)
    assert client.call(port, "GET", "/healthz")["ok"] is True


def test_the_first_weights_may_be_given(tmp_path: Path) -> None:
    weights = {"chat": {EAST: 0.9, CENTRAL: 0.1}}
    with World(tmp_path, [RegionServer(EAST), RegionServer(CENTRAL)], weights=weights) as world:
        in_force = client.call(world.proxy_port, "GET", "/admin/weights/chat")
    assert in_force["weights"] == weights["chat"]


@pytest.mark.parametrize("regions", [[], [RegionServer(EAST), RegionServer(EAST)]])
def test_a_world_needs_regions_each_named_once(tmp_path: Path, regions: list[RegionServer]) -> None:
    with pytest.raises(ValueError, match="each named once"):
        World(tmp_path, regions)


def test_a_region_that_is_not_there_cannot_be_killed(lasting_world: World) -> None:
    with pytest.raises(ValueError, match="'aws/eu-west-1' is not one of"):
        lasting_world.kill("aws/eu-west-1")
