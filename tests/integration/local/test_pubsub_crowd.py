"""Hundreds of clients of Pub/Sub at once, and clients that vanish with messages in hand."""

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import PubsubMessage, StreamingPullRequest

from crosswind_local import ManualClock, grpc_service
from crosswind_local.pubsub import PubSubEmulator
from integration.local.processes import resident, running, spent, until
from integration.local.relay import Relay
from local.pubsub.desk import Desk, texts

CLIENTS = 300

HOLDER = """
import sys, time
from google.cloud import pubsub_v1
subscriber = pubsub_v1.SubscriberClient()
def hold(message):
    print("held", flush=True)
    time.sleep(60)
subscriber.subscribe(sys.argv[1], hold)
time.sleep(60)
"""


def connected(address: str) -> grpc.Channel:
    """A connection of its own; else all channels of a process share one."""
    return grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])


@contextmanager
def ending(over: threading.Event) -> Iterator[None]:
    """Say in the end that it is over, so that those who wait for a server do not mind its end."""
    try:
        yield
    finally:
        over.set()


def streams(pubsub: PubSubEmulator, name: str) -> int:
    subscriptions = pubsub.report()["subscriptions"]
    assert isinstance(subscriptions, dict)
    return int(subscriptions[name]["streams"])


def test_hundreds_of_streams_at_once_receive_everything() -> None:
    topic, name = (
        "projects/crowd-project/topics/topic",
        "projects/crowd-project/subscriptions/crowd",
    )
    received: list[bytes] = []
    complete, over = threading.Event(), threading.Event()

    def consume(address: str, started: threading.Barrier) -> None:
        with connected(address) as channel:
            subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
            first = StreamingPullRequest(
                subscription=name, stream_ack_deadline_seconds=600, max_outstanding_messages=5
            )
            acknowledged: list[str] = []
            more = threading.Event()

            def requests() -> Iterator[StreamingPullRequest]:
                yield first
                while more.wait() and not over.is_set():
                    more.clear()
                    ids, acknowledged[:] = list(acknowledged), []
                    yield StreamingPullRequest(ack_ids=ids)

            stream = subscriber.streaming_pull(requests=requests())
            started.wait(60)
            try:
                for response in stream:
                    received.extend(one.message.data for one in response.received_messages)
                    acknowledged.extend(one.ack_id for one in response.received_messages)
                    more.set()
                    if len(received) >= 2 * CLIENTS:
                        complete.set()
            except GoogleAPICallError:
                assert over.is_set()  # the subscription was deleted
            finally:
                more.set()

    def open_streams(inspection: str) -> int:
        with urllib.request.urlopen(inspection, timeout=10) as response:
            return int(json.load(response)["subscriptions"][name]["streams"])

    # The emulator goes first, whatever has failed, and all streams end with it.
    with (
        ThreadPoolExecutor(CLIENTS) as pool,
        ending(over),
        running("pubsub") as (process, said),
    ):
        address = said["PUBSUB_EMULATOR_HOST"]
        with connected(address) as channel:
            publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
            subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
            publisher.create_topic(name=topic)
            subscriber.create_subscription(
                request={"name": name, "topic": topic, "ack_deadline_seconds": 600}
            )
            before = resident(process.pid)
            started = threading.Barrier(CLIENTS + 1)
            clients = [pool.submit(consume, address, started) for _ in range(CLIENTS)]
            started.wait(60)
            until(lambda: open_streams(said["inspection"]) == CLIENTS, 60)
            began = spent(process.pid)
            time.sleep(2)
            assert spent(process.pid) - began <= 0.2
            for start in range(0, 2 * CLIENTS, 100):
                publisher.publish(
                    topic=topic,
                    messages=[
                        PubsubMessage(data=str(n).encode()) for n in range(start, start + 100)
                    ],
                )
            assert complete.wait(60), f"received {len(received)} of {2 * CLIENTS}"
            assert sorted(received, key=int) == [str(n).encode() for n in range(2 * CLIENTS)]
            # A stream has two threads and a connection.
            assert resident(process.pid) - before < CLIENTS * 0.5
            over.set()
            subscriber.delete_subscription(subscription=name)
            for client in clients:
                client.result(timeout=60)


def test_what_a_killed_client_held_is_delivered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    with PubSubEmulator(clock=clock) as pubsub:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
        with Desk("killed-project") as desk:
            topic = desk.topic()
            name = desk.subscription(topic, ack_deadline_seconds=30)
            sent = desk.publish(topic, *(str(number) for number in range(20)))
            assert len(sent) == 20
            with subprocess.Popen(
                [sys.executable, "-c", HOLDER, name], stdout=subprocess.PIPE
            ) as process:
                assert process.stdout is not None
                assert process.stdout.readline() == b"held\n"
                process.kill()
            until(lambda: streams(pubsub, name) == 0)
            found = texts(desk.pull(name))
            # The SDK asks for a minute at first, and extends it while it holds.
            clock.advance(600)
            found += texts(desk.pull(name))
            assert sorted(set(found), key=int) == [str(number) for number in range(20)]


def test_a_client_that_falls_silent_is_given_up_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grpc_service, "SILENCE_SECONDS", 1)
    monkeypatch.setattr(grpc_service, "ANSWER_SECONDS", 1)
    clock = ManualClock()
    with PubSubEmulator(clock=clock) as pubsub, Relay(pubsub.address) as relay:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
        with Desk("silent-project") as desk:
            topic = desk.topic()
            name = desk.subscription(topic)
            desk.publish(topic, "a")
            monkeypatch.setenv("PUBSUB_EMULATOR_HOST", relay.address)
            with subprocess.Popen(
                [sys.executable, "-c", HOLDER, name], stdout=subprocess.PIPE
            ) as process:
                assert process.stdout is not None
                assert process.stdout.readline() == b"held\n"
                try:
                    assert streams(pubsub, name) == 1
                    relay.fall_silent()
                    # Its socket stays open; only that it does not answer tells that it is gone.
                    until(lambda: streams(pubsub, name) == 0)
                    assert process.poll() is None
                finally:
                    process.kill()
            clock.advance(600)
            assert texts(desk.pull(name)) == ["a"]
