"""One region's model server as a real process."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crosswind.world import client
from crosswind.world.control import read_control_log
from integration.world.waiting import until

REGION = "aws/us-east-1"


class Server:
    """A server started by hand, without a world around it."""

    def __init__(self, directory: Path, *more: str) -> None:
        self.log = directory / "control.jsonl"
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "crosswind.world.server", "--region", REGION),
                *("--workload", "chat=2", "--workload", "search=1", "--quota", "6"),
                *("--rate", "100", "--service-ms", "1", "--start-seconds", "0.3"),
                *("--max-seconds", "60", "--parent", str(os.getpid())),
                *("--log", str(self.log), *more),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.port: int = json.loads(self.process.stdout.readline())["port"]

    def stop(self) -> int:
        self.process.terminate()
        self.process.communicate(timeout=5)
        return self.process.returncode

    def infer(self, workload: str = "chat", **body: Any) -> dict[str, Any]:
        asked = {"workload": workload, "prompt": "hello", **body}
        return client.call(self.port, "POST", "/v1/infer", asked)

    def scale(self, replicas: int, key: str, epoch: int, workload: str = "chat") -> dict[str, Any]:
        order = {"workload": workload, "replicas": replicas, "key": key, "epoch": epoch}
        return client.call(self.port, "POST", "/admin/scale", order)

    def state(self, workload: str = "chat") -> dict[str, Any]:
        state: dict[str, Any] = client.call(self.port, "GET", "/status")["workloads"][workload]
        return state

    def fault(self, kind: str, **detail: Any) -> None:
        client.call(self.port, "POST", "/admin/fault", {"kind": kind, **detail})

    def raw(self, request: bytes) -> bytes:
        """What comes back for these bytes, until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("a server"))
    yield server
    assert server.stop() == 0


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    """The one server of this module, without the fault of an earlier test."""
    yield running
    running.fault("none")


Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers of one test, one after the other on the same log."""
    started: list[Server] = []

    def start_one(*more: str) -> Server:
        started.append(Server(tmp_path, *more))
        return started[-1]

    yield start_one
    for server in started:
        server.process.kill()
        server.process.communicate()


def test_it_answers_an_inference_and_says_who_it_is(server: Server) -> None:
    answer = server.infer(prompt="x" * 40)
    assert answer == {"region": REGION, "revision": "r1", "workload": "chat", "tokens": 18}


def test_it_keeps_a_connection_open_for_the_next_request(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=2)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("GET", "/healthz")
        assert json.loads(connection.getresponse().read()) == {"region": REGION, "ok": True}
    assert connection.sock is first
    connection.close()


def test_it_listens_on_the_loopback_address_only(server: Server) -> None:
    with pytest.raises(OSError, match=r"refused|unreachable|assign"):
        socket.create_connection(("127.0.0.2", server.port), timeout=1)


def test_beyond_capacity_it_answers_503_with_retry_after(start: Start) -> None:
    slow = start("--rate", "0.1")  # one request in 10 s
    assert slow.infer("search")["region"] == REGION
    body = b'{"workload":"search","prompt":""}'
    head = f"POST /v1/infer HTTP/1.1\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    answer = slow.raw(head.encode() + body).decode().lower()
    assert answer.startswith("http/1.1 503 ")
    assert re.search(r"\r\nretry-after: (9|10)\r\n", answer)


def test_a_workload_that_it_does_not_serve_is_not_found(server: Server) -> None:
    with pytest.raises(client.Refused, match="serves chat, search, not 'paint'") as refused:
        server.infer("paint")
    assert refused.value.status == 404


def test_every_fault_of_a_request_is_told_at_once(server: Server) -> None:
    order = {"workload": "", "replicas": -1, "key": "k", "color": "red"}
    with pytest.raises(client.Refused) as refused:
        client.call(server.port, "POST", "/admin/scale", order)
    assert refused.value.status == 422
    assert {fault["where"] for fault in refused.value.body["faults"]} == {
        "body.workload",
        "body.replicas",
        "body.epoch",
        "body.color",
    }


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /healthz HTTP/1.0\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST /v1/infer HTTP/1.1\r\ncontent-length: many\r\n\r\n", b"400"),
        (b"POST /v1/infer HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", b"411"),
        (b"POST /v1/infer HTTP/1.1\r\ncontent-length: 999999999\r\n\r\n", b"413"),
        (b"GET /healthz HTTP/1.1\r\nx-long: " + b"x" * 40_000 + b"\r\n\r\n", b"431"),
    ],
)
def test_a_request_that_it_cannot_read_is_refused_and_the_connection_closed(
    server: Server, request_: bytes, status: bytes
) -> None:
    assert server.raw(request_).startswith(b"HTTP/1.1 " + status)
    assert server.infer()["region"] == REGION


def test_replicas_are_granted_up_to_the_quota_and_start_slowly(server: Server) -> None:
    server.scale(2, "partial-0", epoch=1)
    until(lambda: server.state()["ready"] == 2)
    answer = server.scale(9, "partial-1", epoch=1)
    assert (answer["requested"], answer["granted"], answer["starting"]) == (9, 5, 3)
    assert answer["reason"] == "the quota is 6 replicas, 1 of them held by other workloads"
    state = server.state()
    assert (state["replicas"], state["ready"], state["starting"]) == (5, 2, 3)
    until(lambda: server.state()["ready"] == 5)
    assert server.state()["capacity"] == 500


def test_a_repeated_key_gets_the_first_answer_and_starts_nothing(server: Server) -> None:
    first = server.scale(3, "repeat-1", epoch=2)
    server.scale(4, "repeat-2", epoch=3)
    again = server.scale(3, "repeat-1", epoch=2)
    assert (first["effect"], again["effect"]) == ("applied", "repeated")
    same = ("requested", "granted", "starting", "reason")
    assert [again[name] for name in same] == [first[name] for name in same]
    assert server.state()["replicas"] == 4


def test_a_lower_epoch_is_refused_with_the_one_in_force(server: Server) -> None:
    server.scale(4, "epoch-1", epoch=9)
    with pytest.raises(client.Refused) as refused:
        server.scale(2, "epoch-2", epoch=8)
    assert refused.value.status == 409
    assert refused.value.body["epoch"] == 9
    assert server.state()["replicas"] == 4
    assert server.state("search")["epoch"] == 0


def test_a_key_used_for_another_order_is_refused(server: Server) -> None:
    server.scale(4, "two-orders", epoch=10)
    with pytest.raises(client.Refused, match="was used before for another order") as refused:
        server.scale(5, "two-orders", epoch=10)
    assert refused.value.status == 422


def test_every_control_call_is_a_line_of_its_log(server: Server) -> None:
    server.scale(4, "log-1", epoch=20)
    server.scale(4, "log-1", epoch=20)
    with pytest.raises(client.Refused):
        server.scale(4, "log-2", epoch=19)
    with pytest.raises(client.Refused):
        server.scale(4, "log-3", epoch=21, workload="paint")
    server.fault("slow", ms=1)
    lines = list(read_control_log(server.log))[-5:]
    assert [(line["call"], line["key"], line["epoch"], line["effect"]) for line in lines] == [
        ("scale", "log-1", 20, "applied"),
        ("scale", "log-1", 20, "repeated"),
        ("scale", "log-2", 19, "refused"),
        ("scale", "log-3", 21, "refused"),
        ("fault", None, None, "applied"),
    ]


def test_a_failing_region_says_so(server: Server) -> None:
    server.fault("errors", share=0.5)
    failed = 0
    for _ in range(10):
        try:
            server.infer()
        except client.Refused as refused:
            failed += refused.status == 500
    assert failed == 5
    with pytest.raises(client.Refused) as ill:
        client.call(server.port, "GET", "/healthz")
    assert ill.value.status == 503


def test_a_grey_region_looks_well_and_does_not_answer(server: Server) -> None:
    server.fault("grey", workload="chat")
    with pytest.raises(client.Unreachable) as silent:
        client.call(
            server.port, "POST", "/v1/infer", {"workload": "chat", "prompt": ""}, timeout=0.2
        )
    assert silent.value.sent
    assert client.call(server.port, "GET", "/healthz")["ok"] is True
    assert server.infer("search")["region"] == REGION


def test_a_slow_region_answers_late(server: Server) -> None:
    server.fault("slow", ms=150)
    with pytest.raises(client.Unreachable):
        client.call(
            server.port, "POST", "/v1/infer", {"workload": "chat", "prompt": ""}, timeout=0.1
        )
    assert server.infer()["region"] == REGION


def test_started_again_from_its_log_it_knows_its_orders(start: Start) -> None:
    before = start()
    before.scale(5, "k1", epoch=4)
    before.process.kill()
    before.process.communicate()

    after = start("--restore")
    state = after.state()
    assert (state["replicas"], state["ready"], state["epoch"]) == (5, 0, 4)
    assert after.scale(5, "k1", epoch=4)["effect"] == "repeated"
    with pytest.raises(client.Refused, match="epoch 4 is in force"):
        after.scale(1, "k2", epoch=3)
    until(lambda: after.state()["ready"] == 5)
    assert after.stop() == 0


def test_it_ends_by_itself_when_its_time_is_over(start: Start) -> None:
    server = start("--max-seconds", "0.2")
    _, stderr = server.process.communicate(timeout=5)
    assert server.process.returncode == 0
    assert b"0.2 seconds are over" in stderr


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_while_a_request_hangs(start: Start, told: signal.Signals) -> None:
    server = start()
    server.fault("grey")
    body = b'{"workload":"chat","prompt":""}'
    head = f"POST /v1/infer HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=2) as hanging:
        hanging.sendall(head + body)
        until(lambda: server.state()["load"] > 0)
        server.process.send_signal(told)
        _, stderr = server.process.communicate(timeout=5)
    assert server.process.returncode == 0
    assert stderr.decode().strip().endswith(told.name)
