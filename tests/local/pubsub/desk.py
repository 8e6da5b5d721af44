"""A tester's desk for Pub/Sub: both clients of the official SDK, and short names."""

import time
import uuid
import warnings
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import google.cloud.pubsub_v1 as pubsub_v1  # ships no types, unlike its neighbours
from google.api_core import exceptions

from local.elsewhere import pointed, refusals

refused = refusals("pubsub")

ASKED_AGAIN = 4


class Desk:
    """A publisher and a subscriber of one project; settings are those of the resource messages.

    What is made has a name of this desk's own, so that others may use the project too, and is
    removed in the end.
    """

    def __init__(self, project: str) -> None:
        self.project = project
        self._mark = uuid.uuid4().hex[:12]
        self._topics: list[str] = []
        self._subscriptions: list[str] = []
        self.publisher = pubsub_v1.PublisherClient(
            publisher_options=pubsub_v1.types.PublisherOptions(enable_message_ordering=True)
        )
        self.subscriber = pubsub_v1.SubscriberClient()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.publisher.stop()
        for name in self._subscriptions:
            self._remove(self.subscriber.delete_subscription, subscription=name)
        for name in self._topics:
            self._remove(self.publisher.delete_topic, topic=name)
        self.publisher.transport.close()
        self.subscriber.close()

    def _remove(self, method: Callable[..., object], **request: str) -> None:
        try:
            method(request=request, retry=None, timeout=10)
        except (exceptions.NotFound, exceptions.ServiceUnavailable):
            pass  # the test has removed it, or stopped the emulator

    def path(self, kind: str, name: str) -> str:
        """The full name of a topic or subscription of this desk."""
        return f"projects/{self.project}/{kind}/{name}-{self._mark}"

    def topic(self, name: str = "topic", **settings: Any) -> str:
        """Make a topic and return its full name."""
        path = self.path("topics", name)
        self.publisher.create_topic(request={"name": path, **settings})
        self._topics.append(path)
        return path

    def subscription(self, topic: str, name: str = "subscription", **settings: Any) -> str:
        """Make a subscription and return its full name."""
        path = self.path("subscriptions", name)
        self.subscriber.create_subscription(request={"name": path, "topic": topic, **settings})
        self._subscriptions.append(path)
        return path

    def publish(
        self, topic: str, *texts: str, key: str = "", attributes: Mapping[str, str] | None = None
    ) -> list[str]:
        """Publish texts in order and return their ids."""
        futures = [
            self.publisher.publish(topic, text.encode(), ordering_key=key, **(attributes or {}))
            for text in texts
        ]
        return [str(future.result(timeout=10)) for future in futures]

    def pull(self, subscription: str, most: int = 100) -> list[Any]:
        """What is ready now.

        A pull may return less than there is, and elsewhere does, so there it asks some more times.
        """
        received = self._pull(subscription, most)
        for _ in range(0 if pointed("pubsub") is None else ASKED_AGAIN):
            time.sleep(0.5)
            if len(received) < most:
                received += self._pull(subscription, most - len(received))
        return received

    def _pull(self, subscription: str, most: int) -> list[Any]:
        request = {
            "subscription": subscription,
            "max_messages": most,
            "return_immediately": True,
        }
        with warnings.catch_warnings():
            # The flag is deprecated, and is how a test asks without waiting.
            warnings.simplefilter("ignore", DeprecationWarning)
            return list(self.subscriber.pull(request=request).received_messages)

    def ack(self, subscription: str, received: Sequence[Any]) -> None:
        """Acknowledge what was pulled."""
        self.subscriber.acknowledge(
            subscription=subscription, ack_ids=[one.ack_id for one in received]
        )

    def nack(self, subscription: str, received: Sequence[Any]) -> None:
        """Give back what was pulled."""
        self.subscriber.modify_ack_deadline(
            subscription=subscription,
            ack_ids=[one.ack_id for one in received],
            ack_deadline_seconds=0,
        )


def texts(received: Sequence[Any]) -> list[str]:
    """The data of pulled messages."""
    return [one.message.data.decode() for one in received]
