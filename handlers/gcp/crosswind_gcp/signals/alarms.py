"""Cloud Monitoring incidents, schema 1.2, from a Pub/Sub or webhook notification channel.

The region is what the monitored resource's own labels say (`region`, `location` or `zone`). An
uptime check has none of them, and where its checker stood is not where the trouble is. A closing
is recovery only where the condition was seen to hold no longer: an incident also closes when its
policy is changed or deleted, when data stops, when a person closes it, and a log match always
closes by itself.

Sources: docs.cloud.google.com/monitoring/support/notification-options (schema of the payload),
docs.cloud.google.com/monitoring/alerts/incidents-events (why incidents close),
docs.cloud.google.com/monitoring/api/resources (labels).
"""

from __future__ import annotations

import re
from typing import Any, Final

from crosswind.signals import Fields, Ignored, Observation, source
from crosswind.signals.observation import Statement
from crosswind_events import Event

from . import health, regions

_KIND: Final = "gcp.monitoring.incident"
_VERSION: Final = "1.2"
_STATES: Final[dict[str, Statement]] = {"open": "unhealthy", "closed": "recovered"}
_PLACES: Final = ("region", "location", "zone")
_NO_RECOVERY: Final = re.compile(
    r"\b(?:policy|policies|condition)\b[^.]{0,80}\b(?:deleted|removed|disabled|modified)\b"
    r"|\b(?:deleted|removed|disabled|modified) [^.]{0,80}\b(?:policy|policies|condition)\b"
    r"|\b(?:policy|policies|condition) (?:was|has been) (?:changed|updated|edited|snoozed)\b"
    r"|\bclosed (?:manually|automatically|by)\b|\b(?:manually|automatically|auto-?) ?closed\b"
    r"|\b(?:no data|stopped (?:receiving|reporting)|no longer (?:receiving|reporting))\b",
    re.IGNORECASE,
)
"""Words of a summary that say why an incident closed, other than that its condition ended."""


def read(notice: Fields) -> list[Event[Any]] | Ignored:
    """Read one incident notification without envelopes."""
    version = notice.need_word("version")
    notice.check()
    if version == "test":
        return Ignored("is a test notification of Cloud Monitoring", _KIND)
    if version != _VERSION:
        return Ignored(f"has version {version} of its schema; {_VERSION} is read", _KIND)

    incident = notice.need_object("incident")
    identity = incident.need("incident_id")
    state = incident.need_word("state")
    resource = incident.object("resource")
    condition = incident.object("condition")
    summary = incident.prose("summary") or ""
    measured = {
        "observed": incident.number("observed_value"),
        "threshold": incident.number("threshold_value"),
    }
    project = incident.text("scoping_project_id")
    metric = incident.object("metric")
    places = regions.find(_labels(resource))
    statement = _STATES.get(state)
    time = incident.need_instant("ended_at" if statement == "recovered" else "started_at")
    policy, name = incident.text("policy_name"), incident.text("condition_name")
    forecast = _is_forecast(condition)
    labels = {
        "condition": name,
        "resource_type": resource.text("type") if resource else None,
        "severity": incident.text("severity"),
    }
    url, measure = incident.prose("url"), metric.text("type") if metric else None
    notice.check()
    if statement is None:
        return Ignored(f"the incident is {state}: neither open nor closed", _KIND)
    if resource and resource.word("type") == health.RESOURCE:
        return Ignored("alarms on Service Health name no region: route its log entries", _KIND)
    if statement == "recovered" and (why := _unproven(condition, summary, forecast)):
        return Ignored(f"{why}, which proves no recovery", _KIND)
    return Observation(
        kind=_KIND,
        statement="anomaly" if forecast else statement,
        evidence="alarm",
        regions=places.regions,
        unread=places.unread,
        source=source(
            "monitoring.googleapis.com",
            *(("projects", project) if project else ()),
            *("incidents", identity),
        ),
        key=(time.isoformat(),),
        id=identity,
        account=project,
        name=policy or name,
        url=url,
        metric=measure,
        time=time,
        reason=summary,
        labels=labels,
        measured=measured,
    ).events()


def _labels(resource: Fields | None) -> list[str]:
    labels = resource.object("labels") if resource else None
    return [] if labels is None else [text for name in _PLACES if (text := labels.text(name))]


def _is_forecast(condition: Fields | None) -> bool:
    """Whether the breach is only forecast: a detector's opinion, and no region is unwell yet."""
    threshold = condition.object("conditionThreshold") if condition else None
    return threshold is not None and threshold.has("forecastOptions")


def _unproven(condition: Fields | None, summary: str, forecast: bool) -> str | None:
    if condition and condition.has("conditionMatchedLog"):
        return "a log match closes by itself"
    if forecast:
        return "a forecast was withdrawn"
    if _NO_RECOVERY.search(summary[:2000]):
        return "the incident did not close because its condition ended"
    return None
