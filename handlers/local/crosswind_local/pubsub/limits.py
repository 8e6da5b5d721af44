"""The documented limits of Pub/Sub, and the refusals of requests that exceed them.

"Pub/Sub quotas and limits", https://cloud.google.com/pubsub/quotas (resource limits), and the
field descriptions of the v1 API.
"""

from collections.abc import Collection

from crosswind_local.errors import ServiceError

MESSAGES_PER_PUBLISH = 1_000
PUBLISH_BYTES = 10_000_000
"""Of one publish request, and so of one message too."""
ATTRIBUTES_PER_MESSAGE = 100
ATTRIBUTE_KEY_BYTES = 256
ATTRIBUTE_VALUE_BYTES = 1_024
ORDERING_KEY_BYTES = 1_024
FILTER_BYTES = 256
MESSAGES_PER_PULL = 1_000
ACK_REQUEST_BYTES = 524_288
RESOURCES_PER_PROJECT = 10_000
"""Of topics, and likewise of subscriptions."""
PAGE_SIZE = 1_000
LABELS_PER_RESOURCE = 64

ACK_DEADLINE = (10, 600)
"""Seconds that a subscription, or a stream, may give to acknowledge a message."""
ACK_EXTENSION = 600
"""Seconds by which one request may extend a deadline at most."""
DELIVERY_ATTEMPTS = (5, 100)
BACKOFF_SECONDS = (0, 600)
RETENTION_SECONDS = (600, 31 * 86_400)
EXPIRATION_TTL_SECONDS = 86_400
"""The least that a subscription's expiration policy may name."""


def within(name: str, value: float, least: float, most: float) -> None:
    """See that a number lies in its range, both ends included.

    Raises:
        ServiceError: it does not (INVALID_ARGUMENT).
    """
    if value < least:
        raise ServiceError(
            "INVALID_ARGUMENT",
            f"The value for {name} is too small. You passed {value:g} in the request, but the "
            f"minimum value is {least:g}.",
        )
    if value > most:
        raise ServiceError(
            "INVALID_ARGUMENT",
            f"The value for {name} is too large. You passed {value:g} in the request, but the "
            f"maximum value is {most:g}.",
        )


def ack_ids_fit(ack_ids: Collection[str]) -> None:
    """See that an acknowledgement names something and is not too large.

    Raises:
        ServiceError: it is empty or too large (INVALID_ARGUMENT).
    """
    if not ack_ids:
        raise ServiceError("INVALID_ARGUMENT", "No ack ids specified.")
    size = sum(map(len, ack_ids))
    if size > ACK_REQUEST_BYTES:
        raise ServiceError(
            "INVALID_ARGUMENT",
            f"Request payload size exceeds the limit: {ACK_REQUEST_BYTES} bytes.",
        )
