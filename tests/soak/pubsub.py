"""Pub/Sub at half of its goals: 10,000 messages a second are published and pulled by a stream."""

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
from google.pubsub_v1 import types

from integration.local.processes import running
from soak.course import Course

BODY = b"x" * 492
"""With the eight bytes of its number a message has 500."""
RATE = 10_000
BATCH = 500
OUTSTANDING = 50_000
"""Messages that may be published and not yet received."""

TOPIC, SUBSCRIPTION = "projects/soak-project/topics/soak", "projects/soak-project/subscriptions/s-1"


def soak(seconds: float) -> list[str]:
    """Publish and pull for so long; returns what was not good enough."""
    with (
        running("pubsub") as (process, said),
        grpc.insecure_channel(said["PUBSUB_EMULATOR_HOST"]) as channel,
    ):
        return Traffic(channel, Course(process.pid, seconds)).run()


class Traffic:
    """A publisher and a subscriber that do as little as they can, so that the emulator is tried."""

    def __init__(self, channel: grpc.Channel, course: Course) -> None:
        self._channel = channel
        self._course = course
        self._seen = bytearray()
        """Of each message, by its number, whether it has come."""
        self._through = 0
        self._sent = 0
        self._twice = 0
        self._complete = threading.Event()

    def run(self) -> list[str]:
        """Make what is needed, then let messages through until the course is over."""
        self._ask("Publisher/CreateTopic", types.Topic.pb()(name=TOPIC))
        self._ask(
            "Subscriber/CreateSubscription",
            types.Subscription.pb()(name=SUBSCRIPTION, topic=TOPIC, ack_deadline_seconds=60),
        )
        consumer = threading.Thread(target=self._consume)
        consumer.start()
        try:
            while not self._course.over:
                self._publish()
                self._course.look(self._through)
                self._pause()
            deadline = time.monotonic() + 60
            while self._through < self._sent and time.monotonic() < deadline:
                time.sleep(0.05)
        finally:
            self._complete.set()
            consumer.join(timeout=10)
        print(f"{self._sent} sent, {self._through} received, {self._twice} of them twice")
        return self._course.faults(self._sent - self._through)

    def _publish(self) -> None:
        request = types.PublishRequest.pb()(topic=TOPIC)
        for number in range(self._sent, self._sent + BATCH):
            request.messages.add(data=number.to_bytes(8, "big") + BODY)
        self._seen.extend(bytes(BATCH))
        self._sent += BATCH
        self._ask("Publisher/Publish", request)

    def _pause(self) -> None:
        """Keep to the pace, and wait for a subscriber that is far behind."""
        due = self._course.began + self._sent / RATE
        time.sleep(max(0.0, due - time.monotonic()))
        while self._sent - self._through > OUTSTANDING and not self._course.over:
            self._course.look(self._through)
            time.sleep(0.01)

    def _consume(self) -> None:
        requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        request, response = types.StreamingPullRequest.pb(), types.StreamingPullResponse.pb()
        requests.put(request(subscription=SUBSCRIPTION, stream_ack_deadline_seconds=60))

        def asked() -> Iterator[Any]:
            while not self._complete.is_set():
                try:
                    yield requests.get(timeout=0.5)
                except queue.Empty:
                    continue

        stream = self._channel.stream_stream(
            "/google.pubsub.v1.Subscriber/StreamingPull",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )(asked())
        for answer in stream:
            ids = []
            for received in answer.received_messages:
                ids.append(received.ack_id)
                number = int.from_bytes(received.message.data[:8], "big")
                if self._seen[number]:
                    self._twice += 1
                else:
                    self._seen[number] = 1
                    self._through += 1
            if ids:
                requests.put(request(ack_ids=ids))

    def _ask(self, method: str, request: Any) -> bytes:
        call: grpc.UnaryUnaryMultiCallable[Any, bytes] = self._channel.unary_unary(
            f"/google.pubsub.v1.{method}", request_serializer=lambda one: one.SerializeToString()
        )
        return call(request, timeout=30)
