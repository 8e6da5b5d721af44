"""JSON, times and fields from strangers, read within bounds."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from crosswind.signals import Fields, SignalRejected
from crosswind.signals.fields import MAX_ITEMS
from crosswind.signals.outcome import MAX_FAULTS_SHOWN
from crosswind.signals.reading import MAX_BYTES, MAX_DEPTH, MAX_VALUES, inspect, join, parse
from crosswind.signals.times import instant
from crosswind_events import Fault


def faults(value: object) -> list[str]:
    return [str(fault) for fault in inspect(value)]


def nested(depth: int) -> Any:
    value: Any = "core"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"\xff\xfe", "is not UTF-8 (byte 0)"),
        (b"\xef\xbb\xbf{}", "is not JSON: Unexpected UTF-8 BOM"),
        ("", "is not JSON"),
        ("{'a': 1}", "is not JSON"),
        ("{} {}", "is not JSON: Extra data at character 3"),
        ("[" * 500_000, "is nested deeper than 64 levels"),
        ('{"a":' * 200_000, "is nested deeper than 64 levels"),
    ],
)
def test_what_is_no_json_is_refused(text: bytes | str, problem: str) -> None:
    with pytest.raises(SignalRejected) as caught:
        parse(text, "body")

    assert str(caught.value.faults[0]).startswith(f"body: {problem}")


def test_a_payload_beyond_the_limit_is_refused_unread() -> None:
    assert parse(" " * (MAX_BYTES - 1) + "1") == 1
    with pytest.raises(SignalRejected, match=f"at most {MAX_BYTES} bytes are read"):
        parse(b" " * MAX_BYTES + b"1")


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999", "9" * 5000, "-" + "9" * 301])
def test_numbers_that_are_not_finite_are_found_where_they_stand(text: str) -> None:
    assert faults(parse(f'{{"a": [{{"b": {text}}}]}}')) == ["a[0].b: is not a finite number"]


def test_a_decoded_integer_beyond_all_floats_is_not_finite() -> None:
    assert faults({"a": 10**400}) == ["a: is not a finite number"]
    assert faults({"a": 10**200}) == []


def test_repeated_names_are_found_where_they_stand() -> None:
    assert faults(parse('{"x": {"a": 1, "b": 2, "a": 3, "a": 4}}')) == [
        "x.a: occurs more than once"
    ]


def test_half_a_surrogate_pair_is_no_text() -> None:
    assert faults(parse('{"a": "\\ud800"}')) == [
        "a: is not Unicode text: half a surrogate pair at character 0"
    ]
    assert faults(parse('{"\\udfff": 1}'))[0].startswith(": has a name that") is False
    assert "has a name that is not Unicode text" in faults(parse('{"\\udfff": 1}'))[0]
    assert faults(parse('{"a": "\\ud83d\\ude00 é"}')) == []


@pytest.mark.parametrize(
    "alien", [b"bytes", bytearray(b"x"), {1, 2}, Decimal(1), datetime.now(UTC), object()]
)
def test_a_value_that_json_does_not_have_is_refused(alien: object) -> None:
    assert faults({"a": alien}) == [f"a: is a {type(alien).__name__}, which JSON does not have"]


def test_a_name_that_is_no_text_is_refused() -> None:
    assert faults({"a": {1: "x"}}) == ["a: has a int as a name"]


def test_nesting_has_a_bound_and_a_cycle_reaches_it() -> None:
    assert faults(nested(MAX_DEPTH)) == []
    assert faults(nested(MAX_DEPTH + 1))[0].endswith(f"is nested deeper than {MAX_DEPTH} levels")
    cycle: list[Any] = []
    cycle.append(cycle)
    assert len(faults(cycle)) == 1


def test_one_record_holds_a_bounded_number_of_values() -> None:
    assert f"more than {MAX_VALUES} values" in faults([0] * (MAX_VALUES + 1))[0]
    assert "more values or text than can be read" in faults([0] * 400_000 + [[0] * 200_000])[0]
    assert "more values or text than can be read" in faults(["x" * 1_000_000] * 10)[0]


def test_a_list_of_very_many_items_is_a_fault() -> None:
    fields = Fields({"list": [0] * (MAX_ITEMS + 1)})

    assert fields.items("list") == []
    with pytest.raises(SignalRejected, match=f"list: holds more than {MAX_ITEMS} items"):
        fields.check()


def test_a_path_is_printable_and_bounded() -> None:
    assert join("", "a") == "a"
    assert join("a", "b\n") == "a.'b\\n'"
    assert len(join("a", "x" * 1000)) < 100


def test_a_refusal_of_very_many_faults_shows_some_and_counts_the_rest() -> None:
    refused = SignalRejected([Fault(f"f{n}", "is wrong") for n in range(MAX_FAULTS_SHOWN + 7)])

    assert len(refused.faults) == MAX_FAULTS_SHOWN + 7
    assert f"f{MAX_FAULTS_SHOWN - 1}: is wrong; and 7 more." in str(refused)
    assert isinstance(refused, ValueError)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("2026-03-02T10:07:10.123456789Z", "2026-03-02T10:07:10.123456+00:00"),
        ("2026-03-02T10:07:10-0530", "2026-03-02T15:37:10+00:00"),
        ("02 Mar 2026 10:07:10 +0200", "2026-03-02T08:07:10+00:00"),
        ("Mon, 02 Mar 2026 10:07:10 UTC", "2026-03-02T10:07:10+00:00"),
        (1.5, "1970-01-01T00:00:01.500000+00:00"),
        (99_999_999_999, "5138-11-16T09:46:39+00:00"),
        (100_000_000_000, "1973-03-03T09:46:40+00:00"),
    ],
)
def test_an_instant_is_read_to_the_microsecond_in_utc(form: object, expected: str) -> None:
    assert instant(form).isoformat() == expected


@pytest.mark.parametrize(
    "form",
    [
        *(True, None, [], {}, b"2026-03-02T10:07:10Z", math.nan, math.inf, -1e30, 1e30),
        *("", "now", "2026-03-02T10:07:10", "2026-13-02T10:07:10Z", "2026-03-02T25:07:10Z"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-02T10:07:10+99:99"),
        *("Mon, 02 Mai 2026 10:07:10 GMT", "Mon, 31 Feb 2026 10:07:10 GMT", "9" * 15),
        *("٢٠٢٦-03-02T10:07:10Z", "1" * 100, "0x10", "1_000"),
    ],
)
def test_anything_else_is_no_instant(form: object) -> None:
    with pytest.raises(ValueError, match=r"must be a time|no date that exists"):
        instant(form)


def test_fields_note_every_fault_and_read_the_rest() -> None:
    fields = Fields({"Name": " x ", "Flag": "TRUE", "n": True, "list": 7, "text": [1], "when": ""})

    assert fields.need("NAME") == "x"
    assert fields.flag("flag") is True
    assert fields.number("n") is None
    assert fields.objects("list") == []
    assert fields.text("text") is None
    assert fields.need_instant("when").year == 1970
    assert fields.need("missing") == ""
    assert fields.need_object("gone").need("inner") == ""
    with pytest.raises(SignalRejected) as caught:
        fields.check()
    assert [str(fault) for fault in caught.value.faults] == [
        "n: must be a number, not true or false",
        "list: must be a list, not a number",
        "text: must be text, not a list",
        "when: is required",
        "missing: is required",
        "gone: is required",
        "gone.inner: is required",
    ]


def test_a_name_that_is_no_text_names_no_field() -> None:
    names: dict[Any, Any] = {1: "x", "a": "y"}

    assert Fields(names).need("a") == "y"


def test_a_field_of_the_wrong_type_is_one_fault_even_where_it_is_required() -> None:
    fields = Fields({"a": {}, "b": "never", "c": [1]})
    fields.need("a")
    fields.need_instant("b")
    fields.need_object("c")

    with pytest.raises(SignalRejected) as caught:
        fields.check()
    assert [fault.where for fault in caught.value.faults] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("value", "number"), [(None, None), ("", None), (0, 0.0), ("-1.5E3", -1500.0), (7, 7.0)]
)
def test_a_number_is_read_from_its_forms(value: object, number: float | None) -> None:
    fields = Fields({"n": value})

    assert fields.number("n") == number
    fields.check()


@pytest.mark.parametrize("value", ["nan", "1e999", "0x1", "1 000", "1,5", math.inf, [], {}])
def test_what_is_no_number_is_a_fault(value: object) -> None:
    fields = Fields({"n": value})

    assert fields.number("n") is None
    with pytest.raises(SignalRejected, match="n: "):
        fields.check()


@pytest.mark.parametrize(
    ("value", "flag"), [(None, False), (True, True), (False, False), ("False", False), ("", False)]
)
def test_a_flag_is_read_from_its_forms(value: object, flag: bool) -> None:
    fields = Fields({"f": value})

    assert fields.flag("f") is flag
    fields.check()


def test_json_in_a_string_is_unfolded_and_its_faults_have_a_path() -> None:
    text = json.dumps({"a": [{"b": "x"}, 7]})
    fields = Fields({"json": text, "blank": " ", "nan": '{"n": NaN}', "bad": "{"}, "outer")

    inner = fields.object("json")
    assert inner is not None
    assert [item.need("b") for item in inner.objects("a")] == ["x"]
    assert fields.object("blank") is None
    assert fields.object("nan") is None
    assert fields.object("bad") is None
    with pytest.raises(SignalRejected) as caught:
        fields.check()
    assert [fault.where for fault in caught.value.faults] == [
        "outer.json.a[1]",
        "outer.nan.n",
        "outer.bad",
    ]
