"""What every Azure notification becomes: the table is the specification."""

from __future__ import annotations

import json

import pytest

from crosswind_azure.signals import translate_each
from unit.signals.expectations import Bad, Case, Says, Silent, matches, names, value, verify


def incident(*regions: str) -> list[Says]:
    time = "2026-03-02T22:00:19.031269Z"
    return [Says("unhealthy", f"azure/{region}", time, "provider") for region in regions]


def fired(region: str) -> list[Says]:
    return [Says("unhealthy", f"azure/{region}", "2026-03-02T13:45:24.371321Z", "alarm")]


def resource(statement: str, time: str) -> list[Says]:
    return [Says(statement, "azure/swedencentral", f"2026-03-02T{time}Z", "provider")]


HEALTH, RESOURCE = "azure.servicehealth.incident", "azure.resourcehealth"
NO_REGION = "names no region, and none is invented"
NOT_HEALTH = "not a region-health notification"
ANOMALY = "2026-03-02T13:45:24.371321Z"

CASES = [
    # Service Health, as an action group posts it
    Case("service-health-active", [incident("eastus2")]),
    Case(
        "service-health-resolved",
        [[Says("recovered", "azure/eastus2", "2026-03-02T23:41:00.500000Z", "provider")]],
    ),
    Case("service-health-rca", [Silent(HEALTH, "at stage rca")]),
    Case("service-health-several-regions", [incident("eastus2", "swedencentral")]),
    Case("service-health-impacted-list", [incident("uksouth")]),
    Case("service-health-global", [incident("global")]),
    Case("service-health-no-regions", [Silent(HEALTH, NO_REGION)]),
    Case("service-health-maintenance", [Silent("azure.servicehealth.maintenance", "Maintenance")]),
    Case(
        "service-health-advisory", [Silent("azure.servicehealth.actionrequired", "ActionRequired")]
    ),
    Case("service-health-test", [Silent(HEALTH, "test notification")]),
    # Service Health, every other way
    Case("service-health-activity-log", [incident("eastus2")]),
    Case("service-health-webhook", [incident("eastus2")]),
    Case("service-health-event-grid", [incident("eastus2")]),
    Case("service-health-cloud-event", [incident("eastus2")]),
    Case("service-health-service-bus", [incident("eastus2")]),
    # Resource Health
    Case("resource-health-unavailable", [Silent(RESOURCE, NO_REGION)]),
    Case("resource-health-with-location", [resource("unhealthy", "15:42:54.074000")]),
    Case("resource-health-available", [resource("recovered", "16:42:54.074000")]),
    Case("resource-health-user-initiated", [Silent(RESOURCE, "on purpose")]),
    Case("resource-health-unknown", [Silent(RESOURCE, "is unknown")]),
    Case("resource-health-activity-log", [resource("unhealthy", "15:33:43.650000")]),
    Case("resource-health-stream", [resource("unhealthy", "13:07:46.766000")]),
    Case("availability-changed-event-grid", [Silent(RESOURCE, NO_REGION)]),
    Case("availability-changed-with-location", [resource("unhealthy", "01:39:50.177000")]),
    Case("availability-changed-cloud-event", [resource("recovered", "02:10:00.250000")]),
    Case("resource-annotated-cloud-event", [Silent(RESOURCE, "an annotation")]),
    # Alerts
    Case("metric-fired", [fired("eastus2")]),
    Case(
        "metric-resolved",
        [[Says("recovered", "azure/eastus2", "2026-03-02T14:03:16.224631Z", "alarm")]],
    ),
    Case("metric-fired-region-dimension", [fired("swedencentral")]),
    Case("metric-fired-no-region", [Silent("azure.platform.alert", NO_REGION)]),
    Case("metric-fired-event-grid", [fired("eastus2")]),
    Case("metric-dynamic-fired", [[Says("anomaly", None, ANOMALY)]]),
    Case("metric-dynamic-fired-region", [[Says("anomaly", "azure/westeurope", ANOMALY)]]),
    Case("metric-dynamic-resolved", [Silent("azure.platform.alert", "no recovery")]),
    Case("metric-web-test", [Silent("azure.platform.alert", NO_REGION)]),
    Case("metric-test", [Silent("azure.platform", "test notification")]),
    Case("log-fired", [fired("northeurope")]),
    Case("smart-detector-fired", [[Says("anomaly", None, ANOMALY)]]),
    Case("metric-webhook-legacy", [Silent("azuremonitormetricalert", "common alert schema")]),
    # Not about the health of a region
    Case("budget", [Silent("azure.budget", NOT_HEALTH)]),
    Case("budget-legacy", [Silent("azure.budget", NOT_HEALTH)]),
    Case("secret-near-expiry", [Silent("azure.key", NOT_HEALTH)]),
    Case("subscription-validation", [Silent("azure.eventgrid", NOT_HEALTH)]),
    Case("administrative", [Silent("azure.activitylog-administrative", NOT_HEALTH)]),
    # A batch in which two records are bad
    Case(
        "event-grid-mixed",
        [
            incident("eastus2"),
            Bad(("[1].data.data.alertContext.properties.trackingId",)),
            Bad(("[2].data.data.alertContext.condition.allOf[0].metricValue",)),
            Silent("azure.key", NOT_HEALTH),
        ],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fixture)
def test_a_notification_becomes_what_the_table_says(case: Case) -> None:
    verify(case, "azure", translate_each)


def test_every_fixture_is_in_the_table() -> None:
    assert names("azure") == {case.fixture for case in CASES}


@pytest.mark.parametrize("prefix", ["ce-", "cloudEvents:", "cloudEvents_"])
def test_a_binary_cloud_event_is_read_from_its_headers_and_its_data(prefix: str) -> None:
    (event,) = value("azure", "availability-changed-cloud-event")
    data = json.dumps(event.pop("data"))
    headers = {f"{prefix}{name}": text for name, text in event.items()}

    (outcome,) = translate_each(data, {**headers, "content-type": "application/json"})

    assert matches(outcome, resource("recovered", "02:10:00.250000")), outcome


def test_an_activity_log_record_of_another_category_is_ignored() -> None:
    record = value("azure", "service-health-activity-log")
    record["category"]["value"] = "Administrative"

    assert matches(translate_each(record)[0], Silent(None, "is no notification of Azure"))


def test_an_event_grid_event_without_an_object_in_it_is_ignored() -> None:
    (event,) = value("azure", "service-health-event-grid")
    for data in (None, 7, [1]):
        (outcome,) = translate_each({**event, "data": data})
        assert matches(outcome, Silent("example.alertforwarded", NOT_HEALTH))


def test_a_record_without_a_time_of_its_own_has_that_of_the_alert_on_it() -> None:
    alert = value("azure", "service-health-active")
    del alert["data"]["alertContext"]["eventTimestamp"]
    (outcome,) = translate_each(alert)

    expected = [Says("unhealthy", "azure/eastus2", "2026-03-02T22:01:31.714735Z", "provider")]
    assert matches(outcome, expected), outcome
