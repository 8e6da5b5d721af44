"""What is refused, on the way in and on the way out: one error that lists every fault."""

from __future__ import annotations

import base64
import copy
import dataclasses
import json
import pickle
import time
import tracemalloc
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind_events import Codec, Event, EventData, Fault, InvalidEvent, Raw, RegionUnhealthy
from crosswind_events.faults import MAX_FAULTS, MAX_PROBLEM, MAX_WHERE
from unit.events.drawn import NOON, Moved, Place, plain, thoroughly

CODEC = Codec([Moved, RegionUnhealthy])
MOVED = Moved(place=Place(name="here"), count=1)


class Wide(EventData, type="com.example.wide.v1"):
    """A type with the least bounds: what a user may write without a thought."""

    lists: dict[str, list[int]] = {}  # noqa: RUF012 - pydantic copies it
    texts: list[str] = []  # noqa: RUF012 - likewise


def refused(body: bytes | str | dict[str, Any], codec: Codec = CODEC) -> list[str]:
    with pytest.raises(InvalidEvent) as caught:
        codec.decode(json.dumps(body) if isinstance(body, dict) else body)
    return [str(fault) for fault in caught.value.faults]


def unwritable(**changes: Any) -> list[str]:
    good = Event.of(MOVED, id="1", source="/s", time=NOON)
    event = dataclasses.replace(good, **changes)
    found: list[str] = []
    for write in (CODEC.encode, CODEC.encode_binary, Event.to_sdk):
        with pytest.raises(InvalidEvent) as caught:
            write(event)
        assert found in ([], [*map(str, caught.value.faults)])
        found = [str(fault) for fault in caught.value.faults]
    return found


def test_every_fault_is_listed_at_once() -> None:
    found = refused(
        {
            "specversion": "0.3",
            "id": "",
            "source": "a b",
            "time": "yesterday",
            "type": "com.example.thing.moved.v1",
            "subject": 7,
            "dataschema": "no-uri",
            "datacontenttype": "application/json; charset",
            "Bad": 1,
            "fraction": 0.5,
            "data": {"place": {"name": 3}, "count": "1", "marks": [1, "b", None]},
        }
    )
    assert found == [
        'specversion: must be "1.0"',
        "id: must not be empty",
        "source: must be a URI-reference (RFC 3986)",
        "time: must be a date and time with an offset, as RFC 3339 writes it: 2030-01-31T12:00:00Z",
        "subject: must be a string",
        "dataschema: must be a URI (RFC 3986)",
        "datacontenttype: must be a media type (RFC 2046)",
        "data.place.name: input should be a valid string",
        "data.count: input should be a valid integer",
        "data.marks.0: input should be a valid string",
        "data.marks.2: input should be a valid string",
        "Bad: an attribute's name must consist of lower-case letters a-z and digits",
        "fraction: must be a string, a whole number or a boolean",
    ]


def test_every_missing_attribute_is_listed() -> None:
    assert refused({}) == [
        f"{name}: is missing" for name in ("specversion", "id", "source", "type", "time")
    ]
    assert refused(plain(data=None)) == ["data: is missing"]


def test_the_error_reads_as_one_sentence() -> None:
    with pytest.raises(ValueError, match="the event is refused: id: is missing; time: is missing"):
        CODEC.decode(json.dumps(plain(id=None, time=None)))


def test_the_error_can_be_pickled_and_copied() -> None:
    error = InvalidEvent([Fault("id", "is missing")] * (MAX_FAULTS + 2))
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (twin.faults, twin.unlisted, str(twin)) == (error.faults, 2, str(error))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "is not JSON"),
        (b" ", "is not JSON"),
        (b"{", "is not JSON"),
        (b"{} {}", "is not JSON"),
        (b"{'a': 1}", "is not JSON"),
        (b'{"a": NaN}', "is not JSON"),
        (b'{"a": -Infinity}', "is not JSON"),
        (b'{"a": 01}', "is not JSON"),
        (b'{"a": "\xff"}', "is not JSON"),
        (b'{"a": "\xed\xa0\x80"}', "is not JSON"),
        (b'{"a": "\\ud800"}', "is not JSON"),
        (b'{"a": "\x01"}', "is not JSON"),
        (b"// note\n{}", "is not JSON"),
        (b"[" * 100_000, "is not JSON: recursion limit exceeded"),
        (b'{"a": ' + b"1" * 5_000 + b"}", "is not JSON: number out of range"),
        (b"\xef\xbb\xbf{}", "must be JSON in UTF-8 without a byte order mark"),
        ("\ufeff{}", "must be JSON in UTF-8 without a byte order mark"),
        ("{}".encode("utf-16"), "is not JSON"),
        ('{"a": "\ud800"}', "holds a lone surrogate"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"x"', "must be a JSON object"),
        (b" " * 196_609, "takes 196,609 bytes, more than the 196,608 that every bus carries"),
        (" " * 196_609, "takes 196,609 bytes, more than the 196,608 that every bus carries"),
        ("é" * 100_000, "takes 200,000 bytes, more than the 196,608 that every bus carries"),
    ],
)
def test_what_is_no_json_object_of_bearable_size_is_refused(body: Any, problem: str) -> None:
    (fault,) = refused(body)
    assert fault.startswith(problem)


@pytest.mark.parametrize("body", [None, 1, {}, memoryview(b"{}")])
def test_what_is_no_text_at_all_is_a_mistake_of_the_program(body: Any) -> None:
    with pytest.raises(TypeError, match="bytes or str"):
        CODEC.decode(body)


@pytest.mark.parametrize("version", ["0.3", "1", "1.0.2", "", 1.0, 1, True, [], {}])
def test_another_version_is_refused(version: Any) -> None:
    assert refused(plain(specversion=version)) == ['specversion: must be "1.0"']


@pytest.mark.parametrize(
    "value",
    [
        7,
        True,
        [],
        {"a": 1},
        "",
        "a\nb",
        "\x7f",
        "\x85",
        "\ufdd0",
        "\uffff",
        "\U0010ffff",
        "x" * 1025,
        "é" * 513,
    ],
)
@pytest.mark.parametrize("name", ["id", "type", "source", "subject", "dataschema"])
def test_an_attribute_is_a_string_that_holds_text(name: str, value: Any) -> None:
    (fault,) = refused(plain(type="com.example.other.v1") | {name: value})
    assert fault.startswith(f"{name}: must ")


@pytest.mark.parametrize("value", ["x" * 1024, "é" * 512, "\u2028", "a\u00a0b", "\ue000", "😀"])
def test_any_other_text_may_be_an_attribute(value: str) -> None:
    assert CODEC.decode(json.dumps(plain(id=value, subject=value, note=value))).id == value


@pytest.mark.parametrize(
    "source",
    [
        "a b",
        "\\x",
        "<x>",
        "é",
        "%",
        "%4",
        "%zz",
        "1:2",
        "://x",
        "http://[::1",
        "http://a:b:c/",
        "a#b#c",
        "{x}",
        "//a b",
        "x^y",
        "a|b",
        "`",
    ],
)
def test_a_source_is_a_uri_reference(source: str) -> None:
    assert refused(plain(source=source)) == ["source: must be a URI-reference (RFC 3986)"]


@pytest.mark.parametrize("media", ["a/" + "x" * 1023, "a/b\n", "a/b; c=\x7f"])
def test_a_media_type_is_text_that_a_bus_carries(media: str) -> None:
    (fault,) = refused(plain(datacontenttype=media))
    assert fault.startswith("datacontenttype: must not ")


@pytest.mark.parametrize("schema", ["/relative", "1:2", "a b", "//x", "é:x"])
def test_a_dataschema_is_a_uri(schema: str) -> None:
    assert refused(plain(dataschema=schema)) == ["dataschema: must be a URI (RFC 3986)"]


@pytest.mark.parametrize(
    "media", ["json", "/", "a/", "/b", "a/b; c", "a/b c", "a/b; c=", 'a/b; c="', "é/b"]
)
def test_a_datacontenttype_is_a_media_type(media: str) -> None:
    assert refused(plain(datacontenttype=media)) == [
        "datacontenttype: must be a media type (RFC 2046)"
    ]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Upper", "an attribute's name must consist of"),
        ("under_score", "an attribute's name must consist of"),
        ("a-b", "an attribute's name must consist of"),
        ("é", "an attribute's name must consist of"),
        ("", "an attribute's name must consist of"),
        ("a\n", "an attribute's name must consist of"),
        ("x" * 21, "an attribute's name must not exceed 20 characters"),
        ("x" * 1000, "an attribute's name must not exceed 20 characters"),
    ],
)
def test_an_extension_s_name_is_short_and_plain(name: str, problem: str) -> None:
    (fault,) = refused({**plain(), name: "1"})
    assert problem in fault
    (fault,) = unwritable(extensions={name: "1"})
    assert problem in fault


@pytest.mark.parametrize("value", [0.5, 2**31, -(2**31) - 1, 10**30, [], {}, [1], {"a": 1}])
def test_an_extension_is_a_string_an_integer_or_a_boolean(value: Any) -> None:
    (fault,) = refused({**plain(), "note": value})
    assert fault.startswith("note: must ")
    (fault,) = unwritable(extensions={"note": value})
    assert fault.startswith("note: must ")


@pytest.mark.parametrize("value", ["a\tb", "\ud800", "x" * 1025, "\ufffe"])
def test_an_extension_holds_text_that_a_bus_carries(value: str) -> None:
    (fault,) = unwritable(extensions={"note": value})
    assert fault.startswith("note: must not ")


@pytest.mark.parametrize("name", ["data", "id", "specversion", "time"])
def test_an_extension_must_not_pass_for_an_attribute_of_the_specification(name: str) -> None:
    (fault,) = unwritable(extensions={name: "1"})
    assert fault == f"{name}: is a name that the CloudEvents specification reserves"


@pytest.mark.parametrize("hop", ["x", "1.0", "01", "+1", "", "-", "99999999999"])
def test_a_hop_is_a_whole_number(hop: str) -> None:
    assert refused(plain(hop=hop)) == ["hop: must be a whole number"]
    assert refused(plain(hop="2147483648")) == ["hop: must fit a signed 32-bit integer"]


def test_names_in_a_large_event_are_short_along_every_path() -> None:
    for tree in ({"x" * 20_000: 1}, {"x" * 600: [{"y" * 600: "z" * 20_000}]}):
        assert refused(plain(data=tree)) == [
            "nests names of more than 1,024 characters along one path"
        ]
    octets = base64.b64encode(json.dumps({"x" * 20_000: 1}).encode()).decode()
    assert refused(plain(data=None, data_base64=octets)) == [
        "data: nests names of more than 1,024 characters along one path"
    ]


def test_an_event_has_a_bearable_number_of_extensions() -> None:
    many = {f"e{number}": 1 for number in range(65)}
    assert refused({**plain(), **many}) == ["has more than 64 extension attributes"]
    assert unwritable(extensions=many) == ["has more than 64 extension attributes"]
    many.pop("e0")
    assert CODEC.decode(json.dumps({**plain(), **many, "unset": None})).extensions == many


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"data_base64": "AA=="}, "data_base64: must not occur beside data"),
        ({"data": None, "data_base64": "A"}, "data_base64: must be a string of base64 (RFC 4648)"),
        ({"data": None, "data_base64": "é"}, "data_base64: must be a string of base64 (RFC 4648)"),
        ({"data": None, "data_base64": 1}, "data_base64: must be a string of base64 (RFC 4648)"),
        ({"data": None, "data_base64": "A\nA=="}, "data_base64: must be a string of base64"),
        ({"data": None, "data_base64": "AA=="}, "data: is not JSON"),
        ({"data": []}, "data: input should be a valid dictionary"),
        ({"data": "{}"}, "data: input should be a valid dictionary"),
        ({"datacontenttype": "text/xml"}, "datacontenttype: must declare JSON for com.example"),
        (
            {"type": "t.t", "datacontenttype": "text/xml"},
            "data: must be a string, for datacontenttype declares no JSON",
        ),
    ],
)
def test_data_that_is_not_what_it_is_declared_to_be_is_refused(
    changes: dict[str, Any], fault: str
) -> None:
    assert refused(plain(**changes))[0].startswith(fault)


def test_a_repeated_key_is_refused_wherever_it_is() -> None:
    head = json.dumps(plain())[:-1]
    assert refused(head + ',"id":"1"}') == ["repeats the key 'id'"]
    assert refused(head + ',"\\u0069d":"1"}') == ["repeats the key 'id'"]
    assert refused(head + ',"x":"\\":", "x":""}') == ["repeats the key 'x'"]
    nested = plain(data={"place": {"name": "here"}, "count": 1, "more": [{"a": 1}]})
    body = json.dumps(nested).replace('"a": 1', '"a" : 1, "a"\t:2, "b":0, "b":0,"a":3')
    assert refused(body) == ["data.more.0: repeats the key 'a'", "data.more.0: repeats the key 'b'"]


def test_a_number_beyond_a_double_is_refused_even_where_it_is_ignored() -> None:
    body = json.dumps(plain()).replace('"count": 1', '"count": 1, "more": [-1e999]')
    assert refused(body) == ["data.more.0: is a number beyond the range of a double"]
    body = json.dumps(plain(type="t.t")).replace('"count": 1', '"count": 1e400')
    assert refused(body) == ["data.count: is a number beyond the range of a double"]


def test_an_event_that_none_may_read_is_not_written() -> None:
    found = unwritable(
        id="",
        source="a b",
        type="",
        subject="",
        time=datetime(2030, 1, 31),
        datacontenttype="x",
        dataschema="x",
        extensions={"Bad": 1, "note": None},
    )
    assert [fault.partition(":")[0] for fault in found] == [
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "dataschema",
        "Bad",
        "note",
        "type",
        "datacontenttype",
    ]


@pytest.mark.parametrize("moment", ["2030-01-31T12:00:00Z", None, 0, NOON.date()])
def test_a_time_that_is_no_datetime_is_not_written(moment: Any) -> None:
    (fault,) = unwritable(time=moment)
    assert fault.startswith("time: must be a date and time")


@pytest.mark.parametrize("media", [None, 1])
def test_a_media_type_that_is_no_text_is_not_written(media: Any) -> None:
    assert "datacontenttype: must be a string" in unwritable(datacontenttype=media)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"type": "com.example.other.v1"}, "type: must be com.example.thing.moved.v1, the type of"),
        ({"datacontenttype": "text/xml"}, "datacontenttype: must declare JSON for com.example"),
        ({"data": {"count": 1}}, "data: must be an EventData or a Raw, not dict"),
        ({"data": None}, "data: must be an EventData or a Raw, not NoneType"),
        ({"data": Raw(float("nan"))}, "data: is not JSON"),
        ({"data": Raw([float("-inf")])}, "data: is not JSON"),
        ({"data": Raw({1: "a", "1": "b"})}, "data: repeats the key '1'"),
        ({"data": Raw("\ud800")}, "data: cannot be written: "),
        ({"data": Raw({"\ud800": 1})}, "data: cannot be written: "),
        ({"data": Raw(object())}, "data: cannot be written: "),
        (
            {"data": Raw("\ud800"), "datacontenttype": "text/plain"},
            "data: holds a lone surrogate, so it is no text",
        ),
        (
            {"data": Raw([1]), "datacontenttype": "text/plain"},
            "data: must be text or bytes, for datacontenttype declares no JSON",
        ),
    ],
)
def test_data_that_none_may_read_is_not_written(changes: dict[str, Any], fault: str) -> None:
    (found,) = unwritable(**changes)
    assert found.startswith(fault)


def test_data_that_goes_round_in_circles_is_not_written() -> None:
    circle: list[Any] = []
    circle.append(circle)
    deep: list[Any] = []
    for _ in range(250):
        deep = [deep]
    for value in (circle, deep):
        (found,) = unwritable(data=Raw(value))
        assert found.startswith("data: ")


def test_typed_data_that_is_no_text_is_not_written() -> None:
    (found,) = unwritable(data=Moved(place=Place(name="\ud800"), count=1))
    assert found.startswith("data: cannot be written: ")


def test_an_event_too_large_for_the_buses_is_not_written() -> None:
    for data in (Raw("x" * 196_600), Moved(place=Place(name="x" * 196_600), count=1)):
        with pytest.raises(InvalidEvent, match="more than the 196,608 that every bus carries"):
            CODEC.encode(Event(id="1", source="/s", type=Moved.event_type, time=NOON, data=data))


def outcome(read: Callable[[Any], Any], body: bytes | str) -> Any:
    """Give what was read, or the refusal; any other error comes out."""
    try:
        return read(body)
    except InvalidEvent as refused:
        return refused


def hostile() -> dict[str, bytes]:
    """Bodies as large as may be, each made to cost as much as it can."""
    head = json.dumps(plain(type="com.example.wide.v1", data=None))[:-1]

    def filled(before: str, unit: str, after: str) -> bytes:
        room = 196_000 - len(head) - len(before) - len(after)
        units = ",".join([unit] * (room // (len(unit) + 1)))
        return f"{head},{before}{units}{after}".encode()

    return {
        "one key, a million times": filled('"data":{', '"a":0', "}}"),
        "many objects with repeated keys": filled('"data":{"x":[', '{"a":1,"a":2}', "]}}"),
        "repeated keys deep down": filled(
            '"data":{"x":' + "[" * 150, '{"a":1,"a":1}', "]" * 150 + "}}"
        ),
        "many bad values": filled('"data":{"texts":[', "1", "]}}"),
        "many bad values below a long name": filled(
            '"data":{"lists":{"' + "k" * 90_000 + '":[', '""', "]}}}"
        ),
        "many different keys": (
            f'{head},"data":{{{",".join(f"{chr(34)}{n:x}{chr(34)}:0" for n in range(19_000))}}}}}'
        ).encode(),
        "many extensions": (
            f"{head},{','.join(f'{chr(34)}e{n}{chr(34)}:1' for n in range(17_000))}}}"
        ).encode(),
        "huge numbers": filled('"data":{"lists":{"a":[', "9" * 4_300, "]}}}"),
        "numbers out of range": filled('"data":{"texts":[', "1e999", "]}}"),
        "one long string": filled('"data":{"texts":["' + "x" * 190_000, "", '"]}}'),
        "strings that look like keys": filled('"data":{"texts":[', '"\\":"', "]}}"),
        "a long identifier": f'{{"id":"{"é" * 90_000}"}}'.encode(),
        "a long source": f'{{"source":"{"/" * 190_000}"}}'.encode(),
        "a media type made to be searched": json.dumps(
            plain(datacontenttype="a/b" + "; " * 500 + "x")
        ).encode(),
        "a source made to be searched": json.dumps(plain(source="a" * 1_000 + " ")).encode(),
        "nesting to the limit": f'{head},"data":{"[" * 195}{"]" * 195}}}'.encode(),
        "nesting beyond": f'{head},"data":{"[" * 90_000}{"]" * 90_000}}}'.encode(),
    }


@pytest.mark.parametrize("name", hostile())
def test_a_hostile_body_costs_little_and_is_answered_briefly(name: str) -> None:
    codec = Codec([Wide])
    body = hostile()[name]
    tracemalloc.start()
    began = time.process_time()
    result = outcome(codec.decode, body)
    spent = time.process_time() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    if isinstance(result, InvalidEvent):
        assert len(result.faults) <= MAX_FAULTS
        for where, problem in result.faults:
            assert len(where) <= MAX_WHERE
            assert len(problem) <= MAX_PROBLEM
        assert len(str(result)) < 20_000
    # Tracing makes it several times slower than it is; what matters is that nothing is quadratic.
    assert spent < 5.0
    assert peak < 80_000_000


def test_what_is_said_of_very_many_faults_is_how_many_there_are() -> None:
    few = plain(type="com.example.wide.v1", data={"texts": [1] * 1000})
    with pytest.raises(InvalidEvent) as caught:
        Codec([Wide]).decode(json.dumps(few))
    assert (len(caught.value.faults), caught.value.unlisted) == (50, 950)
    assert str(caught.value).endswith("; and 950 more")
    many = plain(type="com.example.wide.v1", data={"texts": [1] * 1001})
    assert refused(many, Codec([Wide])) == ["data: does not fit in 1,001 places"]


def test_a_path_is_shown_short_and_in_one_line() -> None:
    tree = plain(type="com.example.wide.v1", data={"lists": {"a\nb" * 300: [""], "c": {"d": 1}}})
    long, short = refused(tree, Codec([Wide]))
    assert long.startswith("data.lists.a\\nb")
    assert len(long) < 200
    assert short == "data.lists.c: input should be a valid list"


@thoroughly
@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_other_error_comes_out_of_anything(body: bytes | str) -> None:
    for read in (CODEC.decode, CODEC.decode_batch):
        found = outcome(read, body)
        assert not isinstance(found, InvalidEvent) or found.faults


@thoroughly
@given(
    st.dictionaries(
        st.sampled_from([*plain(), "subject", "dataschema", "datacontenttype", "data_base64", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
            max_leaves=6,
        ),
    )
)
def test_any_tree_is_read_or_refused(tree: dict[str, Any]) -> None:
    found = outcome(CODEC.decode, json.dumps(plain() | tree))
    if isinstance(found, InvalidEvent):
        assert found.faults
    else:
        assert CODEC.decode(CODEC.encode(found)) == found
