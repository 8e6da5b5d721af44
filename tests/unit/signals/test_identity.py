"""A native duplicate is a duplicate: ids and sources derive from the native ones."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

import crosswind_aws.signals as aws
import crosswind_azure.signals as azure
import crosswind_gcp.signals as gcp
from crosswind.signals import event_id, source
from crosswind.signals.identity import shorten
from crosswind_events import CATALOGUE, Codec, Event, attributes
from unit.signals.changes import DROP, changed
from unit.signals.expectations import load, names, value

CLOUDS: dict[str, Any] = {"aws": aws, "gcp": gcp, "azure": azure}

SAME = [
    (
        "aws",
        [
            "health-issue-open",
            "health-issue-backup-copy",
            "health-issue-page-2",
            "health-issue-open-sqs-lambda",
            "health-issue-open-sns-lambda",
            "health-issue-open-sns-sqs-lambda",
        ],
    ),
    ("aws", ["alarm-event-alarm", "alarm-sns-alarm", "alarm-action", "alarm-sns-sqs-lambda"]),
    ("aws", ["alarm-event-ok", "alarm-sns-ok"]),
    (
        "gcp",
        ["service-health-active", "service-health-active-push", "service-health-active-message"],
    ),
    ("gcp", ["incident-open", "incident-open-push", "incident-open-eventarc"]),
    (
        "azure",
        [
            "service-health-active",
            "service-health-activity-log",
            "service-health-webhook",
            "service-health-event-grid",
            "service-health-cloud-event",
            "service-health-service-bus",
        ],
    ),
    ("azure", ["metric-fired", "metric-fired-event-grid"]),
]


def events(cloud: str, payload: Any) -> list[Event[Any]]:
    outcome = CLOUDS[cloud].translate(payload)
    assert isinstance(outcome, list), outcome
    return outcome


def everything() -> list[Event[Any]]:
    return [
        event
        for cloud, module in CLOUDS.items()
        for name in sorted(names(cloud))
        for outcome in module.translate_each(load(cloud, name))
        if isinstance(outcome, list)
        for event in outcome
    ]


@pytest.mark.parametrize(("cloud", "fixtures"), SAME)
def test_the_same_statement_by_another_route_is_the_same_event(
    cloud: str, fixtures: list[str]
) -> None:
    first, *others = (
        [(event.source, event.id) for event in events(cloud, load(cloud, name))]
        for name in fixtures
    )

    assert all(other == first for other in others)


def test_translating_twice_gives_equal_events() -> None:
    for cloud, fixtures in SAME:
        body = load(cloud, fixtures[0])
        assert events(cloud, body) == events(cloud, body)


def test_each_region_of_one_notification_is_an_event_of_its_own() -> None:
    found = events("gcp", load("gcp", "service-health-active"))

    assert len({event.id for event in found}) == len(found) == 2
    assert len({event.source for event in found}) == 1


def test_another_communication_about_an_open_issue_is_another_event() -> None:
    (first,) = events("aws", load("aws", "health-issue-open"))
    for path, new in [
        ("detail__communicationId", "77b0993207d81a09dcd552ebd1e633e36cf1f09a-1"),
        ("detail__eventArn", "arn:aws:health:us-east-1::event/EC2/AWS_EC2_OPERATIONAL_ISSUE/X"),
        ("detail__eventRegion", "us-east-2"),
        ("detail__statusCode", "closed"),
    ]:
        (other,) = events("aws", changed("aws", "health-issue-open", **{path: new}))
        assert other.id != first.id, path


def test_an_issue_without_communication_id_is_told_by_its_last_update() -> None:
    bare = {"detail__communicationId": DROP}
    (first,) = events("aws", changed("aws", "health-issue-open", **bare))
    (again,) = events("aws", changed("aws", "health-issue-backup-copy", **bare))
    later = {**bare, "detail__lastUpdatedTime": "Mon, 2 Mar 2026 11:07:07 GMT"}
    (update,) = events("aws", changed("aws", "health-issue-open", **later))
    unknown = {**bare, "detail__lastUpdatedTime": DROP, "detail__page": DROP}
    (plain,) = events("aws", changed("aws", "health-issue-open", **unknown))

    assert first.id == again.id
    assert len({first.id, update.id, plain.id}) == 3


def test_an_issue_without_pages_keeps_its_whole_communication_id() -> None:
    whole = {"detail__page": DROP, "detail__communicationId": "abc-1"}
    (first,) = events("aws", changed("aws", "health-issue-open", **whole))
    (other,) = events("aws", changed("aws", "health-issue-open", **{**whole, "detail__page": "1"}))

    assert first.id != other.id


def test_a_public_issue_is_one_source_for_all_accounts_and_an_account_issue_is_not() -> None:
    public = {"detail__affectedAccount": "444455556666", "account": "444455556666"}
    assert events("aws", changed("aws", "health-issue-open", **public))[0].source == (
        events("aws", load("aws", "health-issue-open"))[0].source
    )
    own = events("aws", load("aws", "health-issue-account-specific"))[0]
    assert own.source.startswith("//health.amazonaws.com/123456789012/arn:aws:health:")
    other = changed("aws", "health-issue-account-specific", **public)
    assert events("aws", other)[0].source != own.source


def test_sources_name_the_native_alarm() -> None:
    assert {event.source for event in everything()} >= {
        "//cloudwatch.amazonaws.com/arn:aws:cloudwatch:us-east-1:123456789012:alarm:"
        "EC2%20CPU%20Utilization%20Anomaly",
        "//monitoring.googleapis.com/projects/example-project/incidents/0.opqiw61fsv7p",
        "//servicehealth.googleapis.com/projects/797731824162/locations/global/events/"
        "U4AqrjwFQYi5fFBmyAX-Gg",
        "//management.azure.com/providers/Microsoft.ResourceHealth/events/NA0F-BJG",
    }


def test_a_source_without_project_is_still_one() -> None:
    for name, path in [
        ("service-health-active", "resource__labels__resource_container"),
        ("incident-open", "incident__scoping_project_id"),
    ]:
        assert "projects" not in events("gcp", changed("gcp", name, **{path: DROP}))[0].source


def test_every_event_survives_the_codec() -> None:
    codec = Codec(CATALOGUE)

    for event in everything():
        assert codec.decode(codec.encode(event)) == event


def test_an_event_keeps_what_the_vendor_said() -> None:
    (event,) = events("aws", load("aws", "health-issue-open"))
    native = event.data.native

    assert event.data.service == "EC2"
    assert event.data.reason.startswith("AWS_EC2_OPERATIONAL_ISSUE: Increased API error rates")
    assert native.kind == "aws.health.issue"
    assert native.id == value("aws", "health-issue-open")["detail"]["eventArn"]
    assert native.account == "123456789012"
    assert native.labels == {"scope": "public"}


def test_long_prose_is_shortened_and_missing_prose_is_said_to_be_missing() -> None:
    long = changed("aws", "alarm-sns-alarm", NewStateReason="x" * 10_000)
    assert len(events("aws", long)[0].data.reason) == 2000

    silent = changed("aws", "alarm-sns-alarm", NewStateReason=None)
    assert events("aws", silent)[0].data.reason == "the vendor gave no reason"


@pytest.mark.parametrize(
    "url", ["http://example.com/", "javascript:alert(1)", "", 7, "https://" + "x" * 3000]
)
def test_only_a_bounded_https_link_is_kept(url: Any) -> None:
    (event,) = events("gcp", changed("gcp", "incident-open", incident__url=url))

    assert event.data.native.url is None


def test_an_identifier_beyond_all_vendors_bounds_is_refused() -> None:
    (outcome,) = aws.translate_each(
        changed("aws", "health-issue-open", detail__eventArn="arn:aws:health:" + "x" * 3000)
    )

    assert "longer than 2048 characters" in str(outcome)


def test_event_ids_are_uuids_of_version_5_and_never_change() -> None:
    namespace = uuid.UUID("6f3c1b1e-5a6e-5d0e-9a0c-5f1f8f7a2d44")

    assert event_id("a", "é") == str(uuid.uuid5(namespace, '["a","é"]'))
    assert uuid.UUID(event_id()).version == 5
    assert event_id("ab", "c") != event_id("a", "bc")
    assert [event.id for event in events("aws", load("aws", "health-issue-open"))] == [
        "2be2cd03-f223-5c5c-bf63-6fbab504db7f"
    ]


def test_a_source_is_a_uri_reference_of_ascii() -> None:
    assert source("example.com", "a b/ü?#", "", "/c/") == "//example.com/a%20b/%C3%BC%3F%23/c"


def test_a_source_beyond_what_an_event_can_hold_is_told_apart_by_a_digest() -> None:
    for cut in range(6):
        first, other = (source("example.com", "x" * cut + "é" * 400 + end) for end in "ab")
        assert first != other
        assert len(first) <= 1024
        assert attributes.source_problem(first) is None
        assert source("example.com", "x" * cut + "é" * 400 + "a") == first


def test_shortening_marks_what_is_missing() -> None:
    assert shorten("abc", 3) == "abc"
    assert shorten("abcd", 3) == "ab…"
