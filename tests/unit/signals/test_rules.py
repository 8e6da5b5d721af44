"""The rules by which every cloud's notifications are read, each shown on all three."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

import crosswind_aws.signals as aws
import crosswind_azure.signals as azure
import crosswind_gcp.signals as gcp
from crosswind.signals import Ignored, SignalRejected
from crosswind_events import AnomalyDetected, Event, RegionRecovered, RegionUnhealthy
from unit.signals.changes import DROP, changed
from unit.signals.expectations import load, value

CLOUDS: dict[str, Any] = {"aws": aws, "gcp": gcp, "azure": azure}

OPENINGS = [
    ("aws", "health-issue-open"),
    ("aws", "alarm-event-alarm"),
    ("aws", "alarm-sns-alarm"),
    ("gcp", "service-health-active"),
    ("gcp", "incident-open"),
    ("azure", "service-health-active"),
    ("azure", "metric-fired"),
    ("azure", "availability-changed-with-location"),
]
CLOSINGS = [
    ("aws", "health-issue-closed", "health-issue-open"),
    ("aws", "alarm-event-ok", "alarm-event-alarm"),
    ("aws", "alarm-sns-ok", "alarm-event-alarm"),
    ("gcp", "service-health-closed", "service-health-active"),
    ("gcp", "incident-closed", "incident-open"),
    ("azure", "service-health-resolved", "service-health-active"),
    ("azure", "metric-resolved", "metric-fired"),
    ("azure", "availability-changed-cloud-event", "availability-changed-with-location"),
]


def events(cloud: str, payload: Any) -> list[Event[Any]]:
    outcome = CLOUDS[cloud].translate(payload)
    assert isinstance(outcome, list), outcome
    return outcome


def ignored(cloud: str, payload: Any) -> Ignored:
    outcome = CLOUDS[cloud].translate(payload)
    assert isinstance(outcome, Ignored), outcome
    return outcome


def refused(cloud: str, payload: Any) -> list[str]:
    with pytest.raises(SignalRejected) as caught:
        CLOUDS[cloud].translate(payload)
    return [str(fault) for fault in caught.value.faults]


# Rule 1: an opening is unhealthy, a closing is recovered, insufficient data is nothing.


@pytest.mark.parametrize(("cloud", "name"), OPENINGS)
def test_an_alarm_or_incident_that_opens_is_region_unhealthy(cloud: str, name: str) -> None:
    for event in events(cloud, load(cloud, name)):
        assert isinstance(event.data, RegionUnhealthy)
        assert event.type == "dev.crosswind.region.unhealthy.v1"
        assert event.subject == event.data.region


@pytest.mark.parametrize(("cloud", "closing", "opening"), CLOSINGS)
def test_its_closing_is_region_recovered_from_the_same_source_and_later(
    cloud: str, closing: str, opening: str
) -> None:
    opened, closed = events(cloud, load(cloud, opening)), events(cloud, load(cloud, closing))

    assert all(isinstance(event.data, RegionRecovered) for event in closed)
    assert {event.source for event in closed} == {event.source for event in opened}
    assert closed[0].time > opened[0].time


def test_insufficient_data_is_nothing() -> None:
    for name in ("alarm-event-insufficient-data", "alarm-sns-insufficient-data"):
        assert ignored("aws", load("aws", name)).kind == "aws.cloudwatch.alarm"


@pytest.mark.parametrize(
    ("cloud", "name", "path"),
    [
        ("aws", "health-issue-open", "detail__statusCode"),
        ("aws", "alarm-event-alarm", "detail__state__value"),
        ("gcp", "service-health-active", "jsonPayload__state"),
        ("gcp", "incident-open", "incident__state"),
        ("azure", "service-health-active", "data__alertContext__properties__stage"),
        ("azure", "metric-fired", "data__essentials__monitorCondition"),
    ],
)
def test_a_state_that_nobody_knows_is_ignored_by_name(cloud: str, name: str, path: str) -> None:
    assert "thawing" in ignored(cloud, changed(cloud, name, **{path: "Thawing"})).reason.lower()


# Rule 2: the delivery region is never the answer.


def test_aws_health_is_about_its_event_region_wherever_it_was_delivered() -> None:
    payload = changed("aws", "health-issue-open", region="eu-west-1", account="111122223333")

    assert [event.data.region for event in events("aws", payload)] == ["aws/us-east-1"]


def test_an_alarm_is_about_the_region_in_its_arn_wherever_it_was_delivered() -> None:
    for name in ("alarm-event-alarm", "alarm-action"):
        payload = changed("aws", name, region="eu-west-1")
        assert [event.data.region for event in events("aws", payload)] == ["aws/us-east-1"]
    payload = changed("aws", "alarm-sns-alarm", Region="EU (Ireland)")
    assert [event.data.region for event in events("aws", payload)] == ["aws/us-east-1"]


@pytest.mark.parametrize("namespace", ["AWS/Billing", "AWS/Route53", "AWS/TrustedAdvisor"])
def test_alarms_that_live_in_us_east_1_by_necessity_say_nothing_about_it(namespace: str) -> None:
    reason = ignored("aws", changed("aws", "alarm-sns-alarm", Trigger__Namespace=namespace)).reason
    assert namespace.lower() in reason

    path = "detail__configuration__metrics__0__metricStat__metric__namespace"
    assert ignored("aws", changed("aws", "alarm-event-alarm", **{path: namespace}))


def test_an_alarm_on_metrics_of_several_places_is_about_none_of_them() -> None:
    metrics = value("aws", "alarm-event-metric-math")["detail"]["configuration"]["metrics"]
    metrics[1]["metricStat"]["metric"]["namespace"] = "AWS/CloudFront"
    payload = changed("aws", "alarm-event-metric-math", detail__configuration__metrics=metrics)

    assert "aws/cloudfront, aws/ec2" in ignored("aws", payload).reason


def test_google_service_health_is_about_its_impacted_locations_not_its_resource() -> None:
    payload = changed("gcp", "service-health-active", resource__labels__location="europe-west1")

    assert [event.data.region for event in events("gcp", payload)] == [
        "gcp/us-central1",
        "gcp/us-west1",
    ]


def test_azure_service_health_is_about_the_regions_inside_impacted_services() -> None:
    path = "data__alertContext__properties__region"
    payload = changed("azure", "service-health-active", **{path: "West Europe"})

    assert [event.data.region for event in events("azure", payload)] == ["azure/eastus2"]


def test_where_a_checker_stood_is_not_where_the_trouble_is() -> None:
    assert ignored("gcp", load("gcp", "incident-uptime-check"))
    assert ignored("azure", load("azure", "metric-web-test"))


# Rule 3: no region is invented; a global service is global; zones and spellings fold.


@pytest.mark.parametrize(
    ("cloud", "name", "path", "new"),
    [
        ("aws", "health-issue-open", "detail__eventRegion", DROP),
        ("aws", "health-issue-open", "detail__eventRegion", ""),
        ("aws", "alarm-event-alarm", "resources", DROP),
        ("aws", "alarm-event-alarm", "resources", ["arn:aws:s3:::example"]),
        ("aws", "alarm-sns-alarm", "AlarmArn", None),
        ("gcp", "service-health-active", "jsonPayload__impactedLocations", DROP),
        ("gcp", "incident-open", "incident__resource", DROP),
        ("gcp", "incident-open", "incident__resource__labels", {"project_id": "example"}),
        ("azure", "service-health-active", "data__alertContext__properties__impactedServices", ""),
        ("azure", "metric-fired", "data__customProperties", DROP),
    ],
)
def test_without_a_region_in_the_payload_none_is_invented(
    cloud: str, name: str, path: str, new: object
) -> None:
    assert "names no region" in ignored(cloud, changed(cloud, name, **{path: new})).reason


@pytest.mark.parametrize(
    ("cloud", "name", "path", "new", "region"),
    [
        ("aws", "health-issue-open", "detail__eventRegion", "global", "aws/global"),
        ("aws", "health-issue-open", "detail__eventRegion", " US-East-1 ", "aws/us-east-1"),
        ("aws", "health-issue-open", "detail__eventRegion", "us-east-1d", "aws/us-east-1"),
        ("aws", "health-issue-open", "detail__eventRegion", "use1-az4", "aws/us-east-1"),
        ("gcp", "incident-open", "incident__resource__labels__zone", "US-EAST4-B", "gcp/us-east4"),
        ("azure", "metric-fired", "data__customProperties__region", "EASTUS2", "azure/eastus2"),
        ("azure", "metric-fired", "data__customProperties__region", "east us 2", "azure/eastus2"),
        ("azure", "metric-fired", "data__customProperties__region", "eastus2-az3", "azure/eastus2"),
        ("azure", "metric-fired", "data__customProperties__region", "Global", "azure/global"),
    ],
)
def test_zones_case_and_display_names_fold_to_the_region(
    cloud: str, name: str, path: str, new: str, region: str
) -> None:
    assert [event.data.region for event in events(cloud, changed(cloud, name, **{path: new}))] == [
        region
    ]


@pytest.mark.parametrize(
    ("cloud", "name", "path"),
    [
        ("aws", "health-issue-open", "detail__eventRegion"),
        ("gcp", "incident-open", "incident__resource__labels__zone"),
        ("azure", "metric-fired", "data__customProperties__region"),
    ],
)
def test_a_place_that_is_no_known_region_is_ignored_by_name(
    cloud: str, name: str, path: str
) -> None:
    reason = ignored(cloud, changed(cloud, name, **{path: "atlantis-deep-1"})).reason

    assert "'atlantis-deep-1'" in reason


def test_known_regions_beside_an_unknown_place_are_kept_and_the_place_is_shown() -> None:
    for event in events("gcp", load("gcp", "service-health-multi-region")):
        assert event.data.native.labels["unread_places"] == "somewhere"


def test_planned_maintenance_and_account_notices_are_not_unhealthy() -> None:
    assert ignored("aws", load("aws", "health-scheduled-change"))
    assert ignored("aws", load("aws", "health-account-notification"))
    assert ignored("azure", load("azure", "service-health-maintenance"))


# Rules 4 and 5: budgets and keys are read elsewhere; here they are ignored and named.


@pytest.mark.parametrize(
    ("cloud", "name", "kind"),
    [
        ("aws", "budget-sns-sqs", "aws.budget"),
        ("aws", "kms-key-rotation", "aws.key"),
        ("gcp", "budget-push", "gcp.budget"),
        ("gcp", "secret-rotate-push", "gcp.key"),
        ("azure", "budget", "azure.budget"),
        ("azure", "secret-near-expiry", "azure.key"),
    ],
)
def test_budget_and_key_notifications_are_ignored_by_kind(cloud: str, name: str, kind: str) -> None:
    outcome = ignored(cloud, load(cloud, name))

    assert outcome.kind == kind
    assert "not a region-health notification" in outcome.reason


@pytest.mark.parametrize("as_bytes", [True, False])
def test_a_budget_notification_in_plain_text_is_ignored_whatever_envelope_it_lost(
    as_bytes: bool,
) -> None:
    body = "AWS Budget Notification March 02, 2026\nAWS Account 123456789012\n"

    assert ignored("aws", body.encode() if as_bytes else body).kind == "aws.budget"
    assert ignored("aws", {"messageId": "1", "body": body}).kind == "aws.budget"


# Rule 6: a model's opinion is an anomaly; a closing without evidence and a test are nothing.


@pytest.mark.parametrize(
    ("cloud", "name"),
    [
        ("aws", "alarm-event-anomaly-band"),
        ("aws", "alarm-sns-anomaly-band"),
        ("gcp", "incident-open-forecast"),
        ("azure", "metric-dynamic-fired"),
        ("azure", "smart-detector-fired"),
    ],
)
def test_a_dynamic_threshold_band_or_detector_is_an_anomaly(cloud: str, name: str) -> None:
    (event,) = events(cloud, load(cloud, name))

    assert isinstance(event.data, AnomalyDetected)
    assert event.subject == event.data.region


def test_an_anomaly_whose_metric_is_about_no_region_has_none() -> None:
    path = "detail__configuration__metrics__0__metricStat__metric__namespace"
    (event,) = events("aws", changed("aws", "alarm-event-anomaly-band", **{path: "AWS/Route53"}))

    assert event.data.region is None
    assert event.subject is None


@pytest.mark.parametrize(
    "summary",
    [
        "The alerting policy Cluster CPU was deleted.",
        "The condition VM Instance - CPU was disabled.",
        "Closed because someone deleted the policy.",
        "The policy has been updated.",
        "The incident was closed by ana@example.com",
        "Automatically closed: the time series stopped reporting.",
        "No data was received for the autoclose duration.",
    ],
)
def test_a_closing_that_is_no_evidence_of_recovery_is_ignored(summary: str) -> None:
    payload = changed("gcp", "incident-closed", incident__summary=summary)

    assert "proves no recovery" in ignored("gcp", payload).reason


def test_a_forecast_that_is_withdrawn_is_no_evidence_of_recovery() -> None:
    condition = value("gcp", "incident-open-forecast")["incident"]["condition"]
    payload = changed("gcp", "incident-closed", incident__condition=condition)

    assert "a forecast was withdrawn" in ignored("gcp", payload).reason


def test_test_notifications_of_the_vendors_are_ignored() -> None:
    for cloud, name in [
        ("gcp", "incident-test"),
        ("azure", "service-health-test"),
        ("azure", "metric-test"),
    ]:
        assert "test notification" in ignored(cloud, load(cloud, name)).reason


def test_a_users_own_rule_named_test_is_no_test_of_the_vendor() -> None:
    payload = changed("azure", "metric-fired", data__essentials__alertRule="test-latency")

    assert events("azure", payload)


# Rule 7: wrong values are refused, and unknown kinds are ignored.


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-Infinity", "1e999", "true", '"many"', "[1]"])
@pytest.mark.parametrize(
    ("cloud", "name", "field"),
    [("gcp", "incident-open", "observed_value"), ("azure", "metric-fired", "metricValue")],
)
def test_what_is_no_finite_number_is_refused(cloud: str, name: str, field: str, bad: str) -> None:
    body = json.dumps(_replaced(value(cloud, name), field, "HERE")).replace('"HERE"', bad)

    assert any(field in fault for fault in refused(cloud, body))


def _replaced(body: Any, field: str, new: object) -> Any:
    if isinstance(body, dict):
        return {k: new if k == field else _replaced(v, field, new) for k, v in body.items()}
    return [_replaced(item, field, new) for item in body] if isinstance(body, list) else body


def test_bad_base64_is_refused() -> None:
    for data in ("not base64!", "YQ", "é", 7, None, ""):
        payload = changed("gcp", "incident-open-push", message__data=data)
        assert refused("gcp", payload)[0].startswith("message.data: ")
    event = {"specversion": "1.0", "type": "Example.Relay", "data_base64": "YQ"}
    assert refused("azure", event)[0].startswith("data_base64: is not base64")


@pytest.mark.parametrize(
    ("cloud", "name", "path"),
    [
        ("aws", "health-issue-open", "detail__eventArn"),
        ("aws", "health-issue-open", "detail__statusCode"),
        ("aws", "health-issue-open", "detail__eventTypeCategory"),
        ("aws", "health-issue-open", "time"),
        ("aws", "alarm-event-alarm", "detail__state"),
        ("aws", "alarm-event-alarm", "detail__state__timestamp"),
        ("aws", "alarm-event-alarm", "detail-type"),
        ("aws", "alarm-sns-alarm", "NewStateValue"),
        ("aws", "alarm-sns-alarm", "StateChangeTime"),
        ("gcp", "service-health-active", "jsonPayload"),
        ("gcp", "service-health-active", "jsonPayload__category"),
        ("gcp", "service-health-active", "resource__labels__event_id"),
        ("gcp", "incident-open", "version"),
        ("gcp", "incident-open", "incident__incident_id"),
        ("gcp", "incident-open", "incident__started_at"),
        ("azure", "metric-fired", "schemaId"),
        ("azure", "metric-fired", "data__essentials__alertId"),
        ("azure", "metric-fired", "data__essentials__firedDateTime"),
        ("azure", "metric-resolved", "data__essentials__resolvedDateTime"),
        ("azure", "metric-fired", "data__alertContext"),
        ("azure", "service-health-active", "data__alertContext__properties__incidentType"),
        ("azure", "resource-health-with-location", "data__essentials__alertTargetIDs"),
        ("azure", "resource-health-activity-log", "eventTimestamp"),
    ],
)
def test_a_missing_required_field_is_refused_by_its_path(cloud: str, name: str, path: str) -> None:
    where = path.replace("__", ".")
    where = "resourceId" if where.endswith("alertTargetIDs") else where

    assert any(
        fault.partition(":")[0].endswith(where) and fault.endswith("is required")
        for fault in refused(cloud, changed(cloud, name, **{path: DROP}))
    )


@pytest.mark.parametrize(
    ("cloud", "name", "path", "new"),
    [
        ("aws", "health-issue-open", "detail", [1]),
        ("aws", "health-issue-open", "detail__eventRegion", ["us-east-1"]),
        ("aws", "health-issue-open", "detail__eventArn", {"arn": 1}),
        ("aws", "health-issue-open", "detail__eventDescription", "text"),
        ("aws", "health-issue-open", "time", True),
        ("aws", "alarm-event-alarm", "resources", "arn"),
        ("aws", "alarm-event-alarm", "resources", [7]),
        ("aws", "alarm-sns-alarm", "Trigger", ["AWS/EC2"]),
        ("gcp", "service-health-active", "jsonPayload__impactedLocations", "us-central1"),
        ("gcp", "service-health-active", "jsonPayload__impactedLocations", [["us-central1"]]),
        ("gcp", "incident-open", "incident", "open"),
        ("gcp", "incident-open", "incident__resource__labels", ["zone"]),
        ("gcp", "incident-open-push", "message", ["data"]),
        ("gcp", "incident-open-push", "message__attributes", {"a": 1}),
        ("azure", "metric-fired", "data__alertContext__condition__allOf", {"0": 1}),
        ("azure", "metric-fired", "data__alertContext__condition__allOf", [1]),
        (
            "azure",
            "service-health-active",
            "data__alertContext__properties__impactedServices",
            '[{"ImpactedRegions": [{"RegionName": ["East US"]}]}]',
        ),
        (
            "azure",
            "service-health-active",
            "data__alertContext__properties__impactedServices",
            "[{]",
        ),
        (
            "azure",
            "service-health-active",
            "data__alertContext__properties__IsSynthetic",
            "perhaps",
        ),
    ],
)
def test_a_wrong_container_or_type_is_refused(
    cloud: str, name: str, path: str, new: object
) -> None:
    assert refused(cloud, changed(cloud, name, **{path: new}))


def test_a_name_that_occurs_twice_is_refused() -> None:
    body = load("aws", "health-issue-open").decode()
    twice = body.replace('"statusCode": "open"', '"statusCode": "closed", "statusCode": "open"')
    assert refused("aws", twice) == ["detail.statusCode: occurs more than once"]

    spelled = changed("azure", "metric-fired", data__essentials__AlertID="another")
    assert refused("azure", spelled) == [
        "data.essentials.alertId: occurs more than once, in different cases"
    ]


def test_a_refusal_lists_every_fault_and_says_what_to_do() -> None:
    payload = changed(
        "aws", "health-issue-open", detail__statusCode=DROP, detail__service=[1], time="yesterday"
    )
    with pytest.raises(SignalRejected) as caught:
        aws.translate(payload)

    message = str(caught.value)
    for part in ("detail.statusCode: is required", "time: must be a time", "service: must be text"):
        assert part in message
    assert "Correct the sender" in message


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("payload", [{}, {"hello": "world"}, {"data": {"x": 1}, "id": "1"}])
def test_a_notification_of_an_unknown_kind_is_ignored(cloud: str, payload: Any) -> None:
    assert "is no notification of" in ignored(cloud, payload).reason


def test_a_schema_or_category_that_is_not_read_is_ignored_by_name() -> None:
    assert "version 2.0" in ignored("gcp", changed("gcp", "incident-open", version="2.0")).reason
    path = "jsonPayload__category"
    other = ignored("gcp", changed("gcp", "service-health-active", **{path: "MAINTENANCE"}))
    assert "maintenance" in other.reason


def test_a_cloud_event_may_carry_its_data_as_base64_and_must_carry_some() -> None:
    event = value("gcp", "incident-open-eventarc")

    assert events("gcp", {**event, "data_base64": _base64(event.pop("data"))})
    assert events("azure", {**event, "data_base64": _base64(value("azure", "metric-fired"))})
    assert refused("gcp", event) == ["data: is required, as an object or as JSON text"]


def _base64(body: Any) -> str:
    return base64.b64encode(json.dumps(body).encode()).decode()


def test_events_of_somebody_else_are_ignored() -> None:
    own = {"specversion": "1.0", "type": "dev.crosswind.region.unhealthy.v1", "data": {}}
    assert ignored("gcp", own).kind == own["type"]
    attributes = {"ce-specversion": "1.0", "ce-type": "dev.crosswind.region.unhealthy.v1"}
    outcome = gcp.translate(b"{}", attributes)
    assert isinstance(outcome, Ignored)
    assert outcome.kind == own["type"]


# Rule 8: the vendors' own variations of case, type, time and nesting are accepted.


@pytest.mark.parametrize(
    "form",
    [
        "2026-03-02T10:07:10Z",
        "2026-03-02T11:07:10+01:00",
        "2026-03-02T10:07:10.000+0000",
        "2026-03-02t10:07:10.000000000z",
        "Mon, 02 Mar 2026 10:07:10 GMT",
        "Mon, 2 Mar 2026 10:07:10 GMT",
        1772446030,
        "1772446030",
        1772446030000,
        "1772446030000",
        1772446030.0,
    ],
)
def test_a_time_is_read_in_every_form_the_vendors_write(form: object) -> None:
    (event,) = events("aws", changed("aws", "health-issue-open", time=form))

    assert event.time == datetime(2026, 3, 2, 10, 7, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "form", ["2026-03-02T10:07:10", "2026-03-02", "3/2/2026 10:07:10 AM", "2026-02-30T00:00:00Z"]
)
def test_a_time_in_another_form_is_refused(form: str) -> None:
    assert refused("aws", changed("aws", "health-issue-open", time=form))


def test_an_object_may_be_json_in_a_string() -> None:
    body = value("aws", "alarm-event-alarm")
    nested = changed("aws", "alarm-event-alarm", detail=json.dumps(body["detail"]))

    assert events("aws", nested) == events("aws", body)


def test_field_names_may_differ_in_case() -> None:
    body = value("azure", "metric-fired")
    pascal = _renamed(body, lambda name: name[:1].upper() + name[1:])

    assert events("azure", pascal) == events("azure", body)


def _renamed(body: Any, rename: Any) -> Any:
    if isinstance(body, dict):
        return {rename(name): _renamed(inner, rename) for name, inner in body.items()}
    return [_renamed(item, rename) for item in body] if isinstance(body, list) else body


@pytest.mark.parametrize("observed", [0.935, "0.935", " 0.935 ", "9.35e-1", "+0.935"])
def test_a_number_may_be_written_as_text(observed: object) -> None:
    (event,) = events("gcp", changed("gcp", "incident-open", incident__observed_value=observed))

    assert event.data.measured == {"observed": 0.935, "threshold": 0.9}


def test_an_identifier_may_be_a_number() -> None:
    payload = changed("gcp", "incident-open", incident__incident_id=4711, version=1.2)

    assert events("gcp", payload)[0].data.native.id == "4711"
