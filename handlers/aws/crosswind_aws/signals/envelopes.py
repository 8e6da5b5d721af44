"""The envelopes in which AWS delivers a notification.

Lambda batches of SQS and SNS (`Records`), an answer of ReceiveMessage (`Messages`), an SQS message
(`body`), an SNS envelope (`Message`), and the arrays of EventBridge Pipes; each holds the next as
JSON in a string. Sources: docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and with-sns.html,
docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html.
"""

from __future__ import annotations

from typing import Final

from crosswind.signals import Attributes, Batch, Fields, Ignored, Inner, Opened

_HANDSHAKES: Final = {"subscriptionconfirmation", "unsubscribeconfirmation"}


def open_envelope(body: Fields, attributes: Attributes) -> Opened:
    """Take one envelope off; None where there is none."""
    for name in ("Records", "Messages"):
        if body.has(name):
            return Batch([Inner(item, path, attributes) for path, item in body.items(name)])
    if body.has("Sns"):
        return _sns(body.need_object("Sns"), attributes)
    if body.has("eventSource"):
        origin = body.need_word("eventSource")
        if origin != "aws:sqs":
            return Ignored("is a record of neither SQS nor SNS", origin)
        return _text(body, "body", attributes)
    if body.has("messageId") and (body.has("body") or body.has("receiptHandle")):
        return _text(body, "body", attributes)
    if body.has("TopicArn"):
        return _sns(body, attributes)
    return None


def open_text(text: str) -> Ignored | None:
    """Know what AWS sends as plain text: budget notifications, through SNS with raw delivery."""
    if "aws budget" in text.lower() and not _is_json(text):
        return Ignored("is plain text, and not a region-health notification", "aws.budget")
    return None


def _sns(notification: Fields, attributes: Attributes) -> Opened:
    if notification.word("Type") in _HANDSHAKES:
        return Ignored("is a handshake of SNS, which confirms a subscription", "aws.sns.handshake")
    message = notification.prose("Message")
    if message and not _is_json(message):
        return open_text(message) or Ignored(
            "is plain text, and not a region-health notification", "aws.sns.text"
        )
    return _text(notification, "Message", attributes)


def _text(body: Fields, name: str, attributes: Attributes) -> Inner:
    content = body.raw(name)
    if not isinstance(content, str):
        body.fault(name, "must be JSON text")
    return Inner(content, body.path(name), attributes)


def _is_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")
