"""The methods of google.pubsub.v1.Publisher."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from google.protobuf import empty_pb2

from crosswind_local.pubsub import names, pages
from crosswind_local.pubsub.broker import Broker
from crosswind_local.pubsub.messages import Draft
from crosswind_local.pubsub.protocol import (
    DetachSubscriptionResponse,
    ListTopicsResponse,
    ListTopicSubscriptionsResponse,
    Pb,
    PublishResponse,
)

NONE: Mapping[str, str] = MappingProxyType({})
"""The attributes of a message that has none."""


class Publisher:
    """Each method takes a request and returns its response, or raises a ServiceError."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def methods(self) -> Mapping[str, Callable[[Pb], Pb]]:
        """The methods by their names on the wire."""
        return {
            "CreateTopic": self.create_topic,
            "GetTopic": self.get_topic,
            "UpdateTopic": self.update_topic,
            "ListTopics": self.list_topics,
            "ListTopicSubscriptions": self.list_topic_subscriptions,
            "DeleteTopic": self.delete_topic,
            "Publish": self.publish,
            "DetachSubscription": self.detach_subscription,
        }

    def create_topic(self, request: Pb) -> Pb:
        return self._broker.create_topic(request)

    def get_topic(self, request: Pb) -> Pb:
        return self._broker.topic(request.topic).resource

    def update_topic(self, request: Pb) -> Pb:
        return self._broker.update_topic(request.topic, request.update_mask)

    def list_topics(self, request: Pb) -> Pb:
        topics = self._broker.topics(request.project)
        shown, token = pages.page(topics, request.page_size, request.page_token)
        return ListTopicsResponse(
            topics=[topics[name].resource for name in shown], next_page_token=token
        )

    def list_topic_subscriptions(self, request: Pb) -> Pb:
        there = list(self._broker.topic(request.topic).subscriptions)
        shown, token = pages.page(there, request.page_size, request.page_token)
        return ListTopicSubscriptionsResponse(subscriptions=shown, next_page_token=token)

    def delete_topic(self, request: Pb) -> Pb:
        self._broker.delete_topic(request.topic)
        return empty_pb2.Empty()

    def publish(self, request: Pb) -> Pb:
        names.check("topics", request.topic)
        # A protobuf message keeps the whole request alive, so its contents are copied out.
        # To look whether there are attributes costs less than to copy none.
        drafts = [
            Draft(sent.data, dict(sent.attributes) if sent.attributes else NONE, sent.ordering_key)
            for sent in request.messages
        ]
        published = self._broker.publish(request.topic, drafts)
        return PublishResponse(message_ids=[str(message.number) for message in published])

    def detach_subscription(self, request: Pb) -> Pb:
        self._broker.detach(request.subscription)
        return DetachSubscriptionResponse()
