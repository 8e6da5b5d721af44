"""The protobuf messages of google.pubsub.v1, as the official SDK ships them.

The SDK wraps them in proto-plus classes; the wrapped classes are taken out here because they
are an order of magnitude faster. They carry no type information, so values of them are `Any`;
only the modules at the edge (resources, publisher, subscriber, streaming) touch them.
"""

from typing import Any

from google.pubsub_v1 import types

Pb = Any
"""A protobuf message; which one is said by the name of the parameter."""

Subscription = types.Subscription.pb()
Topic = types.Topic.pb()

ListSubscriptionsResponse = types.ListSubscriptionsResponse.pb()
ListTopicSubscriptionsResponse = types.ListTopicSubscriptionsResponse.pb()
ListTopicsResponse = types.ListTopicsResponse.pb()
DetachSubscriptionResponse = types.DetachSubscriptionResponse.pb()
PubsubMessage = types.PubsubMessage.pb()
PublishResponse = types.PublishResponse.pb()
SeekResponse = types.SeekResponse.pb()
StreamingPullRequest = types.StreamingPullRequest.pb()
StreamingPullResponse = types.StreamingPullResponse.pb()

ACTIVE = 1
"""Of Topic.State and of Subscription.State."""


def request_class(method: str) -> Pb:
    """The class of a method's request."""
    resource_methods = {"CreateTopic": Topic, "CreateSubscription": Subscription}
    return resource_methods.get(method) or getattr(types, f"{method}Request").pb()
