"""How fast the local Pub/Sub is, through the official SDK and to a client that does nothing else.

    PYTHONPATH=tests python -m bench.pubsub

Emulator and client are processes of their own and share the cores of this machine. Of each kind
of work it prints messages a second and the processor time that each side spends on one message:
the rate depends on who else is at work, the processor time hardly does.
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import google.cloud.pubsub_v1 as pubsub_v1
import grpc
from google.pubsub_v1 import types

BODY = b"x" * 500
BATCH = 500
"""Messages of one publish request of the bare client."""

COUNT = 40_000
WAITING = (1_000, 20_000, 200_000)
"""Backlogs under which the cost of a message is measured."""

AMONG = 20_000
"""Messages that pass by while so many wait."""


class Server:
    """The emulator in a process of its own, which tells its processor time when asked."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.address = str(json.loads(self._line())["PUBSUB_EMULATOR_HOST"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()

    def processor(self) -> float:
        """Seconds of processor time so far."""
        assert self._process.stdin is not None
        self._process.stdin.write("processor\n")
        self._process.stdin.flush()
        return float(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


class Bare:
    """A client that sends and reads gRPC messages and does nothing with them."""

    def __init__(self, address: str) -> None:
        options = [("grpc.max_receive_message_length", -1)]
        self._channel = grpc.insecure_channel(address, options=options)
        request: Any = types.PublishRequest.pb()
        self._batch = request(topic=TOPIC)
        for _ in range(BATCH):
            self._batch.messages.add(data=BODY)
        self._body = self._batch.SerializeToString()
        self._publish: Any = self._channel.unary_unary(f"{PACKAGE}.Publisher/Publish")
        self._pull: Any = self._channel.stream_stream(f"{PACKAGE}.Subscriber/StreamingPull")

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def publish(self, count: int) -> None:
        """Publish so many messages, four requests under way at a time."""
        under_way: list[Any] = []
        for _ in range(count // BATCH):
            if len(under_way) >= 4:
                under_way.pop(0).result()
            under_way.append(self._publish.future(self._body))
        for call in under_way:
            call.result()

    def receive(self, count: int) -> None:
        """Take so many messages from a stream, and acknowledge each response as it comes."""
        requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        request: Any = types.StreamingPullRequest.pb()
        response: Any = types.StreamingPullResponse.pb()
        first = request(
            subscription=SUBSCRIPTION,
            stream_ack_deadline_seconds=60,
            max_outstanding_messages=20_000,
        )
        requests.put(first.SerializeToString())
        call = self._pull(iter(requests.get, None))
        for body in call:
            received = response.FromString(body).received_messages
            count -= len(received)
            acks = request(ack_ids=[one.ack_id for one in received])
            requests.put(acks.SerializeToString())
            if count <= 0:
                break
        requests.put(None)  # half-closed: the acknowledgements arrive before the stream ends
        for _ in call:
            pass


class Sdk:
    """The official SDK, as a program uses it."""

    def __init__(self) -> None:
        settings = pubsub_v1.types.BatchSettings(max_messages=1_000, max_bytes=1_000_000)
        self._publisher = pubsub_v1.PublisherClient(batch_settings=settings)
        self._subscriber = pubsub_v1.SubscriberClient()
        self._publisher.create_topic(name=TOPIC)
        self._subscriber.create_subscription(
            request={"name": SUBSCRIPTION, "topic": TOPIC, "ack_deadline_seconds": 600}
        )

    def close(self) -> None:
        """Close the connections."""
        self._publisher.stop()
        self._publisher.transport.close()
        self._subscriber.close()

    def purge(self) -> None:
        """Drop what waits."""
        self._subscriber.seek(
            request={"subscription": SUBSCRIPTION, "time": pubsub_v1.types.Timestamp(seconds=2**33)}
        )

    def publish(self, count: int) -> None:
        """Publish so many messages and wait for their ids."""
        for future in [self._publisher.publish(TOPIC, BODY) for _ in range(count)]:
            future.result()

    def receive(self, count: int) -> None:
        """Take so many messages in a callback that acknowledges each."""
        done = threading.Event()
        left = [count]

        def take(message: Any) -> None:
            message.ack()
            left[0] -= 1
            if left[0] <= 0:
                done.set()

        flow = pubsub_v1.types.FlowControl(max_messages=20_000)
        stream = self._subscriber.subscribe(SUBSCRIPTION, take, flow_control=flow)
        done.wait()
        stream.cancel()
        stream.result()


@contextmanager
def measured(server: Server, what: str, count: int) -> Iterator[None]:
    """Print what a piece of work on so many messages took."""
    theirs, ours, began = server.processor(), time.process_time(), time.perf_counter()
    yield
    wall = time.perf_counter() - began
    ours, theirs = time.process_time() - ours, server.processor() - theirs
    print(
        f"{what:42} {count / wall:9,.0f} /s"
        f"   emulator {theirs / count * 1e6:6.1f} us   client {ours / count * 1e6:6.1f} us",
        flush=True,
    )


def measure(server: Server) -> None:
    """Print each measurement."""
    sdk, bare = Sdk(), Bare(server.address)
    ways: list[tuple[str, Callable[[int], None]]] = [
        ("published through the SDK", sdk.publish),
        ("received in a callback of the SDK", sdk.receive),
        ("published by a bare client", bare.publish),
        ("received by a bare client", bare.receive),
    ]
    for what, work in ways:
        with measured(server, what, COUNT):
            work(COUNT)
    for waiting in WAITING:
        sdk.purge()
        bare.publish(waiting)
        for _ in range(2):
            with measured(server, f"published and received, {waiting:,} waiting", AMONG):
                for _ in range(AMONG // 1_000):
                    bare.publish(1_000)
                    bare.receive(1_000)
    bare.close()
    sdk.close()


PACKAGE = "/google.pubsub.v1"
TOPIC = "projects/bench/topics/things"
SUBSCRIPTION = "projects/bench/subscriptions/things"

SERVER = """
import json, sys, time
from crosswind_local.memory import collect_rarely
from crosswind_local.pubsub import PubSubEmulator
collect_rarely()
with PubSubEmulator() as emulator:
    print(json.dumps(emulator.env), flush=True)
    for line in sys.stdin:
        print(time.process_time(), flush=True)
"""


def main() -> None:
    """Start the emulator, measure, and stop it."""
    with Server() as server:
        os.environ["PUBSUB_EMULATOR_HOST"] = server.address
        measure(server)


if __name__ == "__main__":
    main()
