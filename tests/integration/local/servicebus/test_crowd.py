"""Hundreds of clients of Service Bus at once, and clients that vanish with messages in hand."""

import json
import subprocess
import sys
import time
import urllib.request

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from proton import Message, SSLUnavailable
from proton.utils import BlockingConnection

from crosswind_local import ManualClock
from crosswind_local.servicebus import QueueSettings, ServiceBusEmulator
from crosswind_local.servicebus.wire import connection
from integration.local.processes import ENTITIES, resident, running, spent, until
from integration.local.relay import Relay

CLIENTS = 300

HOLDER = """
import sys, time
from azure.servicebus import ServiceBusClient
client = ServiceBusClient.from_connection_string(sys.argv[1])
receiver = client.get_queue_receiver("queue", prefetch_count=10)
receiver.receive_messages(1)
print("held", flush=True)
try:
    receiver.receive_messages(9, max_wait_time=60)
finally:
    time.sleep(60)
"""


def counts(emulator: ServiceBusEmulator) -> dict[str, int]:
    queues = emulator.report()["queues"]
    assert isinstance(queues, dict)
    return dict(queues["queue"])


def drained(text: str) -> dict[str, int]:
    """Everything that is in the queue, by its body, with how often it was delivered before."""
    found: dict[str, int] = {}
    with (
        ServiceBusClient.from_connection_string(text) as client,
        client.get_queue_receiver("queue", prefetch_count=10) as receiver,
    ):
        while received := receiver.receive_messages(10, max_wait_time=1):
            for message in received:
                found[str(message)] = message.delivery_count or 0
                receiver.complete_message(message)
    return found


def without_tls() -> None:
    raise SSLUnavailable("not needed")


def test_hundreds_of_clients_at_once_send_and_receive_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Plain AMQP clients, for three hundred of the SDK would take a minute to connect; and so would
    # these if each of them read the certificates of the machine, which nobody asks for here.
    monkeypatch.setattr("proton._reactor.SSLConfig", without_tls)
    with running("servicebus", "--config", str(ENTITIES)) as (process, said):
        address = said["SERVICEBUS_CONNECTION_STR"].split("//")[1].split(";")[0]
        before = resident(process.pid)
        clients = [
            BlockingConnection(address, timeout=30, allowed_mechs="ANONYMOUS")
            for _ in range(CLIENTS)
        ]
        for number, client in enumerate(clients):
            client.create_sender("plain", name="sender").send(Message(body=str(number)))
        received = []
        for client in clients:
            receiver = client.create_receiver("plain", credit=1, name="receiver")
            received.append(str(receiver.receive(30).body))
            receiver.accept()
        assert sorted(received, key=int) == [str(number) for number in range(CLIENTS)]
        # All of them are still there, and cost next to nothing: 200 KiB each at most.
        began = spent(process.pid)
        time.sleep(2)
        assert spent(process.pid) - began <= 0.2
        assert resident(process.pid) - before < CLIENTS * 0.2
        with urllib.request.urlopen(said["inspection"], timeout=10) as response:
            assert json.load(response)["connections"] == CLIENTS
        for client in clients:
            client.close()


def test_what_a_killed_client_held_is_delivered_again() -> None:
    # Ahead of real time, or else the SDK takes locks for lost.
    clock = ManualClock(time.time() + 3600)
    with ServiceBusEmulator(clock=clock) as emulator:
        emulator.add_queue("queue", QueueSettings(lock_duration=30))
        text = emulator.connection_string
        with (
            ServiceBusClient.from_connection_string(text) as client,
            client.get_queue_sender("queue") as sender,
        ):
            sender.send_messages([ServiceBusMessage(str(number)) for number in range(20)])
        with subprocess.Popen(
            [sys.executable, "-c", HOLDER, text], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            process.kill()
        until(lambda: emulator.report()["connections"] == 0)
        held = counts(emulator)["locked"]
        assert held > 0
        clock.advance(29)
        assert counts(emulator)["locked"] == held
        clock.advance(1)
        assert (counts(emulator)["active"], counts(emulator)["locked"]) == (20, 0)
        found = drained(text)
        assert sorted(found, key=int) == [str(number) for number in range(20)]
        assert sorted(found.values()) == [0] * (20 - held) + [1] * held


def test_a_client_that_falls_silent_is_given_up_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "IDLE_SECONDS", 2)
    clock = ManualClock(time.time() + 3600)
    with ServiceBusEmulator(clock=clock) as emulator, Relay(emulator.address) as relay:
        emulator.add_queue("queue", QueueSettings(lock_duration=30))
        text = emulator.connection_string
        through = text.replace(emulator.address, relay.address)
        with (
            ServiceBusClient.from_connection_string(text) as client,
            client.get_queue_sender("queue") as sender,
        ):
            sender.send_messages([ServiceBusMessage(str(number)) for number in range(3)])
        with subprocess.Popen(
            [sys.executable, "-c", HOLDER, through], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            try:
                assert process.stdout.readline() == b"held\n"
                relay.fall_silent()
                # Its socket stays open; only that it says nothing tells that it is gone.
                until(lambda: emulator.report()["connections"] == 0)
                assert process.poll() is None
            finally:
                process.kill()
        clock.advance(30)
        assert drained(text).keys() == {"0", "1", "2"}
