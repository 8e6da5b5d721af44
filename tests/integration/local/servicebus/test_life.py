"""How the emulator begins, ends and endures: processes, connections, junk, time and memory."""

import gc
import json
import logging
import random
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus.exceptions import (
    MessageNotFoundError,
    MessageSizeExceededError,
    ServiceBusQuotaExceededError,
)

from crosswind_local import StartFailed
from crosswind_local.servicebus import ServiceBusEmulator, Space
from crosswind_local.servicebus.amqp.encoding import encode, list_of, section
from crosswind_local.servicebus.amqp.values import Symbol
from integration.local.processes import ENTITIES, command, running, spent, until


def frame(kind: int, performative: int, *fields: bytes) -> bytes:
    """A frame as a client writes it: of SASL (kind 1) or AMQP (kind 0)."""
    body = section(performative, list_of(fields))
    return struct.pack("!IBBH", len(body) + 8, 2, kind, 0) + body


BEGINNING = (
    b"AMQP\x03\x01\x00\x00"
    + frame(1, 0x41, encode(Symbol("ANONYMOUS")))
    + b"AMQP\x00\x01\x00\x00"
    + frame(0, 0x10, encode("client"))
)
"""How a client begins."""


def receivers(emulator: ServiceBusEmulator, queue: str) -> int:
    queues = emulator.report()["queues"]
    assert isinstance(queues, dict)
    return int(queues[queue]["receivers"])


def test_the_command_says_where_it_listens_and_ends_when_asked() -> None:
    with running("servicebus", "--config", str(ENTITIES)) as (process, said):
        with urllib.request.urlopen(said["inspection"], timeout=2) as response:
            state = json.load(response)
        assert set(state["queues"]) == {"plain", "sessions", "duplicates"}
        assert state["topics"]["topic"]["subscriptions"]["sql"]["rules"] == ["sql"]
        with (
            ServiceBusClient.from_connection_string(said["SERVICEBUS_CONNECTION_STR"]) as client,
            client.get_queue_sender("plain") as sender,
        ):
            sender.send_messages(ServiceBusMessage("1"))
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) == 0
        assert time.monotonic() - asked < 2


def test_the_command_tells_what_is_wrong_with_a_configuration(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"UserConfig": {"Namespaces": [{"Queues": [{}]}]}}')
    done = subprocess.run(
        command("servicebus", "--config", str(file)),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert "UserConfig.Namespaces[0].Queues[0].Name: a name is expected" in done.stderr


def test_a_taken_port_is_told() -> None:
    with ServiceBusEmulator() as first:
        port = int(first.address.rsplit(":", 1)[1])
        with pytest.raises(StartFailed, match="is it taken"):
            ServiceBusEmulator(port=port).start()


# The SDK does not close the socket of a connection that the other side has ended.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_it_starts_fast_and_stops_at_once_with_receivers_waiting() -> None:
    began = time.monotonic()
    emulator = ServiceBusEmulator().start()
    assert time.monotonic() - began < 0.5
    emulator.add_queue("queue")
    with (
        ServiceBusClient.from_connection_string(
            emulator.connection_string, retry_total=0
        ) as client,
        ThreadPoolExecutor(1) as pool,
        client.get_queue_receiver("queue") as receiver,
    ):
        waiting = pool.submit(receiver.receive_messages, 1, max_wait_time=30)
        until(lambda: receivers(emulator, "queue") == 1)
        stopping = time.monotonic()
        emulator.stop()
        assert time.monotonic() - stopping < 1
        assert waiting.exception(timeout=10) is not None
    emulator.stop()
    with pytest.raises(RuntimeError, match="started once"):
        emulator.start()
    del client, receiver, waiting
    gc.collect()


def test_every_call_is_counted_kept_and_logged(
    servicebus_space: Space,
    local_servicebus: ServiceBusEmulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    queue = servicebus_space.queue()
    with (
        caplog.at_level(logging.DEBUG, "crosswind_local.calls"),
        ServiceBusClient.from_connection_string(servicebus_space.connection_string) as client,
        client.get_queue_sender(queue) as sender,
    ):
        sender.send_messages(ServiceBusMessage("1"))
    assert f"Send {queue} -> OK" in caplog.text
    with urllib.request.urlopen(f"{local_servicebus.inspection_url}calls", timeout=2) as response:
        last = json.load(response)
    assert {"method": "Send", "outcome": "OK"}.items() <= last[-1].items()


def test_idle_receivers_cost_no_cpu() -> None:
    with running("servicebus", "--config", str(ENTITIES)) as (process, said):
        text = said["SERVICEBUS_CONNECTION_STR"]
        with ServiceBusClient.from_connection_string(text) as client, ThreadPoolExecutor(8) as pool:
            opened = list(
                pool.map(lambda _: client.get_queue_receiver("plain").__enter__(), range(8))
            )
            before = spent(process.pid)
            time.sleep(1)
            assert spent(process.pid) - before <= 0.02
            list(pool.map(lambda receiver: receiver.close(), opened))


def test_a_client_that_is_killed_leaves_nothing_behind() -> None:
    consumer = (
        "import sys\n"
        "from azure.servicebus import ServiceBusClient\n"
        "client = ServiceBusClient.from_connection_string(sys.argv[1])\n"
        "receiver = client.get_queue_receiver('queue', prefetch_count=5)\n"
        "receiver.receive_messages(1)\n"
        "print('held', flush=True)\n"
        "receiver.receive_messages(9, max_wait_time=60)\n"
    )
    with ServiceBusEmulator() as emulator:
        emulator.add_queue("queue")
        with (
            ServiceBusClient.from_connection_string(emulator.connection_string) as client,
            client.get_queue_sender("queue") as sender,
        ):
            sender.send_messages([ServiceBusMessage(str(number)) for number in range(3)])
            with subprocess.Popen(
                [sys.executable, "-c", consumer, emulator.connection_string],
                stdout=subprocess.PIPE,
            ) as process:
                assert process.stdout is not None
                assert process.stdout.readline() == b"held\n"
                assert receivers(emulator, "queue") == 1
                process.kill()
            until(lambda: receivers(emulator, "queue") == 0)
            until(lambda: emulator.report()["connections"] == 1)
    # What it had received stays locked until its locks end, as nobody can say that it was not done.


def test_what_the_engine_owns_is_freed_at_once_and_by_the_server_itself() -> None:
    # The engine counts its objects without a lock, so none may be left to the garbage collector,
    # which runs in whatever thread it happens to.
    engine = import_module("cproton")
    gc.collect()
    before = engine.retained_count()
    gc.disable()
    try:
        with ServiceBusEmulator(config=ENTITIES) as emulator:
            with (
                ServiceBusClient.from_connection_string(
                    emulator.connection_string, retry_total=0
                ) as client,
                client.get_queue_sender("plain") as sender,
                client.get_queue_receiver("plain", prefetch_count=5) as receiver,
            ):
                sender.send_messages([ServiceBusMessage(str(number)) for number in range(9)])
                with pytest.raises(MessageSizeExceededError):
                    sender.send_messages(ServiceBusMessage(b"x" * 300_000))
                message, *_ = receiver.receive_messages(5, max_wait_time=5)
                receiver.complete_message(message)
                with pytest.raises(MessageNotFoundError):
                    receiver.receive_deferred_messages([99])
            until(lambda: emulator.report()["connections"] == 0)
            assert engine.retained_count() == before
    finally:
        gc.enable()


def test_hundreds_of_connections_at_once_are_served(local_servicebus: ServiceBusEmulator) -> None:
    host, port = local_servicebus.address.split(":")
    sockets = [socket.create_connection((host, int(port)), timeout=10) for _ in range(300)]
    try:
        for each in sockets:
            each.sendall(BEGINNING)
        for each in sockets:
            answer = b""
            while b"crosswind-local" not in answer:
                read = each.recv(4096)
                assert read
                answer += read
    finally:
        for each in sockets:
            each.close()
    until(lambda: local_servicebus.report()["connections"] == 0)


def test_junk_and_silence_harm_nobody_else(
    local_servicebus: ServiceBusEmulator, servicebus_space: Space
) -> None:
    host, port = local_servicebus.address.split(":")
    queue = servicebus_space.queue()
    chance = random.Random(7)
    silent = socket.create_connection((host, int(port)), timeout=10)
    for _ in range(150):
        junk = bytearray(BEGINNING + chance.randbytes(60))
        for _ in range(chance.randrange(1, 12)):
            junk[chance.randrange(len(junk))] = chance.randrange(256)
        with socket.create_connection((host, int(port)), timeout=10) as stranger:
            stranger.sendall(junk)
            stranger.shutdown(socket.SHUT_WR)
            try:
                while stranger.recv(4096):
                    pass
            except ConnectionError:
                continue  # Cut off, which is an answer as well.
    with (
        ServiceBusClient.from_connection_string(servicebus_space.connection_string) as client,
        client.get_queue_sender(queue) as sender,
    ):
        sender.send_messages(ServiceBusMessage("1"))
    silent.close()


def test_memory_is_bounded_and_the_bound_is_told() -> None:
    with ServiceBusEmulator(memory_limit=200_000) as emulator:
        emulator.add_queue("queue")
        with (
            ServiceBusClient.from_connection_string(
                emulator.connection_string, retry_total=0
            ) as client,
            client.get_queue_sender("queue") as sender,
        ):
            sender.send_messages(ServiceBusMessage(b"x" * 150_000))
            with pytest.raises(ServiceBusQuotaExceededError, match="larger memory limit"):
                sender.send_messages(ServiceBusMessage(b"x" * 150_000))


def test_a_reader_that_does_not_read_is_not_sent_all_there_is(
    local_servicebus: ServiceBusEmulator, servicebus_space: Space
) -> None:
    queue = servicebus_space.queue()
    with (
        ServiceBusClient.from_connection_string(servicebus_space.connection_string) as client,
        client.get_queue_sender(queue) as sender,
    ):
        for _ in range(40):
            sender.send_messages(ServiceBusMessage(b"x" * 200_000))
        # It grants credit for all of it and then reads nothing but what comes first.
        receiver = client.get_queue_receiver(queue, prefetch_count=100)
        with receiver:
            receiver.receive_messages(1)
            queues = local_servicebus.report()["queues"]
            assert isinstance(queues, dict)
            assert queues[queue]["active"] > 0
            received = 1
            while received < 40:
                received += len(receiver.receive_messages(40, max_wait_time=5))


def test_without_its_engine_the_command_says_what_to_install() -> None:
    program = (
        "import sys\n"
        "sys.modules['proton'] = None\n"
        "from crosswind_local.cli import main\n"
        "main(['servicebus'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the local Service Bus needs proton: pip install")
    assert "Traceback" not in done.stderr
