"""An event is found whatever it was wrapped in on its way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crosswind.buses.contents import Native, Neutral
from crosswind.records.identity import chain_id
from crosswind_aws.arrivals import contents, shape
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


@pytest.mark.parametrize(
    "name", ["sqs-health", "sns-alarm", "eventbridge-health"], ids=["queue", "topic", "bus"]
)
def test_what_is_no_event_is_a_notification(name: str) -> None:
    (record,) = shape(payload(name)).records

    (found,) = contents(record.body)

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
