"""A Service Bus message as the host passes it to the worker: the body, and metadata beside it.

Source: Azure/azure-sdk-for-net, Microsoft.Azure.WebJobs.Extensions.ServiceBus,
`ServiceBusTriggerBindingStrategy.cs` for the names and types, and Azure/azure-functions-host,
`GrpcMessageConversionExtensions.cs` for how each type travels.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crosswind_local.errors import LocalCloudError
from crosswind_local.functions_host.moments import with_zone, without_zone
from crosswind_local.functions_host.process import Value


class BodyRefused(LocalCloudError, ValueError):
    """A body that cannot be passed to a function of the kind it is declared with."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message that was received.

    Attributes:
        delivery_count: 1 on the first delivery, as .NET counts, which the host is written in.
        expires_at: None where it never does.
        properties: the application properties, of types that JSON has.
    """

    body: bytes
    delivery_count: int
    lock_token: str
    sequence_number: int
    enqueued: datetime
    expires_at: datetime | None = None
    message_id: str | None = None
    content_type: str | None = None
    correlation_id: str | None = None
    subject: str | None = None
    to: str | None = None
    reply_to: str | None = None
    session_id: str | None = None
    reply_to_session_id: str | None = None
    partition_key: str | None = None
    dead_letter_source: str | None = None
    properties: Mapping[str, object] = field(default_factory=dict)


_TEXTS = (
    ("DeadLetterSource", "dead_letter_source"),
    ("LockToken", "lock_token"),
    ("MessageId", "message_id"),
    ("ContentType", "content_type"),
    ("ReplyTo", "reply_to"),
    ("To", "to"),
    ("Subject", "subject"),
    ("Label", "subject"),
    ("CorrelationId", "correlation_id"),
    ("SessionId", "session_id"),
    ("ReplyToSessionId", "reply_to_session_id"),
    ("PartitionKey", "partition_key"),
)
"""The metadata that are texts, and what they are called here. `Label` is `Subject`'s older name."""


def body_of(message: Received, binary: bool) -> Value:
    """The body as one value: text, unless the binding asks for bytes.

    Raises:
        BodyRefused: it is no UTF-8, which fails the call in the cloud too.
    """
    if binary:
        return {"bytes": base64.b64encode(message.body).decode("ascii")}
    return {"string": _text(message)}


def bodies_of(messages: Sequence[Received], binary: bool) -> Value:
    """The bodies of a batch as one value. Empty texts are left out, as the host does.

    Raises:
        BodyRefused: one is no UTF-8.
    """
    if binary:
        return {
            "collection_bytes": [
                base64.b64encode(message.body).decode("ascii") for message in messages
            ]
        }
    return {"collection_string": [text for text in map(_text, messages) if text]}


def metadata_of(message: Received) -> dict[str, Value]:
    """What is told of one message; what it does not have is not told."""
    told: dict[str, Value] = {}
    for name, attribute in _TEXTS:
        text = getattr(message, attribute)
        if text is not None:
            told[name] = {"string": text}
    properties = _json(dict(message.properties))
    return {
        **told,
        "DeliveryCount": _json(message.delivery_count),
        "SequenceNumber": _json(message.sequence_number),
        "EnqueuedTimeUtc": _json(without_zone(message.enqueued)),
        "EnqueuedTime": _json(with_zone(message.enqueued)),
        "ExpiresAtUtc": _json(without_zone(message.expires_at)),
        "ExpiresAt": _json(with_zone(message.expires_at)),
        "ApplicationProperties": properties,
        "UserProperties": properties,
    }


def metadata_of_batch(messages: Sequence[Received]) -> dict[str, Value]:
    """What is told of a batch: an array for each, in the order of the messages.

    Arrays of text leave out what is empty, as the host does, so that theirs may be shorter.
    """
    told: dict[str, Value] = {}
    for name, attribute in _TEXTS:
        texts = [getattr(message, attribute) for message in messages]
        told[f"{name}Array"] = {"collection_string": [text for text in texts if text]}
    properties = _json([dict(message.properties) for message in messages])
    numbers = [message.sequence_number for message in messages]
    return {
        **told,
        "DeliveryCountArray": _json([message.delivery_count for message in messages]),
        "SequenceNumberArray": {"collection_sint64": numbers},
        "EnqueuedTimeUtcArray": _json([without_zone(message.enqueued) for message in messages]),
        "EnqueuedTimeArray": _json([with_zone(message.enqueued) for message in messages]),
        "ExpiresAtUtcArray": _json([without_zone(message.expires_at) for message in messages]),
        "ExpiresAtArray": _json([with_zone(message.expires_at) for message in messages]),
        "ApplicationPropertiesArray": properties,
        "UserPropertiesArray": properties,
    }


def _text(message: Received) -> str:
    try:
        return message.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyRefused(
            f"message {message.message_id!r} is no UTF-8 text, and the binding has not "
            f'data_type="binary": {error}'
        ) from error


def _json(value: object) -> Value:
    return {"json": json.dumps(value)}
