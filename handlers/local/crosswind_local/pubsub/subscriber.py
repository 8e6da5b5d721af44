"""The unary methods of google.pubsub.v1.Subscriber."""

from collections.abc import Callable, Mapping
from typing import Protocol

from google.protobuf import empty_pb2

from crosswind_local.errors import ServiceError
from crosswind_local.pubsub import acknowledging, limits, pages, responses
from crosswind_local.pubsub.broker import Broker
from crosswind_local.pubsub.deliveries import Consumer
from crosswind_local.pubsub.protocol import (
    ListSubscriptionsResponse,
    Pb,
    SeekResponse,
)
from crosswind_local.pubsub.resources import retention_of
from crosswind_local.pubsub.subscriptions import Subscription

PULL_WAIT = 30.0
"""Seconds for which a pull waits for a first message before it answers with none."""


class Caller(Protocol):
    """The caller of a method that may wait: still there, or gone."""

    def is_active(self) -> bool: ...

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Have it called once the caller is gone; False when it is gone already."""
        ...


class Subscriber:
    """Each method takes a request and returns its response, or raises a ServiceError."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def methods(self) -> Mapping[str, Callable[[Pb], Pb]]:
        """The methods by their names on the wire, but for those that wait: Pull, StreamingPull."""
        return {
            "CreateSubscription": self.create_subscription,
            "GetSubscription": self.get_subscription,
            "UpdateSubscription": self.update_subscription,
            "ListSubscriptions": self.list_subscriptions,
            "DeleteSubscription": self.delete_subscription,
            "ModifyPushConfig": self.modify_push_config,
            "Acknowledge": self.acknowledge,
            "ModifyAckDeadline": self.modify_ack_deadline,
            "Seek": self.seek,
        }

    def create_subscription(self, request: Pb) -> Pb:
        return self._shown(self._broker.create_subscription(request))

    def get_subscription(self, request: Pb) -> Pb:
        return self._shown(self._broker.subscription(request.subscription))

    def update_subscription(self, request: Pb) -> Pb:
        return self._shown(
            self._broker.update_subscription(request.subscription, request.update_mask)
        )

    def list_subscriptions(self, request: Pb) -> Pb:
        there = self._broker.subscriptions(request.project)
        shown, token = pages.page(there, request.page_size, request.page_token)
        return ListSubscriptionsResponse(
            subscriptions=[self._shown(there[name]) for name in shown], next_page_token=token
        )

    def delete_subscription(self, request: Pb) -> Pb:
        self._broker.delete_subscription(request.subscription)
        return empty_pb2.Empty()

    def modify_push_config(self, request: Pb) -> Pb:
        self._broker.modify_push_config(request.subscription, request.push_config)
        return empty_pb2.Empty()

    def acknowledge(self, request: Pb) -> Pb:
        limits.ack_ids_fit(request.ack_ids)
        with self._broker.lock:
            subscription = self._broker.subscription(request.subscription)
            invalid = subscription.backlog.acknowledge(request.ack_ids, self._broker.clock.now())
            subscription.stir()
            exactly_once = subscription.backlog.policy.exactly_once
        acknowledging.refuse_invalid(invalid, exactly_once=exactly_once)
        return empty_pb2.Empty()

    def modify_ack_deadline(self, request: Pb) -> Pb:
        limits.ack_ids_fit(request.ack_ids)
        seconds = request.ack_deadline_seconds
        limits.within("ack_deadline_seconds", seconds, 0, limits.ACK_EXTENSION)
        with self._broker.lock:
            subscription = self._broker.subscription(request.subscription)
            now = self._broker.clock.now()
            invalid = subscription.backlog.extend(request.ack_ids, seconds, now)
            subscription.stir()
            exactly_once = subscription.backlog.policy.exactly_once
        acknowledging.refuse_invalid(invalid, exactly_once=exactly_once)
        return empty_pb2.Empty()

    def seek(self, request: Pb) -> Pb:
        if request.HasField("snapshot"):
            raise ServiceError(
                "UNIMPLEMENTED", "The local Pub/Sub does not support snapshots; seek to a time."
            )
        if not request.HasField("time"):
            raise ServiceError("INVALID_ARGUMENT", "Seek needs a time or a snapshot.")
        published = request.time.seconds * 1_000_000_000 + request.time.nanos
        self._broker.seek(request.subscription, published)
        return SeekResponse()

    def pull(self, request: Pb, caller: Caller) -> bytes:
        """Answer with what is ready, or with the first messages that become so in time."""
        limits.within("max_messages", request.max_messages, 1, float("inf"))
        most = min(request.max_messages, limits.MESSAGES_PER_PULL)
        broker, response = self._broker, b""
        with broker.lock:
            subscription = broker.subscription(request.subscription)
            subscription.require_pull()
            consumer = Consumer()
            subscription.backlog.admit(consumer)
            give_up = broker.clock.now() + (0 if request.return_immediately else PULL_WAIT)
            alarm = broker.clock.call_at(give_up, lambda: _wake(subscription))
            caller.add_callback(lambda: _wake(subscription))
            try:
                while caller.is_active():
                    now = broker.clock.now()
                    leases = subscription.backlog.take(
                        consumer, now, most=most, most_bytes=responses.BYTES
                    )
                    if leases:
                        response = responses.received_messages(leases, subscription.backlog.policy)
                        break
                    if now >= give_up or broker.closed:
                        break
                    subscription.changed.wait()
                    subscription.require_pull()
            finally:
                alarm.cancel()
                subscription.backlog.leave(consumer)
                subscription.stir()
        return response

    def _shown(self, subscription: Subscription) -> Pb:
        """The resource as the service shows it: with what its topic retains."""
        topic = self._broker.topics_by_name().get(subscription.resource.topic)
        retention = None if topic is None else retention_of(topic.resource)
        if retention is None:
            return subscription.resource
        shown = type(subscription.resource)()
        shown.CopyFrom(subscription.resource)
        shown.topic_message_retention_duration.FromNanoseconds(int(retention * 1e9))
        return shown


def _wake(subscription: Subscription) -> None:
    with subscription.changed:
        subscription.changed.notify_all()
