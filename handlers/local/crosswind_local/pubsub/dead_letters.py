"""What a dead-letter topic is sent.

"Dead-letter topics", https://cloud.google.com/pubsub/docs/dead-letter-topics: the message as it
was, with attributes that tell where it comes from and how often it was tried.
"""

from datetime import UTC, datetime

from crosswind_local.pubsub.messages import Draft, Message
from crosswind_local.pubsub.names import project_of, short

PREFIX = "CloudPubSubDeadLetterSource"


def draft(message: Message, subscription: str, attempts: int) -> Draft:
    """The message that is forwarded for a subscription, by full name, after so many attempts."""
    published = datetime.fromtimestamp(message.published / 1e9, UTC)
    return Draft(
        message.data,
        {
            **message.attributes,
            f"{PREFIX}DeliveryCount": str(attempts),
            f"{PREFIX}Subscription": short(subscription),
            f"{PREFIX}SubscriptionProject": short(project_of(subscription)),
            f"{PREFIX}TopicPublishTime": published.isoformat(timespec="milliseconds"),
        },
        message.ordering_key,
    )
