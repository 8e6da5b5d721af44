"""Responses of Pull and StreamingPull, written as they go over the wire.

Every message that is delivered passes here, and of all that is done for it, building objects of
the protobuf library cost the most. So its bytes are put together by hand, from the field numbers
of google.pubsub.v1 and the encoding that https://protobuf.dev/programming-guides/encoding tells;
what is rare in a message, or the same for many, is left to the library.
"""

from collections.abc import Iterable
from functools import lru_cache

from crosswind_local.pubsub.deliveries import Lease
from crosswind_local.pubsub.messages import Message
from crosswind_local.pubsub.policies import Policy
from crosswind_local.pubsub.protocol import PubsubMessage

MESSAGES = 1_000
"""How many messages one response holds at most."""
BYTES = 4 * 1024 * 1024
"""How many bytes of messages, unless a single one is larger."""

# The tag of a field: its number, and that its length comes before it (2) or that it is a number.
_RECEIVED_MESSAGES = b"\x0a"  # 1, of PullResponse and of StreamingPullResponse
_ACK_ID = b"\x0a"  # 1, of ReceivedMessage
_MESSAGE = b"\x12"  # 2
_DELIVERY_ATTEMPT = b"\x18"  # 3
_DATA = b"\x0a"  # 1, of PubsubMessage
_MESSAGE_ID = b"\x1a"  # 3


def received_messages(leases: Iterable[Lease], policy: Policy) -> bytes:
    """The field `received_messages` with all of these leases.

    The delivery attempt is told only where there is a dead-letter policy, as
    https://cloud.google.com/pubsub/docs/handling-failures#track_delivery_attempts says.
    """
    counted = policy.dead_letter_topic is not None
    parts: list[bytes] = []
    for lease in leases:
        message = lease.entry.message
        ack_id, data = lease.ack_id.encode(), message.data
        message_id, rest = str(message.number).encode(), _rest(message)
        head = _DATA + _varint(len(data)) if data else b""
        tail = _MESSAGE_ID + _varint(len(message_id)) + message_id + rest
        opening = (
            _ACK_ID
            + _varint(len(ack_id))
            + ack_id
            + _MESSAGE
            + _varint(len(head) + len(data) + len(tail))
            + head
        )
        if counted:
            tail += _DELIVERY_ATTEMPT + _varint(lease.attempt)
        size = len(opening) + len(data) + len(tail)
        parts += (_RECEIVED_MESSAGES, _varint(size), opening, data, tail)
    return b"".join(parts)


def _rest(message: Message) -> bytes:
    """What is in a message beside its data and its id."""
    if not message.attributes and not message.ordering_key:
        return _publish_time(message.published)
    rest = PubsubMessage(attributes=message.attributes, ordering_key=message.ordering_key)
    return bytes(rest.SerializeToString()) + _publish_time(message.published)


@lru_cache(maxsize=1_024)
def _publish_time(published: int) -> bytes:
    """The field `publish_time`, the same for all that one request has published."""
    message = PubsubMessage()
    message.publish_time.seconds, message.publish_time.nanos = divmod(published, 1_000_000_000)
    return bytes(message.SerializeToString())


def _varint(number: int) -> bytes:
    return _VARINTS[number] if number < len(_VARINTS) else _encoded(number)


def _encoded(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


_VARINTS = [_encoded(number) for number in range(4_096)]
"""The numbers that occur in nearly every message."""
