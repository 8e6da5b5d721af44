"""What a client cannot do to the emulator: crowd it, ignore it, or make it fall silent."""

import socket
import time
import uuid
from collections.abc import Iterator

import pytest
from proton import ConnectionException, Message
from proton.utils import BlockingConnection, LinkDetached

from crosswind_local.servicebus import ServiceBusEmulator, limits
from crosswind_local.servicebus.amqp.encoding import encode
from crosswind_local.servicebus.amqp.values import UInt
from crosswind_local.servicebus.wire import connection, requests
from integration.local.processes import until
from integration.local.servicebus.test_life import BEGINNING, frame

HEARTBEAT = bytes.fromhex("0000000802000000")


@pytest.fixture
def emulator() -> Iterator[ServiceBusEmulator]:
    with ServiceBusEmulator() as emulator:
        emulator.add_queue("queue")
        yield emulator


def connected(emulator: ServiceBusEmulator) -> BlockingConnection:
    return BlockingConnection(emulator.address, timeout=10, allowed_mechs="ANONYMOUS")


def active(emulator: ServiceBusEmulator) -> int:
    queues = emulator.report()["queues"]
    assert isinstance(queues, dict)
    return int(queues["queue"]["active"])


def test_a_client_that_does_not_read_is_not_sent_all_there_is(
    emulator: ServiceBusEmulator,
) -> None:
    client = connected(emulator)
    sender = client.create_sender("queue", name="sender")
    for _ in range(60):
        sender.send(Message(body=b"x" * 200_000))
    receiver = client.create_receiver("queue", credit=60, name="receiver")
    until(lambda: active(emulator) < 60)
    time.sleep(0.3)
    assert active(emulator) > 0
    for _ in range(60):
        assert receiver.receive(10).body == b"x" * 200_000
        receiver.accept()
    client.close()


def test_one_client_too_many_is_told(
    emulator: ServiceBusEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS", 1)
    client = connected(emulator)
    with pytest.raises(ConnectionException, match="ConnectionsQuotaExceeded"):
        connected(emulator).create_sender("queue")
    client.close()


def test_one_link_too_many_is_told(
    emulator: ServiceBusEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LINKS", 1)
    client = connected(emulator)
    client.create_sender("queue", name="one")
    with pytest.raises(LinkDetached, match="1 links at most"):
        client.create_sender("queue", name="two")
    client.close()


def test_a_client_that_reads_no_responses_is_cut_off(
    emulator: ServiceBusEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "UNREAD_RESPONSES", 3)
    client = connected(emulator)
    client.create_receiver("queue/$management", credit=0, name="responses")
    sender = client.create_sender("queue/$management", name="requests")
    asked = Message(
        id=uuid.uuid4(),
        body={"from-sequence-number": 1, "message-count": 1},
        properties={"operation": "com.microsoft:peek-message"},
    )
    for _ in range(3):
        sender.send(asked)
    with pytest.raises(ConnectionException, match="responses are not read"):
        sender.send(asked)


def test_a_fault_of_ours_is_told_and_harms_nobody_else(
    emulator: ServiceBusEmulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*given: object) -> None:
        raise RuntimeError("a fault")

    other = connected(emulator)
    sender = other.create_sender("queue", name="sender")
    with monkeypatch.context() as patch:
        patch.setattr(connection, "attach", broken)
        with pytest.raises(ConnectionException, match="amqp:internal-error"):
            connected(emulator).create_sender("queue")
    assert "a fault" in caplog.text
    sender.send(Message(body="1"))
    other.close()


def test_a_client_is_sent_heartbeats_and_given_up_when_it_sends_none(
    emulator: ServiceBusEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "IDLE_SECONDS", 1)
    host, port = emulator.address.split(":")
    null = encode(None)
    opening = frame(0, 0x10, encode("client"), null, null, null, encode(UInt(400)))
    with socket.create_connection((host, int(port)), timeout=5) as client:
        client.sendall(BEGINNING.rpartition(frame(0, 0x10, encode("client")))[0] + opening)
        received = b""
        began = time.monotonic()
        while read := client.recv(4096):
            received += read
        assert HEARTBEAT in received
        assert b"amqp:resource-limit-exceeded" in received
        assert time.monotonic() - began < 4
    until(lambda: emulator.report()["connections"] == 0)
