"""One delivery, many records: only the bad record is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

import crosswind_aws.signals as aws
import crosswind_azure.signals as azure
import crosswind_gcp.signals as gcp
from crosswind.signals import Ignored, SignalRejected
from crosswind.signals.translation import MAX_ENVELOPES, MAX_RECORDS
from unit.signals.changes import changed
from unit.signals.expectations import load, value


def body_of(record: Any) -> dict[str, str]:
    return {"messageId": "1", "eventSource": "aws:sqs", "body": json.dumps(record)}


def test_translate_each_says_what_became_of_each_record_in_order() -> None:
    outcomes = aws.translate_each(load("aws", "sqs-lambda-mixed"))

    assert [type(outcome) for outcome in outcomes] == [
        list,
        SignalRejected,
        SignalRejected,
        list,
        Ignored,
    ]


@pytest.mark.parametrize(
    ("translate", "cloud", "name", "paths"),
    [
        (
            aws.translate,
            "aws",
            "sqs-lambda-mixed",
            ["Records[1].body.detail.statusCode", "Records[2].body"],
        ),
        (
            gcp.translate,
            "gcp",
            "pull-mixed",
            [
                "receivedMessages[1].message.data",
                "receivedMessages[3].message.data.jsonPayload.state",
            ],
        ),
        (
            azure.translate,
            "azure",
            "event-grid-mixed",
            [
                "[1].data.data.alertContext.properties.trackingId",
                "[2].data.data.alertContext.condition.allOf[0].metricValue",
            ],
        ),
    ],
)
def test_translate_names_every_bad_record(
    translate: Any, cloud: str, name: str, paths: list[str]
) -> None:
    with pytest.raises(SignalRejected) as caught:
        translate(load(cloud, name))

    assert [fault.where for fault in caught.value.faults] == paths


def test_translate_returns_the_events_of_every_record_when_none_is_bad() -> None:
    records = [value("aws", n) for n in ("health-issue-open", "kms-key-rotation", "alarm-sns-ok")]
    events = aws.translate({"Records": [body_of(record) for record in records]})

    assert isinstance(events, list)
    assert [event.type.split(".")[-2] for event in events] == ["unhealthy", "recovered"]


def test_a_batch_that_says_nothing_is_ignored_with_all_its_reasons() -> None:
    names = ("kms-key-rotation", "health-scheduled-change", "kms-key-rotation")
    outcome = aws.translate([value("aws", name) for name in names])

    assert isinstance(outcome, Ignored)
    assert outcome.kind is None
    assert outcome.reason.count("KMS CMK Rotation") == 1
    assert "not an issue" in outcome.reason


def test_a_batch_of_one_kind_keeps_its_kind() -> None:
    several = [
        value("aws", "kms-key-rotation"),
        value("aws", "secret-rotation-failed"),
        value("aws", "kms-key-rotation"),
    ]
    outcome = aws.translate(several)

    assert isinstance(outcome, Ignored)
    assert outcome.kind == "aws.key"


@pytest.mark.parametrize("empty", [[], {"Records": []}, {"Messages": []}, {"Records": "[]"}])
def test_an_empty_batch_holds_no_notification(empty: Any) -> None:
    assert aws.translate_each(empty) == []
    assert aws.translate(empty) == Ignored("the batch holds no notification")


@pytest.mark.parametrize("bad", [None, 7, "not json", ["a"], True])
def test_a_record_that_is_no_object_is_refused_alone(bad: Any) -> None:
    good = body_of(value("aws", "health-issue-open"))
    first, second, third = aws.translate_each({"Records": [good, bad, good]})

    assert isinstance(first, list)
    assert isinstance(second, SignalRejected)
    assert isinstance(third, list)


@pytest.mark.parametrize("body", ["not json", "{", "", "7", None, {"a": 1}])
def test_a_message_whose_body_is_no_json_is_refused_alone(body: Any) -> None:
    good = body_of(value("aws", "health-issue-open"))
    outcomes = aws.translate_each({"Records": [{**good, "body": body}, good]})

    assert isinstance(outcomes[0], SignalRejected)
    assert outcomes[0].faults[0].where.startswith("Records[0].body")
    assert isinstance(outcomes[1], list)


def test_nan_in_one_record_of_a_text_does_not_touch_the_others() -> None:
    fired = json.dumps(value("azure", "metric-fired"))
    text = f"[{fired}, {fired.replace('31.1105', 'NaN')}, {fired}]"
    first, second, third = azure.translate_each(text)

    assert first == third
    assert isinstance(second, SignalRejected)
    assert str(second.faults[0]) == (
        "[1].data.alertContext.condition.allOf[0].metricValue: is not a finite number"
    )


def test_a_batch_container_of_the_wrong_type_is_refused() -> None:
    wrongs: tuple[Any, ...] = ({"Records": 7}, {"Records": {}}, {"Messages": "[{]"}, 7, None, "7")
    for wrong in wrongs:
        (outcome,) = aws.translate_each(wrong)
        assert isinstance(outcome, SignalRejected)


def test_a_batch_container_with_a_repeated_name_is_refused() -> None:
    (outcome,) = aws.translate_each('{"Records": [], "Records": [{}]}')

    assert isinstance(outcome, SignalRejected)
    assert str(outcome.faults[0]) == "Records: occurs more than once"


def test_plain_text_through_sns_is_ignored_and_broken_json_is_refused() -> None:
    plain = aws.translate(changed("aws", "alarm-sns-sqs", Message="the cat is on the mat"))
    assert isinstance(plain, Ignored)
    assert plain.kind == "aws.sns.text"

    for broken in ("{the cat", "", None, ["{}"]):
        (outcome,) = aws.translate_each(changed("aws", "alarm-sns-sqs", Message=broken))
        assert isinstance(outcome, SignalRejected)
        assert outcome.faults[0].where == "Message"


def test_envelopes_nest_to_a_bound() -> None:
    payload = json.dumps(value("aws", "health-issue-open"))
    for _ in range(MAX_ENVELOPES):
        payload = json.dumps({"messageId": "1", "body": payload})
    assert isinstance(aws.translate(payload), list)

    with pytest.raises(SignalRejected, match=f"more than {MAX_ENVELOPES} envelopes"):
        aws.translate(json.dumps({"messageId": "1", "body": payload}))


def test_a_delivery_of_too_many_records_is_refused_whole() -> None:
    half: list[Any] = [{}] * (MAX_RECORDS // 2)
    payloads: tuple[list[Any], ...] = ([{}] * (MAX_RECORDS + 1), [half, half, half])
    for payload in payloads:
        (outcome,) = aws.translate_each(payload)
        assert isinstance(outcome, SignalRejected)
        assert f"more than {MAX_RECORDS} records" in str(outcome)


def test_attributes_that_are_no_texts_are_refused() -> None:
    wrong: Any = {"ce-type": b"x"}
    with pytest.raises(SignalRejected, match="attributes: must be texts by name"):
        gcp.translate(b"{}", wrong)


def test_a_body_may_be_any_buffer_of_bytes() -> None:
    body = load("aws", "health-issue-open")
    buffers: tuple[Any, ...] = (bytearray(body), memoryview(body))

    for buffer in buffers:
        assert aws.translate(buffer) == aws.translate(body)
