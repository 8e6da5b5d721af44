"""Azure Service Health, Resource Health and alerts, as neutral events about a region's health.

They are read as an action group posts them (common alert schema, and the older one of the activity
log), as records of the activity log, and as Event Grid and Service Bus deliver any of these: in the
Event Grid or CloudEvents schema, single or in an array. Nothing is asked of Azure and no clock is
read. What is not about the health of a region is `Ignored`.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from .envelopes import COMMON_SCHEMA, HEALTH_RESOURCES, open_envelope

__all__ = ["Ignored", "SignalRejected", "Translated", "translate", "translate_each"]

_BEYOND_HEALTH: Final = {"costalerts": "azure.budget", "aipbudgetnotification": "azure.budget"}
"""What other translations read; here it is ignored."""


def translate(payload: Payload, attributes: Attributes | None = None) -> list[Event[Any]] | Ignored:
    """Turn one delivery into neutral events.

    Args:
        payload: the body as it arrived: bytes, text, or the decoded JSON.
        attributes: what stood beside the body: HTTP headers or application properties of a binary
            CloudEvent, whose body is its data alone.

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
    schema = notice.word("schemaId") or ""
    if schema == COMMON_SCHEMA or (not schema and _is_alert(notice)):
        return _common(notice)
    if (notice.word("eventType") or notice.word("type") or "").startswith(HEALTH_RESOURCES):
        return health.read_resource_event(notice)
    if health.category(notice):
        return health.read_record(notice)
    notice.check()
    if kind := _BEYOND_HEALTH.get(schema):
        return Ignored("a budget is not a region-health notification", kind)
    if schema:
        return Ignored("is not in the common alert schema: turn it on in the action group", schema)
    return Ignored("is no notification of Azure that is known here")


def _is_alert(notice: Fields) -> bool:
    data = notice.raw("data")
    return isinstance(data, Mapping) and "essentials" in data


def _common(notice: Fields) -> list[Event[Any]] | Ignored:
    """Read an alert in the common schema by the service that raised it."""
    notice.need("schemaId")
    data = notice.need_object("data")
    essentials = data.need_object("essentials")
    service = essentials.need_word("monitoringService")
    notice.check()
    if alarms.is_test(essentials):
        return Ignored("is a test notification of an action group", f"azure.{service}")
    if service in health.SERVICES:
        return health.read_alert(data)
    if service in alarms.SERVICES:
        return alarms.read(data)
    kind = _BEYOND_HEALTH.get(service, f"azure.{service}")
    return Ignored(
        f"an alert of {essentials.text('monitoringService')} is not a region-health notification",
        kind,
    )


_TRANSLATOR: Final = Translator(open_envelope, _read)
