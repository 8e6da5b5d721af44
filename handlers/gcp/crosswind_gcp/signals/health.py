"""Personalized Service Health: log entries of `servicehealth.googleapis.com`, through a log sink.

The regions are `jsonPayload.impactedLocations`; the resource label `location` is always `global`.
That field is a list in a string, which Google writes with single quotes: `"['us-central1']"`.
A closing tells of recovery unless the event was merged into another one, which goes on, or closed
by itself without anybody having looked.

Sources: docs.cloud.google.com/service-health/docs/logs, and there
reference/event-logs/rpc/google.cloud.servicehealth.logging.v1 (EventLog).
"""

from __future__ import annotations

import re
from typing import Any, Final

from crosswind.signals import Fields, Ignored, Observation, source
from crosswind.signals.observation import Statement
from crosswind_events import Event

from . import regions

RESOURCE: Final = "servicehealth.googleapis.com/event"
"""The monitored resource of these entries, in lower case."""

_KIND: Final = "gcp.servicehealth.incident"
_STATES: Final[dict[str, Statement]] = {"active": "unhealthy", "closed": "recovered"}
_NO_RECOVERY: Final = {
    "merged": "was merged into another event, which goes on",
    "auto_closed": "closed by itself, and nobody looked",
}
_SINGLE_QUOTED: Final = re.compile(r"\[\s*(?:'[^']*'\s*(?:,\s*'[^']*'\s*)*)?\]")


def is_entry(notice: Fields) -> bool:
    """Whether a log entry was written by Service Health."""
    resource = notice.object("resource")
    return resource is not None and resource.word("type") == RESOURCE


def read(notice: Fields) -> list[Event[Any]] | Ignored:
    """Read one log entry without envelopes."""
    payload = notice.need_object("jsonPayload")
    category = payload.need_word("category")
    payload.check()
    if category != "incident":
        return Ignored(f"is a {category}, not an incident", "gcp.servicehealth")

    labels = notice.need_object("resource").need_object("labels")
    event = labels.need("event_id")
    project = labels.text("resource_container")
    state, detailed = payload.need_word("state"), payload.word("detailedState") or ""
    relevance = payload.word("relevance")
    places = regions.find(_locations(payload))
    title, description = payload.prose("title"), payload.prose("description")
    products = payload.prose("impactedProducts")
    updated = payload.instant("updateTime")
    time = updated or notice.need_instant("timestamp")
    notice.check()
    statement = _STATES.get(state)
    if statement is None:
        return Ignored(f"the event is {state}: neither active nor closed", _KIND)
    if statement == "recovered" and detailed in _NO_RECOVERY:
        return Ignored(f"the event {_NO_RECOVERY[detailed]}: that proves no recovery", _KIND)
    if statement == "unhealthy" and relevance == "not_impacted":
        return Ignored("Google says that this project is not impacted", _KIND)
    return Observation(
        kind=_KIND,
        statement=statement,
        evidence="provider",
        regions=places.regions,
        unread=places.unread,
        source=source(
            "servicehealth.googleapis.com",
            *(("projects", project) if project else ()),
            *("locations", "global", "events", event),
        ),
        key=(time.isoformat(), state),
        id=event,
        account=project,
        name=title,
        time=time,
        reason=": ".join(filter(None, [title, description])),
        labels={"detailed_state": detailed, "relevance": relevance, "products": products},
    ).events()


def _locations(payload: Fields) -> list[str]:
    value = payload.raw("impactedLocations")
    if isinstance(value, str) and _SINGLE_QUOTED.fullmatch(value.strip()):
        return re.findall("'([^']*)'", value)
    return payload.texts("impactedLocations")
