"""StreamingPull: messages flow to the client, acknowledgements flow back.

"Pull subscriptions", https://cloud.google.com/pubsub/docs/pull#streamingpull_api, and the field
descriptions of StreamingPullRequest. Two threads serve a stream: one waits for messages and sends
them, the other reads requests; neither polls.
"""

import threading
from collections import deque
from collections.abc import Iterator

from crosswind_local.errors import ServiceError
from crosswind_local.pubsub import limits, responses
from crosswind_local.pubsub.broker import Broker
from crosswind_local.pubsub.deliveries import Consumer
from crosswind_local.pubsub.protocol import Pb, StreamingPullResponse
from crosswind_local.pubsub.subscriber import Caller
from crosswind_local.pubsub.subscriptions import Subscription


class Stream:
    """One open StreamingPull."""

    def __init__(self, broker: Broker, first: Pb, requests: Iterator[Pb], caller: Caller) -> None:
        """Take up the first request.

        Raises:
            ServiceError: the request is invalid, or the subscription cannot be pulled.
        """
        self._broker = broker
        self._requests = requests
        self._caller = caller
        self._deadline = float(first.stream_ack_deadline_seconds)
        limits.within("stream_ack_deadline_seconds", self._deadline, *limits.ACK_DEADLINE)
        if len(first.modify_deadline_ack_ids) != len(first.modify_deadline_seconds):
            raise _uneven()
        self._consumer = Consumer(first.max_outstanding_messages, first.max_outstanding_bytes)
        self._keep_alive = first.protocol_version >= 1
        self._subscription: Subscription = broker.subscription(first.subscription)
        self._subscription.require_pull()
        self._answers: deque[Pb] = deque()
        self._ended = False
        self._failure: Exception | None = None
        self._settle(first)

    def responses(self) -> Iterator[Pb | bytes]:
        """What is sent, until the client or the subscription goes.

        Raises:
            ServiceError: the subscription was deleted or detached, or a request was invalid.
        """
        subscription = self._subscription
        with self._broker.lock:
            subscription.backlog.admit(self._consumer)
            subscription.streams += 1
        self._caller.add_callback(self._end)
        threading.Thread(target=self._read, name="local-pubsub-requests", daemon=True).start()
        try:
            while (response := self._next()) is not None:
                yield response
        finally:
            with self._broker.lock:
                subscription.streams -= 1
                subscription.backlog.leave(self._consumer)
                subscription.stir()

    def _next(self) -> Pb | bytes | None:
        subscription, broker = self._subscription, self._broker
        with broker.lock:
            while True:
                if self._failure is not None:
                    raise self._failure
                if self._answers:
                    return self._answers.popleft()
                if self._ended or broker.closed:
                    return None
                subscription.require_pull()
                leases = subscription.backlog.take(
                    self._consumer,
                    broker.clock.now(),
                    most=responses.MESSAGES,
                    most_bytes=responses.BYTES,
                    ack_deadline=self._deadline,
                )
                if leases:
                    subscription.stir()
                    break
                subscription.changed.wait()
            policy = subscription.backlog.policy
            properties = self._response()
        # Outside of the lock: what is under a lease does not change.
        return responses.received_messages(leases, policy) + properties.SerializeToString()

    def _response(self) -> Pb:
        policy = self._subscription.backlog.policy
        response = StreamingPullResponse()
        response.subscription_properties.exactly_once_delivery_enabled = policy.exactly_once
        response.subscription_properties.message_ordering_enabled = policy.ordered
        return response

    def _read(self) -> None:
        try:
            for request in self._requests:
                self._check_later(request)
                self._settle(request)
        except Exception as error:  # noqa: BLE001 - raised, and told, by the thread that answers
            with self._subscription.changed:
                self._failure = error
        # A client that has said all it will say (half-closed) ends the stream, as in the service.
        self._end()

    def _check_later(self, request: Pb) -> None:
        fixed = (
            "subscription",
            "client_id",
            "max_outstanding_messages",
            "max_outstanding_bytes",
        )
        for name in fixed:
            if getattr(request, name):
                raise ServiceError(
                    "INVALID_ARGUMENT", f"{name} is set by the first request of a stream only."
                )
        if len(request.modify_deadline_ack_ids) != len(request.modify_deadline_seconds):
            raise _uneven()
        if request.stream_ack_deadline_seconds:
            seconds = float(request.stream_ack_deadline_seconds)
            limits.within("stream_ack_deadline_seconds", seconds, *limits.ACK_DEADLINE)
            self._deadline = seconds

    def _settle(self, request: Pb) -> None:
        """Carry out the acknowledgements and the deadlines of one request."""
        subscription, extended = self._subscription, list(request.modify_deadline_ack_ids)
        by_seconds: dict[int, list[str]] = {}
        for ack_id, seconds in zip(extended, request.modify_deadline_seconds, strict=True):
            by_seconds.setdefault(seconds, []).append(ack_id)
        for seconds in by_seconds:
            limits.within("modify_deadline_seconds", seconds, 0, limits.ACK_EXTENSION)
        with subscription.changed:
            now, backlog = self._broker.clock.now(), subscription.backlog
            invalid_acks = backlog.acknowledge(request.ack_ids, now) if request.ack_ids else []
            invalid_extended: list[str] = []
            for seconds, ack_ids in by_seconds.items():
                invalid_extended += backlog.extend(ack_ids, seconds, now)
            if backlog.policy.exactly_once and (request.ack_ids or extended):
                self._confirm(list(request.ack_ids), invalid_acks, extended, invalid_extended)
            elif self._keep_alive and not request.ack_ids and not extended:
                self._answers.append(self._response())
            subscription.stir()

    def _confirm(
        self, acked: list[str], invalid: list[str], extended: list[str], invalid_extended: list[str]
    ) -> None:
        """Tell what became of each id, as exactly-once delivery promises."""
        response = self._response()
        for ids, failed, confirmation in (
            (acked, set(invalid), response.acknowledge_confirmation),
            (extended, set(invalid_extended), response.modify_ack_deadline_confirmation),
        ):
            confirmation.ack_ids.extend(ack_id for ack_id in ids if ack_id not in failed)
            confirmation.invalid_ack_ids.extend(ack_id for ack_id in ids if ack_id in failed)
        self._answers.append(response)

    def _end(self) -> None:
        with self._subscription.changed:
            self._ended = True
            self._subscription.changed.notify_all()


def _uneven() -> ServiceError:
    return ServiceError(
        "INVALID_ARGUMENT",
        "modify_deadline_seconds and modify_deadline_ack_ids must have the same length.",
    )
