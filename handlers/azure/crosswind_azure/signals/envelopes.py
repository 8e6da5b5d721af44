"""The envelopes in which Azure delivers a notification.

Event Grid in its own schema (`eventType`, `data`) and in the CloudEvents schema, structured or
binary; the older webhook of the activity log (`data.context.activityLog`); and the activity log as
a stream (`records`). Arrays are batches. A Service Bus body is one of these.

Sources: learn.microsoft.com/azure/event-grid/event-schema and /cloud-event-schema,
learn.microsoft.com/azure/azure-monitor/alerts/activity-log-alerts-webhook and
/azure-monitor/platform/activity-log-schema.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any, Final

from crosswind.signals import Attributes, Batch, Fields, Ignored, Inner, Opened

COMMON_SCHEMA: Final = "azuremonitorcommonalertschema"
"""`schemaId` of the common alert schema, in lower case."""

HEALTH_RESOURCES: Final = "microsoft.resourcenotifications.healthresources."
"""How the types of Event Grid's resource health events begin, in lower case."""

_ACTIVITY_LOG: Final = "microsoft.insights/activitylogs"
_PREFIXES: Final = ("ce-", "cloudevents:", "cloudevents_")
_BEYOND_HEALTH: Final = {
    "microsoft.keyvault.": "azure.key",
    "microsoft.eventgrid.": "azure.eventgrid",
}


def open_envelope(body: Fields, attributes: Attributes) -> Opened:
    """Take one envelope off; None where there is none."""
    if headers := _cloud_event(attributes):
        return Inner({**headers, "data": body.value}, body.where, {})
    if body.has("records"):
        return Batch([Inner(item, path, attributes) for path, item in body.items("records")])
    if body.has("eventType") or body.has("specversion", "type"):
        return _grid(body, attributes)
    if body.word("schemaId") == _ACTIVITY_LOG:
        context = body.need_object("data").need_object("context")
        record = context.need_object("activityLog")
        return Inner(record.value, record.where, attributes)
    return None


def _cloud_event(attributes: Attributes) -> dict[str, Any]:
    """The attributes of a binary CloudEvent; empty where it is none."""
    found = {}
    for name, value in attributes.items():
        for prefix in _PREFIXES:
            if name.lower().startswith(prefix):
                found[name.lower().removeprefix(prefix)] = value
    return found if found.keys() >= {"specversion", "type"} else {}


def _grid(event: Fields, attributes: Attributes) -> Opened:
    kind = event.word("eventType") or event.need_word("type")
    if kind.startswith(HEALTH_RESOURCES):
        return None
    for prefix, meaning in _BEYOND_HEALTH.items():
        if kind.startswith(prefix):
            return Ignored("this event is not a region-health notification", meaning)
    if event.has("data_base64"):
        return _decoded(event, attributes)
    data = event.raw("data")
    if isinstance(data, str | Mapping):
        return Inner(data, event.path("data"), attributes)
    return Ignored("this event is not a region-health notification", kind)


def _decoded(event: Fields, attributes: Attributes) -> Inner:
    content = b""
    try:
        content = binascii.a2b_base64(event.need("data_base64"), strict_mode=True)
    except ValueError as error:
        event.fault("data_base64", f"is not base64: {error}")
    return Inner(content, event.path("data_base64"), attributes)
