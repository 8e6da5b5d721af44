"""The shapes in which Lambda hands over what has arrived, and what AWS wraps around events.

    {"Records": [{"eventSource": "aws:sqs", ...}]}    a batch of a queue, answered record by record
    {"Records": [{"EventSource": "aws:sns", ...}]}    SNS without a queue
    {"requestContext": {"http": ...}}                 a request to the function's URL
    anything else                                     EventBridge, an alarm or a caller, directly

    {"detail-type": ..., "detail": {...}}     EventBridge around an event, or a native notification
    {"TopicArn": ..., "Message": "..."}       SNS around anything

Sources: docs.aws.amazon.com/lambda/latest/dg/with-sqs.html, with-sns.html,
urls-invocation.html, and services-cloudwatch.html (alarms).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from crosswind.buses import contents as bodies
from crosswind.buses.contents import Content, is_event

_HANDSHAKES: Final = ("SubscriptionConfirmation", "UnsubscribeConfirmation")


class Record(NamedTuple):
    """One message.

    Attributes:
        id: as its service names it.
        body: text, or an object where the service has parsed it.
        receipts: how often it was delivered, this time included.
        queue: ARN of the queue it came from; None where it came without one.
        receipt: by which the queue knows this delivery.
    """

    id: str
    body: str | Mapping[str, Any]
    receipts: int = 1
    queue: str | None = None
    receipt: str = ""


class Shape(NamedTuple):
    """What a function was invoked with: a request to its URL, or records."""

    request: bool
    records: list[Record]
    queued: bool = False


def shape(event: Any) -> Shape:
    """Tell how something has arrived; every shape is known, as any object may be a notification."""
    if isinstance(event, list):
        return Shape(False, [_direct(item, n) for n, item in enumerate(event)])
    if not isinstance(event, Mapping):
        return Shape(False, [Record("direct", str(event))])
    context = event.get("requestContext")
    if isinstance(context, Mapping) and "http" in context:
        return Shape(True, [])
    records = event.get("Records")
    if isinstance(records, list) and all(isinstance(one, Mapping) for one in records):
        if all(one.get("eventSource") == "aws:sqs" for one in records):
            return Shape(False, [_queued(one) for one in records], queued=True)
        return Shape(False, [_pushed(one, n) for n, one in enumerate(records)])
    return Shape(False, [_direct(event, 0)])


def contents(body: str | Mapping[str, Any]) -> list[Content]:
    """All that a body holds, opened out of what AWS wraps around it; see `crosswind.buses`."""
    return bodies.contents(body, (_in_eventbridge, _in_sns))


def _in_eventbridge(tree: Mapping[str, Any]) -> Any:
    """The event in an event of EventBridge; of anything else that it carries, nothing is known."""
    detail = tree.get("detail")
    return detail if is_event(detail) and "detail-type" in tree else None


def _in_sns(tree: Mapping[str, Any]) -> Any:
    """The message in what SNS wraps around it, unless that is its handshake."""
    message = tree.get("Message")
    if not isinstance(message, str) or tree.get("Type") in _HANDSHAKES or "TopicArn" not in tree:
        return None
    return message


def _queued(record: Mapping[str, Any]) -> Record:
    attributes = record.get("attributes")
    count = ""
    if isinstance(attributes, Mapping):
        count = str(attributes.get("ApproximateReceiveCount", ""))
    return Record(
        id=str(record.get("messageId", "")),
        body=str(record.get("body", "")),
        receipts=int(count) if count.isdecimal() else 1,
        queue=str(record.get("eventSourceARN", "")) or None,
        receipt=str(record.get("receiptHandle", "")),
    )


def _pushed(record: Mapping[str, Any], position: int) -> Record:
    sns = record.get("Sns")
    if isinstance(sns, Mapping):
        return Record(str(sns.get("MessageId") or f"direct-{position}"), sns)
    return _direct(record, position)


def _direct(event: Any, position: int) -> Record:
    if not isinstance(event, Mapping):
        return Record(f"direct-{position}", str(event))
    return Record(str(event.get("id") or f"direct-{position}"), event)
