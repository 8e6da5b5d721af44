"""Azure Service Health and Resource Health.

Both are categories of the activity log, and arrive as its records, as alerts on it, and (Resource
Health) as events of Event Grid. The regions of a service issue are inside `impactedServices`, JSON
in a string; `region` beside it is a summary for people. A resource's health names a region only
where its id or its properties do, which for a virtual machine they do not.

Sources, under learn.microsoft.com/azure/: service-health/service-notifications (properties and
stages), azure-monitor/alerts/alerts-payload-samples, azure-monitor/platform/activity-log-schema,
event-grid/event-schema-health-resources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from crosswind.signals import Fields, Ignored, Observation, source
from crosswind.signals.observation import Statement
from crosswind_events import Event

from . import regions

SERVICES: Final = {"servicehealth", "resourcehealth"}
"""`monitoringService` of the alerts read here, in lower case without blanks."""

_INCIDENT: Final = "azure.servicehealth.incident"
_RESOURCE: Final = "azure.resourcehealth"
_STAGES: Final[dict[str, Statement]] = {"active": "unhealthy", "resolved": "recovered"}
_STATUSES: Final[dict[str, Statement]] = {
    "unavailable": "unhealthy",
    "degraded": "unhealthy",
    "available": "recovered",
}


def category(record: Fields) -> str | None:
    """The category of an activity log record, if it is one of the two read here."""
    if not record.has("properties"):
        return None
    for name in ("category", "eventSource"):
        value = record.raw(name)
        if isinstance(value, Mapping):
            value = record.need_object(name).raw("value")
        word = "".join(value.lower().split()) if isinstance(value, str) else ""
        if word in SERVICES:
            return word
    return None


def read_record(record: Fields) -> list[Event[Any]] | Ignored:
    """Read one record of the activity log."""
    if category(record) == "servicehealth":
        return _read_incident(record, [record.text("resourceId")])
    return _read_resource(record, [record.text("resourceId")])


def read_alert(data: Fields) -> list[Event[Any]] | Ignored:
    """Read the `data` of an alert in the common schema."""
    essentials, context = data.need_object("essentials"), data.need_object("alertContext")
    data.check()
    if essentials.word("monitoringService") == "servicehealth":
        return _read_incident(context, essentials.texts("alertTargetIDs"), essentials)
    return _read_resource(context, essentials.texts("alertTargetIDs"), essentials)


def _read_incident(
    record: Fields, targets: Sequence[str | None], essentials: Fields | None = None
) -> list[Event[Any]] | Ignored:
    said = _properties(record)
    incident_type = said.need_word("incidentType")
    said.check()
    if incident_type != "incident":
        kind = f"azure.servicehealth.{incident_type}"
        return Ignored(f"is {said.text('incidentType')}, not a service issue", kind)

    tracking = said.need("trackingId")
    stage = said.need_word("stage")
    synthetic = said.flag("isSynthetic")
    time = _time(record, essentials)
    names = list(_impacted(said))
    places = regions.find(name for _, name in names)
    services = dict.fromkeys(service for service, _ in names if service)
    title, text = said.prose("title"), said.prose("communication")
    communication = said.text("communicationId") or time.isoformat()
    said.check()
    if synthetic or tracking == "TEST-TTT":
        return Ignored("is a test notification of Service Health", _INCIDENT)
    if stage not in _STAGES:
        return Ignored(f"is at stage {stage}, which says nothing about now", _INCIDENT)
    return Observation(
        kind=_INCIDENT,
        statement=_STAGES[stage],
        evidence="provider",
        regions=places.regions,
        unread=places.unread,
        source=source(
            "management.azure.com", "providers/Microsoft.ResourceHealth/events", tracking
        ),
        key=(communication, stage),
        id=tracking,
        account=next(filter(None, map(regions.subscription, filter(None, targets))), None),
        name=title,
        service=next(iter(services)) if len(services) == 1 else None,
        time=time,
        reason=": ".join(filter(None, [title, text])),
        labels={"services": ", ".join(services)},
    ).events()


def _time(record: Fields, essentials: Fields | None) -> datetime:
    """When the statement was made: a record says it itself, and failing that the alert on it."""
    time = record.instant("eventTimestamp") or record.instant("time")
    if time is None and essentials is not None:
        time = essentials.instant("firedDateTime")
    return time or record.need_instant("eventTimestamp")


def _properties(record: Fields) -> Fields:
    """What a record says; a streamed record has it one level deeper."""
    properties = record.need_object("properties")
    return properties.object("eventProperties") or properties


def _impacted(said: Fields) -> Iterator[tuple[str | None, str]]:
    for service in said.objects("impactedServices"):
        for region in service.objects("ImpactedRegions"):
            yield service.text("ServiceName"), region.need("RegionName")


def _read_resource(
    record: Fields, targets: Sequence[str | None], essentials: Fields | None = None
) -> list[Event[Any]] | Ignored:
    said = _properties(record)
    time = _time(record, essentials)
    status = said.word("currentHealthStatus") or said.need_word("healthStatus")
    cause = said.word("cause") or said.word("healthEventCause")
    named = regions.in_properties(said)
    reason = [said.prose("title"), said.prose("details")]
    record.check()
    resource = next((target for target in targets if target), None)
    if resource is None:
        record.fault("resourceId", "is required")
        record.check()
    return _resource(
        resource or "",
        named,
        status=status,
        cause=cause,
        time=time,
        reason=": ".join(filter(None, reason)),
    )


def read_resource_event(event: Fields) -> list[Event[Any]] | Ignored:
    """Read a resource health event of Event Grid, in either of its schemas."""
    kind = event.word("eventType") or event.need_word("type")
    said = event.need_object("data").need_object("resourceInfo").need_object("properties")
    event.check()
    if not kind.endswith(".availabilitystatuschanged"):
        return Ignored("an annotation says why, not whether, a resource is unwell", _RESOURCE)
    resource = said.need("targetResourceId")
    status = said.need_word("availabilityState")
    time = said.instant("occurredTime") or event.instant("eventTime") or event.need_instant("time")
    named = regions.in_properties(said)
    event.check()
    return _resource(resource, named, status=status, cause=None, time=time, reason="")


def _resource(
    resource: str, named: list[str], *, status: str, cause: str | None, time: datetime, reason: str
) -> list[Event[Any]] | Ignored:
    if cause == "userinitiated":
        return Ignored("a user did this on purpose: the region is not unwell", _RESOURCE)
    if status not in _STATUSES:
        return Ignored(f"the resource is {status}, which says nothing", _RESOURCE)
    places = regions.find([*named, *regions.in_resource(resource)])
    return Observation(
        kind=_RESOURCE,
        statement=_STATUSES[status],
        evidence="provider",
        regions=places.regions,
        unread=places.unread,
        source=source(
            "management.azure.com",
            resource.lower(),
            "providers/Microsoft.ResourceHealth/availabilityStatuses/current",
        ),
        key=(time.isoformat(), status),
        id=resource,
        account=regions.subscription(resource),
        time=time,
        reason=reason or f"{resource.rsplit('/', 1)[-1]} is {status}",
        labels={"cause": cause},
    ).events()
