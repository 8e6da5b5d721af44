"""The webhook of Event Grid triggers: handshakes, and the events in a request.

Source: learn.microsoft.com/azure/event-grid/receive-events and end-point-validation-event-grid-
events-schema, end-point-validation-cloud-events-schema; Azure/azure-sdk-for-net,
Microsoft.Azure.WebJobs.Extensions.EventGrid, `HttpRequestProcessor.cs`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crosswind_local.functions_host.process import Value

KIND = "aeg-event-type"
"""The header by which Event Grid tells what a request is, in either schema."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer over HTTP."""

    status: int
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = ()


def permission(headers: Mapping[str, str]) -> Reply:
    """The answer to OPTIONS, by which who sends CloudEvents asks whether it may.

    Source: github.com/cloudevents/spec, `http-webhook.md`, section 4.
    """
    origin = headers.get("webhook-request-origin")
    if not origin:
        return Reply(400, b"WebHook-Request-Origin is missing")
    return Reply(200, b"", [("WebHook-Allowed-Origin", origin), ("WebHook-Allowed-Rate", "*")])


def events_of(headers: Mapping[str, str], body: bytes) -> Reply | list[dict[str, Any]]:
    """The events that a request brings, or the answer to one that brings none.

    Header names are in lower case.
    """
    kind = headers.get(KIND, "").lower()
    if kind == "unsubscribe":
        return Reply(202)
    if kind not in {"subscriptionvalidation", "notification"}:
        return Reply(
            400, f"{KIND} must be SubscriptionValidation, Notification or Unsubscribe".encode()
        )
    try:
        content = json.loads(body)
    except ValueError as error:
        return Reply(400, f"the body is no JSON: {error}".encode())
    if kind == "subscriptionvalidation":
        return _handshake(content)
    events = content if isinstance(content, list) else [content]
    if not all(isinstance(event, dict) for event in events):
        return Reply(400, b"each event must be an object")
    return events


def value_of(event: dict[str, Any]) -> tuple[Value, dict[str, Value]]:
    """An event as it is passed to the worker, and what is told beside."""
    return {"json": json.dumps(event)}, {"data": {"json": json.dumps(event.get("data"))}}


def _handshake(content: Any) -> Reply:
    """Proof that this is the endpoint: the code that was sent, sent back."""
    try:
        if isinstance(content, list):
            code = content[0]["data"]["validationCode"]
        else:
            data = content["data"]
            # In the CloudEvents schema the data is JSON within a text.
            code = (json.loads(data) if isinstance(data, str) else data)["validationCode"]
    except (KeyError, IndexError, TypeError, ValueError):
        return Reply(400, b"a validation event has data.validationCode")
    answer = json.dumps({"validationResponse": code}).encode()
    return Reply(200, answer, [("Content-Type", "application/json; charset=utf-8")])
