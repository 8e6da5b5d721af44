"""The envelopes in which Google Cloud delivers a notification.

Pub/Sub push (`message` and `subscription`), an answer of a pull (`receivedMessages`), a bare
PubsubMessage, and the CloudEvents of Eventarc, whose data is a push body. The notification itself
is the base64 `data`; an unwrapped push has taken it out already and turned attributes to headers.

Sources: docs.cloud.google.com/pubsub/docs/push and /payload-unwrapping,
docs.cloud.google.com/eventarc/standard/docs/cloudevents, github.com/googleapis/google-cloudevents.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Final

from crosswind.signals import Attributes, Batch, Fields, Ignored, Inner, Opened

_ORIGIN: Final = "google.cloud."
"""How the type of every CloudEvent of Google Cloud begins."""

_MESSAGE: Final = {
    *("@type", "data", "attributes", "messageid", "message_id", "publishtime", "publish_time"),
    *("orderingkey", "ordering_key", "deliveryattempt"),
}
"""The fields of a PubsubMessage, in lower case."""

_PUSH: Final = {"message", "subscription", "ackid", "ack_id", "deliveryattempt"}
"""The fields around a PubsubMessage, in lower case."""


def open_envelope(body: Fields, attributes: Attributes) -> Opened:
    """Take one envelope off; None where there is none."""
    if beyond := _beyond_health(attributes):
        return beyond
    if body.has("receivedMessages"):
        records = body.items("receivedMessages")
        return Batch([Inner(item, path, attributes) for path, item in records])
    if body.has("specversion", "type"):
        return _cloud_event(body, attributes)
    names = {name.lower() for name in body.value if isinstance(name, str)}
    if names & {"message", "subscription"} and names <= _PUSH:
        return _message(body.need_object("message"), attributes)
    if names & {"data", "attributes"} and names <= _MESSAGE:
        return _message(body, attributes)
    return None


def _cloud_event(body: Fields, attributes: Attributes) -> Opened:
    kind = body.need("type")
    if not kind.startswith(_ORIGIN):
        return Ignored("is an event of somebody else, not a notification of Google Cloud", kind)
    if body.has("data_base64"):
        return _decoded(body, "data_base64", attributes)
    data = body.raw("data")
    if not isinstance(data, str | Mapping):
        body.fault("data", "is required, as an object or as JSON text")
    return Inner(data, body.path("data"), attributes)


def _message(message: Fields, attributes: Attributes) -> Opened:
    beside = dict(attributes)
    if own := message.object("attributes"):
        for name, value in own.value.items():
            if isinstance(name, str) and isinstance(value, str):
                beside[name] = value
            else:
                own.fault(str(name), "must be text")
    return _beyond_health(beside) or _decoded(message, "data", beside)


def _decoded(body: Fields, name: str, attributes: Attributes) -> Inner:
    text = body.raw(name)
    content = b""
    if not isinstance(text, str) or not text:
        body.fault(name, "is required, as base64 text")
    else:
        try:
            content = binascii.a2b_base64(text, strict_mode=True)
        except ValueError as error:
            body.fault(name, f"is not base64: {error}")
    return Inner(content, body.path(name), attributes)


def _beyond_health(attributes: Attributes) -> Ignored | None:
    """What the attributes alone show to be about something else than the health of a region."""
    named = {name.lower().removeprefix("ce-"): value for name, value in attributes.items()}
    if "billingaccountid" in named or "budgetid" in named:
        return Ignored("a budget is not a region-health notification", "gcp.budget")
    if named.get("eventtype", "").upper().startswith("SECRET_"):
        return Ignored("a secret is not a region-health notification", "gcp.key")
    kind = named.get("type", "")
    if "specversion" in named and not kind.startswith(_ORIGIN):
        return Ignored("is an event of somebody else, not a notification of Google Cloud", kind)
    return None
