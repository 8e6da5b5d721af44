"""Leases as they are sent: ReceivedMessage, in a response of Pull or StreamingPull."""

from collections.abc import Iterable

from crosswind_local.pubsub.deliveries import Lease
from crosswind_local.pubsub.policies import Policy
from crosswind_local.pubsub.protocol import Pb

MESSAGES = 1_000
"""How many messages one response holds at most."""
BYTES = 4 * 1024 * 1024
"""How many bytes of messages, unless a single one is larger."""


def fill(received: Pb, leases: Iterable[Lease], policy: Policy) -> None:
    """Add leases to a repeated field of ReceivedMessage.

    The delivery attempt is told only where there is a dead-letter policy, as
    https://cloud.google.com/pubsub/docs/handling-failures#track_delivery_attempts says.
    """
    counted = policy.dead_letter_topic is not None
    for lease in leases:
        message = lease.entry.message
        added = received.add(ack_id=lease.ack_id, delivery_attempt=lease.attempt if counted else 0)
        sent = added.message
        sent.data = message.data
        sent.message_id = str(message.number)
        sent.publish_time.seconds, sent.publish_time.nanos = divmod(
            message.published, 1_000_000_000
        )
        if message.attributes:
            sent.attributes.update(message.attributes)
        if message.ordering_key:
            sent.ordering_key = message.ordering_key
