"""What Azure's host tells the worker of Service Bus messages and events, and what it sends."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind_local.errors import MissingRequirement
from crosswind_local.functions_host import rpc
from crosswind_local.functions_host.event_grid import Reply, events_of, permission
from crosswind_local.functions_host.messages import (
    BodyRefused,
    Received,
    bodies_of,
    body_of,
    metadata_of,
    metadata_of_batch,
)
from crosswind_local.functions_host.sdk import servicebus
from crosswind_local.functions_host.senders import NotSent, contents

MOMENT = datetime(2026, 11, 24, 5, 44, 15, 440000, tzinfo=UTC)


def received(**given: Any) -> Received:
    usual: dict[str, Any] = {
        "body": b'{"a": 1}',
        "delivery_count": 2,
        "lock_token": "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        "sequence_number": 7,
        "enqueued": MOMENT,
    }
    return Received(**(usual | given))


def test_all_that_the_host_tells_of_a_message_is_told() -> None:
    told = metadata_of(
        received(message_id="m1", subject="deploy", properties={"severity": "high", "n": 1})
    )

    assert told["MessageId"] == {"string": "m1"}
    assert told["Subject"] == told["Label"] == {"string": "deploy"}
    assert told["DeliveryCount"] == {"json": "2"}
    assert told["SequenceNumber"] == {"json": "7"}
    assert told["EnqueuedTimeUtc"] == {"json": '"2026-11-24T05:44:15.44"'}
    assert told["ExpiresAtUtc"] == {"json": '"9999-12-31T23:59:59.9999999"'}
    assert json.loads(told["UserProperties"]["json"]) == {"severity": "high", "n": 1}
    assert told["ApplicationProperties"] == told["UserProperties"]
    assert "CorrelationId" not in told


def test_a_batch_is_told_in_arrays_and_empty_texts_are_left_out() -> None:
    told = metadata_of_batch([received(message_id="m1", to=""), received(message_id="m2", to="x")])

    assert told["MessageIdArray"] == {"collection_string": ["m1", "m2"]}
    assert told["ToArray"] == {"collection_string": ["x"]}
    assert told["SequenceNumberArray"] == {"collection_sint64": [7, 7]}
    assert told["DeliveryCountArray"] == {"json": "[2, 2]"}
    assert json.loads(told["UserPropertiesArray"]["json"]) == [{}, {}]


def test_a_body_is_text_unless_bytes_are_asked_for() -> None:
    assert body_of(received(), binary=False) == {"string": '{"a": 1}'}
    assert body_of(received(body=b"\xff"), binary=True) == {"bytes": "/w=="}
    assert bodies_of([received(body=b"a"), received(body=b"b")], binary=False) == {
        "collection_string": ["a", "b"]
    }


def test_a_body_that_is_no_text_fails_where_text_is_asked_for() -> None:
    with pytest.raises(BodyRefused, match="no UTF-8"):
        body_of(received(body=b"\xff"), binary=False)


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        ({"string": "x"}, [("x", "text/plain")]),
        ({"bytes": "eA=="}, [(b"x", "application/octet-stream")]),
        ({"string": '{"a": [1]}'}, [('{"a": [1]}', "text/plain")]),
        ({"string": '["a", {"b": 1}]'}, [("a", "text/plain"), ('{"b": 1}', "text/plain")]),
        ({"string": "[no json"}, [("[no json", "text/plain")]),
        ({}, []),
    ],
)
def test_an_output_is_a_message_or_one_for_each_member(
    value: dict[str, Any], messages: Any
) -> None:
    assert contents(value) == messages


def test_an_output_of_a_kind_that_is_no_message_is_refused() -> None:
    with pytest.raises(NotSent, match="kind http"):
        contents({"http": {}})


def test_the_handshake_of_either_schema_is_answered_with_the_code() -> None:
    validation = {"aeg-event-type": "SubscriptionValidation"}
    grid = [{"id": "1", "data": {"validationCode": "512d38b6"}}]
    cloud = {"id": "1", "data": '{"validationCode": "512d38b6"}'}

    for body in (grid, cloud):
        reply = events_of(validation, json.dumps(body).encode())
        assert isinstance(reply, Reply)
        assert reply.status == 200
        assert json.loads(reply.body) == {"validationResponse": "512d38b6"}


def test_who_sends_cloud_events_is_permitted_to() -> None:
    reply = permission({"webhook-request-origin": "eventgrid.azure.net"})

    assert dict(reply.headers)["WebHook-Allowed-Origin"] == "eventgrid.azure.net"
    assert permission({}).status == 400


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"[]", 400),
        ({"aeg-event-type": "Unsubscribe"}, b"", 202),
        ({"aeg-event-type": "Notification"}, b"{", 400),
        ({"aeg-event-type": "Notification"}, b"[1]", 400),
        ({"aeg-event-type": "SubscriptionValidation"}, b"[]", 400),
        ({"aeg-event-type": "SubscriptionValidation"}, b'{"data": "x"}', 400),
    ],
)
def test_a_request_that_brings_no_events_is_answered(
    headers: dict[str, str], body: bytes, status: int
) -> None:
    reply = events_of(headers, body)

    assert isinstance(reply, Reply)
    assert reply.status == status


def test_events_come_alone_or_in_an_array() -> None:
    notification = {"aeg-event-type": "Notification"}

    assert events_of(notification, b'{"id": "1"}') == [{"id": "1"}]
    assert events_of(notification, b'[{"id": "1"}, {"id": "2"}]') == [{"id": "1"}, {"id": "2"}]


@given(st.sampled_from(["Notification", "SubscriptionValidation", "?"]), st.binary(max_size=40))
def test_any_request_has_an_answer(kind: str, body: bytes) -> None:
    assert isinstance(events_of({"aeg-event-type": kind}, body), Reply | list)


@pytest.mark.parametrize(
    "value",
    [
        {"string": "x"},
        {"json": "[1]"},
        {"bytes": "eA=="},
        {"int": 7},
        {},
    ],
)
def test_a_value_survives_the_way_to_the_worker_and_back(value: dict[str, Any]) -> None:
    assert rpc.write(rpc.read(value)) == value


def test_collections_are_read_as_the_library_expects_them() -> None:
    texts = rpc.read({"collection_string": ["a", "b"]})
    parts = rpc.read({"collection_bytes": ["eA=="]})

    assert texts.WhichOneof("data") == "collection_string"
    assert texts.collection_string.string == ["a", "b"]  # type: ignore[attr-defined]  # set by kind
    assert parts.collection_bytes.bytes == [b"x"]  # type: ignore[attr-defined]  # set by kind


def test_a_field_that_a_message_has_not_is_refused_as_protobuf_does() -> None:
    with pytest.raises(ValueError, match="no field nonsense"):
        rpc.StatusResult(nonsense=1)
    with pytest.raises(ValueError, match="no field nonsense"):
        rpc.TypedData(nonsense=1)


def test_without_the_sdk_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("azure.servicebus", "azure.servicebus.exceptions"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "azure.servicebus", None)

    with pytest.raises(MissingRequirement, match="pip install 'azure-servicebus>="):
        servicebus.__wrapped__()
