"""A tester's desk for the local Pub/Sub: both clients of the official SDK, and short names."""

import warnings
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import google.cloud.pubsub_v1 as pubsub_v1  # ships no types, unlike its neighbours


class Desk:
    """A publisher and a subscriber of one project; settings are those of the resource messages."""

    def __init__(self, project: str) -> None:
        self.project = project
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
        self.publisher.transport.close()
        self.subscriber.close()

    def topic(self, name: str = "topic", **settings: Any) -> str:
        """Make a topic and return its full name."""
        path = f"projects/{self.project}/topics/{name}"
        self.publisher.create_topic(request={"name": path, **settings})
        return path

    def subscription(self, topic: str, name: str = "subscription", **settings: Any) -> str:
        """Make a subscription and return its full name."""
        path = f"projects/{self.project}/subscriptions/{name}"
        self.subscriber.create_subscription(request={"name": path, "topic": topic, **settings})
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
        """What is ready now."""
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
