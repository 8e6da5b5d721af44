"""Documents that remember the line of every value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.fleet.formats import read_json, read_yaml

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
KEYS = st.text(max_size=8).filter(lambda key: key != "<<")
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(VALUES, st.sampled_from([None, 1]))
def test_json_is_read_as_json_is(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    document = read_json(text)
    assert document.value == value
    assert not document.faults


@settings(deadline=None)
@given(VALUES)
def test_every_value_of_a_json_document_has_the_line_it_stands_in(value: Any) -> None:
    text = json.dumps({"root": value}, indent=1)
    document = read_json(text)
    lines = text.splitlines()

    def check(path: tuple[str | int, ...], at: Any) -> None:
        written = lines[document.line(path) - 1].strip().rstrip(",")
        if isinstance(path[-1], str):
            assert written.startswith(json.dumps(path[-1]) + ":")
        elif not isinstance(at, dict | list):
            assert written == json.dumps(at)
        inner = (
            at.items() if isinstance(at, dict) else enumerate(at) if isinstance(at, list) else ()
        )
        for step, child in inner:
            check((*path, step), child)

    check(("root",), value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("'null'", "null"),
        ('"5"', "5"),
        ("5", 5),
        ("-5", -5),
        ("007", 7),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("2026-01-01", "2026-01-01"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".", "."),
        (".inf", ".inf"),
        ("9" * 41, "9" * 41),
    ],
)
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(written: str, value: object) -> None:
    found = read_yaml(f"key: {written}\n").value["key"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_texts_whatever_they_look_like() -> None:
    assert read_yaml("1: a\ntrue: b\nNO: c\n").value == {"1": "a", "true": "b", "NO": "c"}


def test_a_path_that_does_not_exist_has_the_line_of_what_is_around_it() -> None:
    document = read_yaml("a:\n  b:\n    - 1\n    - c: 2\n")
    assert document.line(()) == 1
    assert document.line(("a",)) == 1
    assert document.line(("a", "b", 1, "c")) == 4
    assert document.line(("a", "b", 1, "missing")) == 4
    assert document.line(("a", "b", 7)) == 2
    assert document.line(("a", "b", "key")) == 2
    assert document.line(("a", "b", 0, "deeper")) == 3
    assert document.line(("z", "b")) == 1


def test_repeated_keys_keep_the_first_value_and_are_faults() -> None:
    document = read_yaml("a: 1\nb:\n  c: 1\n  c: {d: 2}\na: [3]\n")
    assert document.value == {"a": 1, "b": {"c": 1}}
    assert [(fault.line, fault.problem) for fault in document.faults] == [
        (4, "the key 'c' is repeated, it stands in line 3"),
        (5, "the key 'a' is repeated, it stands in line 1"),
    ]


def test_merge_keys_and_tags_are_faults() -> None:
    document = read_yaml("a: &a {b: 1}\nc:\n  <<: *a\n  <<: 2\nd: !!python/name:os.system x\n")
    assert document.value == {"a": {"b": 1}, "c": {}, "d": "x"}
    assert [fault.line for fault in document.faults] == [3, 4, 5]
    assert "!!python/name:os.system" in document.faults[2].problem


def test_an_anchored_scalar_can_be_repeated() -> None:
    assert read_yaml("a: &n 5\nb: [*n, *n]\n").value == {"a": 5, "b": [5, 5]}
