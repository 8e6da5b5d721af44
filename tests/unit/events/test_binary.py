"""Binary mode: attributes in HTTP headers, data as body (HTTP protocol binding 1.0.2, 3.1)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given

from crosswind_events import Codec, Event, InvalidEvent, Raw, RegionUnhealthy
from crosswind_events.attributes import is_json
from unit.events.drawn import NOON, Moved, Place, events, stated, thoroughly, typed_events

CODEC = Codec([Moved, RegionUnhealthy])
HEADERS = {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/probes",
    "ce-type": "com.example.other.v1",
    "ce-time": "2030-01-31T12:00:00Z",
}
KNOWN = {**HEADERS, "ce-type": Moved.event_type}
DATA = b'{"place":{"name":"here"},"count":1}'


def decode(body: bytes = b"", known: bool = False, **headers: str) -> Event[Any]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return CODEC.decode_binary({**(KNOWN if known else HEADERS), **given}, body)


def refused(body: bytes = b"", known: bool = False, **headers: str) -> list[str]:
    with pytest.raises(InvalidEvent) as caught:
        decode(body, known, **headers)
    return [str(fault) for fault in caught.value.faults]


def as_carried(value: Any) -> Any:
    """What a value of an extension is once it was a header."""
    return value if isinstance(value, str) else str(value).lower()


def is_honest(event: Event[Any]) -> bool:
    """Say whether data that is declared to be JSON is that; a body cannot say otherwise."""
    octets = isinstance(event.data, Raw) and isinstance(event.data.value, bytes)
    return not (octets and is_json(event.datacontenttype))


@thoroughly
@given(events.filter(is_honest))
def test_what_is_written_is_read_as_it_was(event: Event[Any]) -> None:
    headers, body = CODEC.encode_binary(event)
    read = CODEC.decode_binary(headers, body)
    carried = {
        name: value if name == "hop" else as_carried(value)
        for name, value in event.extensions.items()
    }
    assert stated(read) == {**stated(event), **carried}
    if not isinstance(event.data, Raw) or event.data.value != read.data.value:
        # Text and octets are the same in a body, and so is JSON that was kept as octets.
        assert CODEC.encode_binary(read) == (headers, body)


@thoroughly
@given(typed_events)
def test_headers_are_printable_ascii(event: Event[Any]) -> None:
    headers, _ = CODEC.encode_binary(event)
    content_type = headers.pop("content-type")
    assert content_type == event.datacontenttype
    for name, value in headers.items():
        assert name.startswith("ce-")
        assert all("!" <= character <= "~" and character != '"' for character in value)


def test_a_known_type_is_read_as_its_model() -> None:
    event = decode(DATA, known=True, content_type="application/json", ce_hop="2", CE_Place="aws")
    assert event == Event(
        id="1",
        source="/probes",
        type=Moved.event_type,
        time=NOON,
        data=Moved(place=Place(name="here"), count=1),
        extensions={"hop": 2, "place": "aws"},
    )


def test_header_names_are_taken_in_any_case_and_others_left_alone() -> None:
    headers = {name.upper(): value for name, value in HEADERS.items()}
    event = Codec().decode_binary({**headers, "X-Other": "1", "Cookie": "no"}, b"")
    assert event.id == "1"
    assert event.extensions == {}


def test_octets_that_are_declared_to_be_json_must_be_that() -> None:
    event = Event(id="1", source="/s", type="t.t", time=NOON, data=Raw(b"[1]"))
    assert CODEC.decode_binary(*CODEC.encode_binary(event)).data == Raw([1])
    for octets in (b"\x00", b'{"a":1,"a":2}'):
        with pytest.raises(InvalidEvent, match="refused: data: "):
            CODEC.encode_binary(dataclasses.replace(event, data=Raw(octets)))


@pytest.mark.parametrize(
    ("value", "header"),
    [
        ("Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80"),
        ('a"b%c', "a%22b%25c"),
        ("!#$&'()*+,-./:;<=>?@[\\]^_`{|}~", "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (-7, "-7"),
    ],
)
def test_values_are_percent_encoded(value: Any, header: str) -> None:
    event = Event(
        id="1", source="/s", type="t.t", time=NOON, data=Raw(), extensions={"note": value}
    )
    headers, _ = CODEC.encode_binary(event)
    assert headers["ce-note"] == header
    assert CODEC.decode_binary(headers, b"").extensions["note"] == as_carried(value)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("a%20b", "a b"),
        ("%e2%82%ac", "€"),
        ("%41", "A"),
        ("%2541", "%41"),
        ("100%", "100%"),
        ("%zz", "%zz"),
        (" \ta ", "a"),
        ('"a b"', "a b"),
        (r'"a\"b\\c"', 'a"b\\c'),
        ('"a%20b"', "a b"),
        ('"', '"'),
        ('""', ""),
        ("bär", "bär"),
    ],
)
def test_values_are_decoded_as_the_binding_says(header: str, value: str) -> None:
    assert decode(ce_note=header).extensions == {"note": value}


@pytest.mark.parametrize("header", ["%C0%A0", "%FF", "%E2%82", "a%80"])
def test_bytes_that_are_no_utf_8_are_refused(header: str) -> None:
    assert refused(ce_note=header) == ["note: must be UTF-8 once percent-decoded"]


def test_a_bad_header_is_not_missed_as_well() -> None:
    assert refused(ce_id="%FF") == ["id: must be UTF-8 once percent-decoded"]


def test_the_content_type_has_its_own_header() -> None:
    assert refused(ce_datacontenttype="application/json") == [
        "datacontenttype: must be given by the content-type header alone"
    ]


def test_a_header_given_twice_is_refused() -> None:
    assert refused(CE_ID="2") == ["id: is given more than once"]


def test_every_fault_of_attributes_and_data_is_listed() -> None:
    found = refused(
        b'{"place":{},"count":"1"}', True, ce_id="", ce_time="noon", ce_hop="x", ce_Bad_="1"
    )
    assert [fault.partition(":")[0] for fault in found] == [
        "id",
        "time",
        "data.place.name",
        "data.count",
        "hop",
        "bad-",
    ]


def test_an_empty_body_is_no_data() -> None:
    assert decode(content_type="application/json").data == Raw()
    assert refused(known=True) == ["data: is missing"]


def test_a_body_of_another_format_stays_bytes() -> None:
    event = decode(b"<a/>", content_type="application/xml")
    assert event.data == Raw(b"<a/>")
    assert event.datacontenttype == "application/xml"


def test_a_json_body_of_an_unknown_type_is_its_value() -> None:
    assert decode(b"[1]", content_type="text/json; charset=utf-8").data == Raw([1])


def test_a_body_that_is_not_the_json_it_is_declared_to_be_is_refused() -> None:
    (fault,) = refused(b"[1", content_type="application/json")
    assert fault.startswith("data: is not JSON: ")
    (fault,) = refused(b'{"a":1,"a":2}', content_type="application/json")
    assert fault == "data: repeats the key 'a'"


def test_a_body_of_undeclared_format_is_json_if_it_can_be() -> None:
    event = decode(b"[1]")
    assert (event.data, event.datacontenttype) == (Raw([1]), "application/json")
    event = decode(b"\x00\x01")
    assert (event.data, event.datacontenttype) == (Raw(b"\x00\x01"), "application/octet-stream")


def test_a_repeated_key_is_refused_in_a_body_of_undeclared_format_too() -> None:
    assert refused(b'{"a":1,"a":2}') == ["data: repeats the key 'a'"]


def test_data_of_a_known_type_is_json_also_where_nothing_declares_it() -> None:
    assert decode(DATA, known=True).data.count == 1
    (fault,) = refused(b"\x00", known=True)
    assert fault.startswith("data: is not JSON: ")


def test_data_of_a_known_type_in_another_format_is_refused() -> None:
    assert refused(DATA, known=True, content_type="application/xml") == [
        "datacontenttype: must declare JSON for com.example.thing.moved.v1"
    ]


def test_a_content_type_that_is_none_is_refused() -> None:
    assert refused(b"x", content_type="nonsense") == [
        "datacontenttype: must be a media type (RFC 2046)"
    ]


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("text/plain", "bär".encode()),
        ('text/plain; charset="UTF-8"; format=flowed', "bär".encode()),
        ("text/plain;charset=us-ascii", b"bar"),
    ],
)
def test_text_is_written_in_utf_8(media: str, body: bytes) -> None:
    event = Event(
        id="1", source="/s", type="t.t", time=NOON, data=Raw(body.decode()), datacontenttype=media
    )
    assert CODEC.encode_binary(event)[1] == body


def test_text_in_another_charset_must_be_given_as_bytes() -> None:
    event = Event(
        id="1",
        source="/s",
        type="t.t",
        time=NOON,
        data=Raw("bär"),
        datacontenttype="text/plain; charset=latin-1",
    )
    with pytest.raises(InvalidEvent, match="datacontenttype: declares a charset"):
        CODEC.encode_binary(event)


def test_an_event_too_large_for_the_buses_is_refused_both_ways() -> None:
    event = Event(
        id="1",
        source="/s",
        type="t.t",
        time=NOON,
        data=Raw(b"x" * 196_600),
        datacontenttype="image/png",
    )
    with pytest.raises(InvalidEvent, match="more than the 196,608 that every bus carries"):
        CODEC.encode_binary(event)
    (fault,) = refused(b"x" * 196_600, content_type="image/png")
    assert "more than the 196,608" in fault
    (fault,) = refused(b"x" * 196_609)
    assert "more than the 196,608" in fault
    with pytest.raises(InvalidEvent) as caught:
        CODEC.decode_binary({f"ce-e{number}": "x" * 900 for number in range(300)}, b"")
    (fault,) = map(str, caught.value.faults)
    assert "more than the 196,608 that every bus carries" in fault
