"""Structured mode: one JSON object holds the event (JSON event format 1.0.2, section 3)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given

from crosswind_events import ABSENT, Codec, Event, EventData, Raw, RegionUnhealthy
from unit.events.drawn import NOON, Moved, Place, events, plain, thoroughly

CODEC = Codec([Moved, RegionUnhealthy])


def text(**changes: Any) -> bytes:
    return json.dumps(plain(**changes)).encode()


def unknown(**changes: Any) -> Event[Any]:
    return Codec().decode(text(type="com.example.other.v1", **changes))


@thoroughly
@given(events)
def test_what_is_written_is_read_as_it_was(event: Event[Any]) -> None:
    body = CODEC.encode(event)
    assert CODEC.decode(body) == event
    assert CODEC.encode(CODEC.decode(body)) == body


def test_a_known_type_is_read_as_its_model() -> None:
    event = CODEC.decode(text(subject="x", dataschema="urn:s", correlationid="c", hop=2, dry=True))
    assert event == Event(
        id="1",
        source="/probes",
        type="com.example.thing.moved.v1",
        subject="x",
        time=NOON,
        datacontenttype="application/json",
        dataschema="urn:s",
        data=Moved(place=Place(name="here"), count=1),
        extensions={"correlationid": "c", "hop": 2, "dry": True},
    )


def test_every_attribute_is_written() -> None:
    body = text(subject="x", dataschema="urn:s", datacontenttype="text/json", note="n")
    assert json.loads(CODEC.encode(CODEC.decode(body))) == {
        **json.loads(body),
        "data": Moved(place=Place(name="here"), count=1).model_dump(mode="json"),
    }


@pytest.mark.parametrize("body", [text(), text().decode(), bytearray(text())])
def test_a_body_may_be_bytes_or_text(body: Any) -> None:
    assert CODEC.decode(body).data.count == 1


@pytest.mark.parametrize("data", [None, 1, -0.5, True, "text", [], {}, {"a": [{"b": None}]}])
def test_an_unknown_type_is_read_as_raw_and_written_as_it_was(data: Any) -> None:
    tree = plain(type="com.example.other.v1") | {"data": data}
    event = Codec().decode(json.dumps(tree))
    assert event.data == Raw(data)
    assert json.loads(Codec().encode(event))["data"] == data


def test_an_event_without_data_has_none() -> None:
    event = unknown(data=None)
    assert event.data.value is ABSENT
    assert "data" not in json.loads(Codec().encode(event))


def test_an_attribute_that_is_null_is_unset() -> None:
    tree = plain(type="com.example.other.v1") | dict.fromkeys(
        ("subject", "datacontenttype", "dataschema", "data_base64", "someextension")
    )
    event = Codec().decode(json.dumps(tree))
    assert (event.subject, event.dataschema, event.extensions) == (None, None, {})
    assert event.datacontenttype == "application/json"


def test_a_string_is_not_parsed_again() -> None:
    assert unknown(data='{"a": 1}').data == Raw('{"a": 1}')


def test_octets_are_read_from_base64() -> None:
    event = unknown(data=None, data_base64="AP8=", datacontenttype="application/octet-stream")
    assert event.data == Raw(b"\x00\xff")
    assert json.loads(Codec().encode(event))["data_base64"] == "AP8="


def test_octets_of_a_known_type_are_read_as_json() -> None:
    octets = base64.b64encode(b'{"place": {"name": "here"}, "count": 1}').decode()
    event = CODEC.decode(text(data=None, data_base64=octets))
    assert event.data == Moved(place=Place(name="here"), count=1)


def test_text_of_another_format_stays_text() -> None:
    event = unknown(data="<a/>", datacontenttype="application/xml")
    assert event.data == Raw("<a/>")
    assert json.loads(Codec().encode(event))["data"] == "<a/>"


@pytest.mark.parametrize(
    "media", ["application/json;charset=utf-8", "text/json", "a/b+JSON", 'a/json ; x="y;z" ; ']
)
def test_every_json_media_type_declares_json(media: str) -> None:
    assert CODEC.decode(text(datacontenttype=media)).data.count == 1


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2030-01-31T12:00:00Z", NOON),
        ("2030-01-31t12:00:00z", NOON),
        ("2030-01-31 12:00:00Z", NOON),
        ("2030-01-31T12:00:00.000000000Z", NOON),
        ("2030-01-31T12:00:00-00:00", NOON),
        ("2030-01-31T17:45:00+05:45", NOON),
        ("2030-01-31T12:00:00.123456789Z", NOON.replace(microsecond=123456)),
        ("2030-01-31T12:00:00.5Z", NOON.replace(microsecond=500000)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
    ],
)
def test_a_time_is_read_in_any_offset_and_kept_in_utc(written: str, read: datetime) -> None:
    event = CODEC.decode(text(time=written))
    assert event.time == read
    assert event.time.tzinfo is UTC


def test_a_time_is_written_with_z() -> None:
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    event = Event.of(Moved(place=Place(name="x"), count=1), id="1", source="/s", time=east)
    assert json.loads(CODEC.encode(event))["time"] == "2030-01-31T12:00:00Z"


def test_an_integer_by_name_is_one_even_where_it_came_as_text() -> None:
    assert CODEC.decode(text(hop="12")).extensions == {"hop": 12}


def test_data_is_written_last_and_whole() -> None:
    event = Event.of(Moved(place=Place(name="x"), count=1), id="1", source="/s", time=NOON)
    assert CODEC.encode(event) == (
        b'{"specversion":"1.0","id":"1","source":"/s","type":"com.example.thing.moved.v1",'
        b'"time":"2030-01-31T12:00:00Z","datacontenttype":"application/json",'
        b'"data":{"place":{"name":"x","since":null},"count":1,"share":0.5,"at":null,"marks":[],'
        b'"sure":true}}'
    )


def test_a_codec_names_its_types() -> None:
    assert CODEC.types == (Moved, RegionUnhealthy)
    assert Codec([Moved, Moved]).types == (Moved,)


def test_two_classes_of_one_type_are_refused() -> None:
    class AlsoMoved(EventData, type="com.example.thing.moved.v1"):
        pass

    with pytest.raises(ValueError, match=r"Moved and .*AlsoMoved both name the type"):
        Codec([Moved, AlsoMoved])
