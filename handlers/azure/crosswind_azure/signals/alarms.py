"""Azure Monitor alerts on metrics and logs, in the common alert schema.

A static threshold is an alarm; a dynamic threshold and a smart detector are a model's opinion, and
become anomalies. The schema has no field for the region: `regions` says where it can stand. What
an availability test calls a location is where it stood, not where the trouble is.

Source: learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema and
/alerts-payload-samples (the test notifications of an action group too).
"""

from __future__ import annotations

from typing import Any, Final

from crosswind.signals import Fields, Ignored, Observation, source
from crosswind.signals.observation import Statement
from crosswind_events import Event

from . import regions

SERVICES: Final = {"platform", "logalertsv2", "smartdetector"}
"""`monitoringService` of the alerts read here, in lower case without blanks."""

_STATES: Final[dict[str, Statement]] = {"fired": "unhealthy", "resolved": "recovered"}
_TIMES: Final = {"unhealthy": "firedDateTime", "recovered": "resolvedDateTime"}
_WEB_TEST: Final = "webtestlocationavailabilitycriteria"
_TEST_GROUP: Final = "/resourcegroups/test-rg/"
_TEST_ORIGIN: Final = "_test-RG_microsoft.insights_"


def is_test(essentials: Fields) -> bool:
    """Whether an action group's `Test` button sent this: rule, group and resource are `test-`."""
    if not (essentials.text("alertRule") or "").startswith("test-"):
        return False
    targets = essentials.texts("alertTargetIDs")
    return _TEST_ORIGIN in (essentials.text("originAlertId") or "") or any(
        _TEST_GROUP in target.lower() for target in targets
    )


def read(data: Fields) -> list[Event[Any]] | Ignored:
    """Read the `data` of an alert in the common schema."""
    essentials, context = data.need_object("essentials"), data.need_object("alertContext")
    service = essentials.need_word("monitoringService")
    kind = f"azure.{service}.alert"
    identity, state = essentials.need("alertId"), essentials.need_word("monitorCondition")
    data.check()
    statement = _STATES.get(state)
    if statement is None:
        return Ignored(f"the alert is {state}: neither fired nor resolved", kind)

    time = essentials.need_instant(_TIMES[statement])
    targets = essentials.texts("alertTargetIDs")
    rule, description = essentials.text("alertRule"), essentials.prose("description")
    severity, link = essentials.text("severity"), essentials.prose("investigationLink")
    condition = context.object("condition")
    criteria = condition.objects("allOf") if condition else []
    condition_type = context.word("conditionType") or ""
    named = [
        *regions.in_properties(data.object("customProperties")),
        *regions.in_properties(context.object("properties")),
        *(place for target in targets for place in regions.in_resource(target)),
    ]
    if condition_type != _WEB_TEST:
        for criterion in criteria:
            named += regions.in_dimensions(criterion.objects("dimensions"))
    first = criteria[0] if criteria else None
    metric = first.text("metricName") if first else None
    measured = {
        "value": first.number("metricValue") if first else None,
        "threshold": first.number("threshold") if first else None,
    }
    data.check()
    if _is_model(service, condition_type, criteria):
        if statement == "recovered":
            return Ignored("the metric is back where a model expects it: no recovery", kind)
        statement = "anomaly"
    places = regions.find(named)
    return Observation(
        kind=kind,
        statement=statement,
        evidence="alarm",
        regions=places.regions,
        unread=places.unread,
        source=source("management.azure.com", identity),
        key=(time.isoformat(),),
        id=identity,
        account=regions.subscription(next(iter(targets), "")),
        name=rule,
        url=link,
        metric=metric,
        time=time,
        reason=description or f"{rule or metric or 'an alert'} is {state}",
        labels={"severity": severity, "condition": condition_type, "targets": ", ".join(targets)},
        measured=measured,
    ).events()


def _is_model(service: str, condition_type: str, criteria: list[Fields]) -> bool:
    return (
        service == "smartdetector"
        or condition_type.startswith("dynamicthreshold")
        or any(criterion.has("alertSensitivity") for criterion in criteria)
    )
