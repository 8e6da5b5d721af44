"""AWS Health events and CloudWatch alarms, as neutral events about the health of a region.

They are read bare and in every envelope in which AWS delivers them: EventBridge, SNS, SQS, the
Lambda batches of both, and these inside each other. Nothing is asked of AWS and no clock is read.
What is not about the health of a region (budgets, keys, planned maintenance) is `Ignored`.
"""

from __future__ import annotations

from typing import Any, Final

from crosswind.signals import (
    Attributes,
    Fields,
    Ignored,
    Payload,
    SignalRejected,
    Translated,
    Translator,
)
from crosswind_events import Event

from . import alarms, health
from .envelopes import open_envelope, open_text

__all__ = ["Ignored", "SignalRejected", "Translated", "translate", "translate_each"]

_BEYOND_HEALTH: Final = {
    "aws.acm": "aws.certificate",
    "aws.budgets": "aws.budget",
    "aws.ce": "aws.budget",
    "aws.kms": "aws.key",
    "aws.secretsmanager": "aws.key",
}
"""EventBridge sources whose events other translations read; here they are ignored."""


def translate(payload: Payload, attributes: Attributes | None = None) -> list[Event[Any]] | Ignored:
    """Turn one delivery into neutral events.

    Args:
        payload: the body as it arrived: bytes, text, or the decoded JSON.
        attributes: message attributes beside the body; AWS needs none to be understood.

    Returns:
        The events of every notification in the delivery, one per region named; or `Ignored`, if
        none of them says anything about the health of a region.

    Raises:
        SignalRejected: some record cannot be read; every fault of every bad record is named.
            `translate_each` spares the neighbours of a bad record.
    """
    return _TRANSLATOR.one(payload, attributes)


def translate_each(payload: Payload, attributes: Attributes | None = None) -> list[Translated]:
    """Turn a delivery into what became of each record in it, in order; it never raises.

    The arguments are those of `translate`.
    """
    return _TRANSLATOR.each(payload, attributes)


def _read(notice: Fields) -> list[Event[Any]] | Ignored:
    if notice.has("alarmData"):
        return alarms.read_action(notice)
    if notice.has("AlarmName"):
        return alarms.read_sns(notice)
    if not notice.has("detail"):
        return Ignored("is no notification of AWS that is known here")
    source, detail_type = notice.need_word("source"), notice.need_word("detail-type")
    notice.check()
    if (source, detail_type) == ("aws.health", "awshealthevent"):
        return health.read(notice)
    if (source, detail_type) == ("aws.cloudwatch", "cloudwatchalarmstatechange"):
        return alarms.read_event(notice)
    kind = _BEYOND_HEALTH.get(source, source)
    return Ignored(f"{notice.text('detail-type')} is not a region-health notification", kind)


_TRANSLATOR: Final = Translator(open_envelope, _read, open_text)
