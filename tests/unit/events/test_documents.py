"""The quick look for repeated keys and numbers out of range, held against the exact one."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from crosswind_events import Codec, Event
from crosswind_events.document import flaws, is_plain, parse
from unit.events.drawn import events, json_values, thoroughly

blanks = st.sampled_from(["", "", " ", "\n", "\t ", "\r\n"])
# Texts that look like the ends of keys, and few enough keys that they often repeat.
tricky = st.sampled_from(
    ["", "a", "b", ":", '":', '" :', '\\":', " :", "é", '{"a":1}', "\u2028", "\\", "a\\"]
)
numerals = st.sampled_from(["0", "-1", "1.0", "1e5", "1e999", "-1E+400", "1" * 400, "0.1e-999"])


@st.composite
def texts(draw: Any, depth: int = 3) -> str:
    """JSON text, as any writer might write it, with keys that may repeat."""

    def string(value: str) -> str:
        if draw(st.booleans()):
            return json.dumps(value)
        return '"' + "".join(f"\\u{ord(character):04x}" for character in value) + '"'

    kind = draw(st.sampled_from(["object", "object", "array", "string", "number", "word"]))
    if depth == 0 or kind in ("string", "number", "word"):
        if kind == "number":
            return str(draw(numerals))
        return draw(st.sampled_from(["true", "null"])) if kind == "word" else string(draw(tricky))
    size = draw(st.integers(0, 4))
    between = f"{draw(blanks)},{draw(blanks)}"
    if kind == "array":
        inner = between.join(draw(texts(depth=depth - 1)) for _ in range(size))
        return f"[{draw(blanks)}{inner}{draw(blanks)}]"
    inner = between.join(
        f"{string(draw(tricky))}{draw(blanks)}:{draw(blanks)}{draw(texts(depth=depth - 1))}"
        for _ in range(size)
    )
    return f"{{{draw(blanks)}{inner}{draw(blanks)}}}"


def is_flawed(text: str) -> bool:
    """Say by the standard library alone whether keys repeat or numbers are out of range."""
    found = False

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        found |= len({name for name, _ in members}) < len(members)
        return dict(members)

    def number(numeral: str) -> float:
        nonlocal found
        found |= math.isinf(float(numeral))
        return float(numeral)

    json.loads(text, object_pairs_hook=pairs, parse_float=number)
    return found


# Text that begins as a Codec's does is looked at in another way.
frames = st.sampled_from(
    ["%s", '{"specversion":"1.0","data":%s}', '[{"specversion":"1.0","data":%s}]']
)


@thoroughly
@given(texts(), frames)
def test_the_quick_look_never_misses_a_flaw(text: str, frame: str) -> None:
    text = frame % text
    body = text.encode()
    if is_plain(body, parse(body)):
        assert not is_flawed(text)


@thoroughly
@given(texts())
def test_the_closer_look_finds_a_flaw_exactly_where_there_is_one(text: str) -> None:
    # A flaw within a value whose key comes again is told by the key alone.
    assert bool(flaws(text.encode())) == is_flawed(text)


@thoroughly
@given(events)
def test_the_quick_look_suffices_for_what_a_codec_writes(event: Event[Any]) -> None:
    for body in (Codec().encode(event), Codec().encode_batch([event, event])):
        assert is_plain(body, from_json(body))


@thoroughly
@given(json_values)
def test_the_quick_look_suffices_for_what_others_write_too(value: Any) -> None:
    text = json.dumps(value, indent=1)
    if '\\":' not in text and '":' not in text.replace('": ', ""):
        assert is_plain(text.encode(), json.loads(text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a":1,"a":1}', ["repeats the key 'a'"]),
        ('{"a":{"b":[1,{"c":1,"c":2,"d":1,"c":3}]}}', ["a.b.1: repeats the key 'c'"]),
        ('{"a" :1, "\\u0061" :2}', ["repeats the key 'a'"]),
        ('["\\":",{"a" :1,"a":2}]', ["1: repeats the key 'a'"]),
        ("1e999", ["is a number beyond the range of a double"]),
        ("[[-1e999]]", ["0.0: is a number beyond the range of a double"]),
        ('{"a":1e308,"b":{"a":0}}', []),
    ],
)
def test_flaws_are_told_with_their_paths(text: str, found: list[str]) -> None:
    assert [str(fault) for fault in flaws(text.encode())] == found
    assert is_plain(text.encode(), from_json(text)) == (not found)
