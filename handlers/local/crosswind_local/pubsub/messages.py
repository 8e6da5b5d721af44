"""A published message, and what must be true of it.

"Publish messages to topics", https://cloud.google.com/pubsub/docs/publisher
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from crosswind_local.errors import ServiceError
from crosswind_local.pubsub import limits

OVERHEAD = 400
"""Bytes that a message costs in memory beside its contents, roughly."""


class Draft(NamedTuple):
    """What a publisher sends."""

    data: bytes
    attributes: Mapping[str, str]
    ordering_key: str


class Message(NamedTuple):
    """What a topic has accepted. It is shared by all subscriptions and never changes."""

    number: int
    """The place in the order of publishing; its decimal form is the message id."""
    data: bytes
    attributes: Mapping[str, str]
    ordering_key: str
    published: int
    """Nanoseconds since 1970, a multiple of a microsecond."""
    size: int
    """Bytes of data, attributes and ordering key."""


def accept(draft: Draft, number: int, published: int) -> Message:
    """The message that a draft becomes."""
    data, attributes, ordering_key = draft
    return Message(number, data, attributes, ordering_key, published, size_of(draft))


def size_of(draft: Draft) -> int:
    """Bytes of data, attributes and ordering key."""
    data, attributes, ordering_key = draft
    size = len(data) + len(ordering_key)
    if attributes:
        size += sum(len(key) + len(value) for key, value in attributes.items())
    return size


def check(drafts: Sequence[Draft]) -> int:
    """See that drafts may be published in one request, and return how many bytes they are.

    Raises:
        ServiceError: there are none or too many, one is empty, a limit is exceeded, or the
            ordering keys differ (INVALID_ARGUMENT).
    """
    limits.within("message_count", len(drafts), 1, limits.MESSAGES_PER_PUBLISH)
    key = drafts[0].ordering_key
    for draft in drafts:
        if not draft.data and not draft.attributes:
            raise ServiceError(
                "INVALID_ARGUMENT",
                "One or more messages in the publish request is empty. Each message must contain "
                "either non-empty data, or at least one attribute.",
            )
        if draft.ordering_key != key:
            raise ServiceError(
                "INVALID_ARGUMENT",
                "In a single publish request, all messages must have no ordering key or they must "
                "all have the same ordering key.",
            )
        if draft.attributes:
            _check_attributes(draft.attributes)
    limits.within("ordering_key size", len(key.encode()), 0, limits.ORDERING_KEY_BYTES)
    size = sum(map(size_of, drafts))
    limits.within("request_size", size, 0, limits.PUBLISH_BYTES)
    return size


def _check_attributes(attributes: Mapping[str, str]) -> None:
    limits.within("attributes count", len(attributes), 0, limits.ATTRIBUTES_PER_MESSAGE)
    for key, value in attributes.items():
        if not key:
            raise ServiceError("INVALID_ARGUMENT", "An attribute key is empty.")
        limits.within("attribute key size", len(key.encode()), 1, limits.ATTRIBUTE_KEY_BYTES)
        limits.within("attribute value size", len(value.encode()), 0, limits.ATTRIBUTE_VALUE_BYTES)
