"""Google Cloud Service Health entries and Cloud Monitoring incidents, as neutral events.

They are read bare (webhook) and in every envelope in which Google delivers them: Pub/Sub push,
pull, unwrapped with attributes, and Eventarc in binary and structured mode. Nothing is asked of
Google and no clock is read. What is not about the health of a region is `Ignored`.
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
from .envelopes import open_envelope

__all__ = ["Ignored", "SignalRejected", "Translated", "translate", "translate_each"]

_BEYOND_HEALTH: Final = {
    "cloudkms.googleapis.com": "gcp.key",
    "secretmanager.googleapis.com": "gcp.key",
}
"""Services whose audit log entries other translations read; here they are ignored."""


def translate(payload: Payload, attributes: Attributes | None = None) -> list[Event[Any]] | Ignored:
    """Turn one delivery into neutral events.

    Args:
        payload: the body as it arrived: bytes, text, or the decoded JSON.
        attributes: the message's attributes where they are not in the body: HTTP headers of an
            unwrapped push or of a binary CloudEvent.

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
    if notice.has("incident"):
        return alarms.read(notice)
    if notice.has("budgetDisplayName"):
        return Ignored("a budget is not a region-health notification", "gcp.budget")
    if health.is_entry(notice):
        return health.read(notice)
    if not notice.has("logName"):
        return Ignored("is no notification of Google Cloud that is known here")
    audit = notice.object("protoPayload")
    service = (audit.word("serviceName") if audit else None) or ""
    notice.check()
    kind = _BEYOND_HEALTH.get(service, "gcp.log")
    return Ignored("this log entry is not a region-health notification", kind)


_TRANSLATOR: Final = Translator(open_envelope, _read)
