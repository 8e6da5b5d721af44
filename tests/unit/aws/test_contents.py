"""An event is found whatever it was wrapped in on its way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crosswind.records.identity import chain_id
from crosswind_aws.arrivals import shape
from crosswind_aws.contents import MAX_ENVELOPES, MAX_PARTS, Native, Neutral, contents
from crosswind_aws.later import Later, wrap
from unit.aws.payloads import EVENT, MESSAGE, payload

SHAPES = [
    "sqs-event",
    "sqs-eventbridge",
    "sqs-sns-event",
    "sqs-sns-eventbridge",
    "sns-event",
    "eventbridge-event",
]


@pytest.mark.parametrize("name", SHAPES)
def test_the_event_is_found_in_every_shape_in_which_it_arrives(name: str) -> None:
    arrived = shape(payload(name))
    (record,) = arrived.records

    (found,) = contents(record.body)

    assert isinstance(found, Neutral)
    assert json.loads(found.body)["id"] == EVENT
    assert found.type == "dev.crosswind.region.unhealthy.v1"
    assert found.chain == chain_id("//probes.example.com/eu", EVENT)
    assert arrived.queued == name.startswith("sqs")


def test_an_event_that_is_text_of_its_own_is_passed_on_byte_for_byte() -> None:
    text = '{ "specversion":"1.0", "id":"1", "data":{"share":0.10, "id":"1", "id":"2"}}'

    (found,) = contents(text)

    assert isinstance(found, Neutral)
    assert found.body == text.encode()


def test_the_chain_that_an_event_names_is_told() -> None:
    chain = chain_id("s", "1")
    event = {"specversion": "1.0", "id": "2", "source": "t", "correlationid": chain}

    (found,) = contents(json.dumps(event))

    assert isinstance(found, Neutral)
    assert found.chain == chain


@pytest.mark.parametrize("event", [{"specversion": "1.0"}, {"specversion": "1.0", "id": 7}])
def test_an_event_without_identity_is_left_to_the_engine(event: dict[str, Any]) -> None:
    assert contents(json.dumps(event)) == [Neutral(json.dumps(event).encode(), None, None)]


@pytest.mark.parametrize(
    "name", ["sqs-health", "sns-alarm", "eventbridge-health"], ids=["queue", "topic", "bus"]
)
def test_what_is_no_event_is_a_notification(name: str) -> None:
    (record,) = shape(payload(name)).records

    (found,) = contents(record.body)

    assert isinstance(found, Native)


@pytest.mark.parametrize("body", ["", "not JSON", "7", '"text"', "null", "{", "[]"])
def test_what_is_no_object_is_left_as_it_is(body: str) -> None:
    assert contents(body) == [Native(body)]


def test_half_a_surrogate_pair_is_no_text_and_fails_nobody() -> None:
    assert contents("\ud800") == [Native("?")]
    (found,) = contents({"detail-type": "x", "detail": {"specversion": "1.0", "id": "\ud800"}})
    assert isinstance(found, Neutral)
    assert found.body == b'{"specversion": "1.0", "id": "\\ud800"}'


def test_a_list_is_opened_item_by_item() -> None:
    event = {"specversion": "1.0", "id": "1"}

    found = contents(json.dumps([event, {"detail-type": "x", "detail": {}}, event, 7]))

    assert [type(one) for one in found] == [Neutral, Native, Neutral, Native]


def test_a_list_beyond_all_bounds_is_left_as_it_is() -> None:
    body = json.dumps([{"specversion": "1.0"}] * (MAX_PARTS + 1))

    assert contents(body) == [Native(body)]


def test_a_delayed_event_is_told_from_one_that_is_there() -> None:
    body = wrap(b'{"specversion":"1.0","id":"1"}', 5.5).decode()

    assert contents(body) == [Later(5.5, b'{"specversion":"1.0","id":"1"}')]


def test_envelopes_without_end_are_not_opened_without_end() -> None:
    text = json.dumps({"specversion": "1.0"})
    for _ in range(MAX_ENVELOPES + 1):
        text = json.dumps({"TopicArn": "arn:aws:sns:eu-west-1:123456789012:t", "Message": text})

    (found,) = contents(text)

    assert isinstance(found, Native)


def test_a_handshake_of_sns_is_a_notification() -> None:
    handshake = {"Type": "SubscriptionConfirmation", "TopicArn": "arn", "Message": "{}"}

    assert contents(json.dumps(handshake)) == [Native(handshake)]


def test_records_keep_their_queue_and_count() -> None:
    first, second, *_ = shape(payload("sqs-mixed")).records

    assert first.id == MESSAGE
    assert (first.receipts, second.receipts) == (1, 2)
    assert first.queue == "arn:aws:sqs:eu-west-1:123456789012:crosswind-ops-ops"
    assert first.receipt


@pytest.mark.parametrize("name", ["url-structured", "url-batch", "url-health"])
def test_a_request_to_the_url_is_told_from_records(name: str) -> None:
    assert shape(payload(name)).request


@pytest.mark.parametrize(
    "event", [None, 7, "text", [], {}, {"Records": []}, {"Records": [7]}, {"Records": [{}]}]
)
def test_whatever_a_function_is_invoked_with_has_a_shape(event: Any) -> None:
    arrived = shape(event)

    assert not arrived.request
    for record in arrived.records:
        assert contents(record.body)
