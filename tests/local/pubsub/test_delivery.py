"""Messages through the official SDK: pull, streaming pull, deadlines, order, dead letters, seek."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import google.cloud.pubsub_v1 as pubsub_v1  # ships no types, unlike its neighbours
import grpc
import pytest
from google.api_core import exceptions
from google.cloud.pubsub_v1.subscriber.message import (
    Message,
)
from google.protobuf import duration_pb2
from google.pubsub_v1 import (
    PublisherAsyncClient,
    PubsubMessage,
    StreamingPullRequest,
    SubscriberAsyncClient,
)
from google.pubsub_v1.services.publisher.transports import (
    PublisherGrpcAsyncIOTransport as PublisherAsyncTransport,
)
from google.pubsub_v1.services.subscriber.transports import (
    SubscriberGrpcAsyncIOTransport as SubscriberAsyncTransport,
)

from local.elsewhere import Time
from local.pubsub.desk import Desk, texts


class Inbox:
    """What a streaming pull has received, in order; `settle` decides what becomes of each."""

    def __init__(self, desk: Desk, subscription: str, wanted: int) -> None:
        self.received: list[Message] = []
        self.complete = threading.Event()
        self._desk, self._subscription, self._wanted = desk, subscription, wanted

    def settle(self, message: Message) -> None:
        message.ack()

    def run(self) -> list[str]:
        def receive(message: Message) -> None:
            self.received.append(message)
            self.settle(message)
            if len(self.received) >= self._wanted:
                self.complete.set()

        future = self._desk.subscriber.subscribe(self._subscription, receive)
        assert self.complete.wait(20), f"received {len(self.received)} of {self._wanted}"
        future.cancel()
        future.result(timeout=10)
        return [message.data.decode() for message in self.received]


def test_a_message_arrives_as_it_was_sent(desk: Desk) -> None:
    topic = desk.topic()
    name = desk.subscription(topic)
    before = datetime.now(UTC)
    (message_id,) = desk.publish(topic, "hello", attributes={"a": "1", "ü": "2"})
    (received,) = desk.pull(name)
    assert received.message.data == b"hello"
    assert received.message.attributes == {"a": "1", "ü": "2"}
    assert received.message.message_id == message_id
    assert abs((received.message.publish_time - before).total_seconds()) < 5
    assert received.delivery_attempt == 0
    desk.ack(name, [received])
    assert desk.pull(name) == []


def test_each_subscription_gets_what_its_filter_lets_pass(desk: Desk) -> None:
    topic = desk.topic()
    every = desk.subscription(topic, "every")
    some = desk.subscription(topic, "some", filter='hasPrefix(attributes.kind, "a")')
    desk.publish(topic, "1", attributes={"kind": "ab"})
    desk.publish(topic, "2")
    assert sorted(texts(desk.pull(every))) == ["1", "2"]
    assert texts(desk.pull(some)) == ["1"]


def test_a_waiting_pull_is_answered_by_the_next_message(desk: Desk) -> None:
    topic = desk.topic()
    name = desk.subscription(topic)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(desk.subscriber.pull, subscription=name, max_messages=5)
        desk.publish(topic, "late")
        assert texts(waiting.result(timeout=10).received_messages) == ["late"]


def test_streaming_pull_delivers_all_and_acknowledges_all(desk: Desk) -> None:
    topic = desk.topic()
    name = desk.subscription(topic)
    sent = [str(number) for number in range(500)]
    desk.publish(topic, *sent)
    assert sorted(set(Inbox(desk, name, 500).run()), key=int) == sent
    assert desk.pull(name) == []


def test_after_a_refusal_a_key_is_delivered_in_order_from_there(desk: Desk) -> None:
    topic = desk.topic()
    name = desk.subscription(topic, enable_message_ordering=True)
    for number in range(30):
        desk.publish(topic, str(number), key=f"key-{number % 3}")
    refused = threading.Event()
    replayed = threading.Event()
    kept: dict[str, list[int]] = {}

    def settle(message: Message) -> None:
        if message.data == b"9" and not refused.is_set():
            refused.set()
            message.nack()
            return
        order = kept.setdefault(message.ordering_key, [])
        order.append(int(message.data))
        message.ack()
        if 9 in order and order[-1] == 27:
            replayed.set()

    future = desk.subscriber.subscribe(name, settle)
    assert replayed.wait(20)
    future.cancel()
    future.result(timeout=10)
    # The SDK may still hand out what it had buffered behind the refused message; the service
    # then delivers all of it again, in order, beginning with the refused one.
    assert kept["key-0"][:3] == [0, 3, 6]
    assert kept["key-0"][kept["key-0"].index(9) :] == [9, 12, 15, 18, 21, 24, 27]
    assert kept["key-1"] == list(range(1, 30, 3))
    assert kept["key-2"] == list(range(2, 30, 3))


def test_flow_control_bounds_what_a_stream_holds(desk: Desk) -> None:
    topic = desk.topic()
    name = desk.subscription(topic)
    desk.publish(topic, *(str(number) for number in range(50)))
    held: list[Message] = []
    full = threading.Event()

    def hold(message: Message) -> None:
        held.append(message)
        if len(held) >= 5:
            full.set()

    limit = pubsub_v1.types.FlowControl(max_messages=5)
    future = desk.subscriber.subscribe(name, hold, flow_control=limit)
    assert full.wait(10)
    # All others are free for another subscriber.
    assert len(desk.pull(name)) == 45
    assert len(held) == 5
    future.cancel()
    future.result(timeout=10)


def test_deadlines_expire_and_extensions_hold(timed: Desk, clock: Time) -> None:
    topic = timed.topic()
    name = timed.subscription(topic, ack_deadline_seconds=20)
    timed.publish(topic, "a", "b")
    first, second = timed.pull(name)
    timed.subscriber.modify_ack_deadline(
        subscription=name, ack_ids=[second.ack_id], ack_deadline_seconds=70
    )
    # A little more than the deadline, for elsewhere the answers take time.
    clock.advance(22)
    assert texts(timed.pull(name)) == [first.message.data.decode()]
    clock.advance(22)
    again = timed.pull(name)
    assert texts(again) == [first.message.data.decode()]
    timed.ack(name, again)
    clock.advance(30)
    assert texts(timed.pull(name)) == [second.message.data.decode()]


@pytest.mark.needs("clock")
def test_a_deadline_ends_exactly_when_it_is_over(timed: Desk, clock: Time) -> None:
    topic = timed.topic()
    name = timed.subscription(topic, ack_deadline_seconds=20)
    timed.publish(topic, "a")
    timed.pull(name)
    clock.advance(19.5)
    assert timed.pull(name) == []
    clock.advance(0.5)
    assert texts(timed.pull(name)) == ["a"]


def test_a_retry_policy_backs_off(timed: Desk, clock: Time) -> None:
    topic = timed.topic()
    name = timed.subscription(
        topic,
        retry_policy={
            "minimum_backoff": duration_pb2.Duration(seconds=10),
            "maximum_backoff": duration_pb2.Duration(seconds=15),
        },
    )
    timed.publish(topic, "a")
    for delay in (10, 15, 15):
        timed.nack(name, timed.pull(name))
        clock.advance(delay - 5)
        assert timed.pull(name) == []
        clock.advance(5)
    assert texts(timed.pull(name)) == ["a"]


def test_a_dead_letter_tells_where_it_comes_from(desk: Desk) -> None:
    topic, dead = desk.topic(), desk.topic("dead")
    dead_name = desk.subscription(dead, "dead-subscription")
    name = desk.subscription(
        topic, dead_letter_policy={"dead_letter_topic": dead, "max_delivery_attempts": 5}
    )
    desk.publish(topic, "poison", attributes={"mine": "kept"})
    for attempt in range(1, 6):
        received = desk.pull(name)
        assert [one.delivery_attempt for one in received] == [attempt]
        published = received[0].message.publish_time
        desk.nack(name, received)
    assert desk.pull(name) == []
    (letter,) = desk.pull(dead_name)
    prefix = "CloudPubSubDeadLetterSource"
    assert letter.message.data == b"poison"
    assert letter.delivery_attempt == 0
    assert letter.message.attributes == {
        "mine": "kept",
        f"{prefix}DeliveryCount": "5",
        f"{prefix}Subscription": name.rsplit("/", 1)[1],
        f"{prefix}SubscriptionProject": desk.project,
        f"{prefix}TopicPublishTime": published.isoformat(timespec="milliseconds"),
    }


def test_seek_goes_back_and_forth(timed: Desk, clock: Time) -> None:
    topic = timed.topic()
    name = timed.subscription(topic, retain_acked_messages=True)
    timed.publish(topic, "early")
    clock.advance(60)
    middle = datetime.fromtimestamp(clock.now(), UTC)
    timed.publish(topic, "late")
    timed.ack(name, timed.pull(name))
    assert timed.pull(name) == []
    timed.subscriber.seek(request={"subscription": name, "time": middle})
    assert texts(timed.pull(name)) == ["late"]
    timed.subscriber.seek(
        request={"subscription": name, "time": datetime.fromtimestamp(clock.now() + 1, UTC)}
    )
    clock.advance(60)
    assert timed.pull(name) == []


@pytest.mark.needs("clock")
def test_a_topic_that_retains_lets_a_later_subscription_seek_back(timed: Desk, clock: Time) -> None:
    topic = timed.topic(message_retention_duration=duration_pb2.Duration(seconds=3600))
    timed.publish(topic, "before")
    start = datetime.fromtimestamp(clock.now() - 1, UTC)
    name = timed.subscription(topic)
    assert timed.pull(name) == []
    timed.subscriber.seek(request={"subscription": name, "time": start})
    assert texts(timed.pull(name)) == ["before"]
    clock.advance(3601)
    timed.subscriber.seek(request={"subscription": name, "time": start})
    shown = timed.subscriber.get_subscription(subscription=name)
    assert shown.topic_message_retention_duration.total_seconds() == 3600


def test_exactly_once_tells_which_acknowledgement_came_too_late(timed: Desk, clock: Time) -> None:
    topic = timed.topic()
    strict = timed.subscription(topic, "strict", enable_exactly_once_delivery=True)
    lax = timed.subscription(topic, "lax")
    timed.publish(topic, "a")
    late_strict, late_lax = timed.pull(strict), timed.pull(lax)
    clock.advance(15)
    timed.ack(lax, late_lax)
    with pytest.raises(exceptions.InvalidArgument) as refused:
        timed.ack(strict, late_strict)
    assert refused.value.reason == "EXACTLY_ONCE_ACKID_FAILURE"
    assert refused.value.metadata == {late_strict[0].ack_id: "PERMANENT_FAILURE_INVALID_ACK_ID"}


def test_exactly_once_confirms_on_a_stream(desk: Desk) -> None:
    topic = desk.topic()
    name = desk.subscription(topic, enable_exactly_once_delivery=True)
    desk.publish(topic, "a")
    outcomes: list[object] = []

    class Confirming(Inbox):
        def settle(self, message: Message) -> None:
            outcomes.append(message.ack_with_response())

    Confirming(desk, name, 1).run()
    (future,) = outcomes
    assert isinstance(future, pubsub_v1.subscriber.futures.Future)
    assert future.result(timeout=10).name == "SUCCESS"


def test_the_async_clients_work_as_the_sync_ones(desk: Desk) -> None:
    topic = desk.topic()
    name = desk.subscription(topic)

    async def run() -> list[bytes]:
        # These do not look at the variable by themselves, unlike those that are not asynchronous.
        host = os.environ.get("PUBSUB_EMULATOR_HOST")
        if host is None:
            publisher, subscriber = PublisherAsyncClient(), SubscriberAsyncClient()
        else:
            channel = grpc.aio.insecure_channel(host)
            publisher = PublisherAsyncClient(transport=PublisherAsyncTransport(channel=channel))
            subscriber = SubscriberAsyncClient(transport=SubscriberAsyncTransport(channel=channel))
        await publisher.publish(
            topic=topic, messages=[PubsubMessage(data=b"a"), PubsubMessage(data=b"b")]
        )
        requests = asyncio.Queue[StreamingPullRequest]()
        await requests.put(StreamingPullRequest(subscription=name, stream_ack_deadline_seconds=10))

        async def sent() -> AsyncIterator[StreamingPullRequest]:
            while True:
                yield await requests.get()

        received: list[bytes] = []
        stream = await subscriber.streaming_pull(requests=sent())
        async for response in stream:
            received += [one.message.data for one in response.received_messages]
            if len(received) == 2:
                break
        for client in (publisher, subscriber):
            await client.transport.close()  # type: ignore[no-untyped-call]  # of no annotations
        return received

    assert sorted(asyncio.run(run())) == [b"a", b"b"]
