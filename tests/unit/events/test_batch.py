"""Batches: a JSON array of events, where one bad record spares its neighbours."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind_events import Codec, Event, InvalidEvent, Raw, RegionUnhealthy
from unit.events.drawn import NOON, Moved, briefly, events, plain

CODEC = Codec([Moved, RegionUnhealthy])


def raw(**changes: Any) -> Event[Any]:
    event: Event[Any] = Event(id="1", source="/s", type="t.t", time=NOON, data=Raw())
    return dataclasses.replace(event, **changes)


@given(st.lists(events, max_size=4))
@briefly
def test_what_is_written_is_read_as_it_was(batch: list[Event[Any]]) -> None:
    assert CODEC.decode_batch(CODEC.encode_batch(batch)) == batch


def test_an_empty_batch_is_one() -> None:
    assert CODEC.encode_batch([]) == b"[]"
    assert CODEC.decode_batch(b" [] ") == []


def test_only_the_bad_records_are_refused() -> None:
    body = json.dumps([plain(), plain(id=None), 7, plain(data={"count": 1}), plain(id="5")])
    good, nameless, number, partial, last = CODEC.decode_batch(body)
    assert isinstance(good, Event)
    assert isinstance(last, Event)
    assert last.id == "5"
    assert isinstance(nameless, InvalidEvent)
    assert [*map(str, nameless.faults)] == ["id: is missing"]
    assert isinstance(number, InvalidEvent)
    assert [*map(str, number.faults)] == ["must be a JSON object"]
    assert isinstance(partial, InvalidEvent)
    assert [*map(str, partial.faults)] == ["data.place: field required"]


def test_a_repeated_key_spoils_its_record_only() -> None:
    record = json.dumps(plain())
    first, second, third = CODEC.decode_batch(
        f'[{record}, {record[:-1]}, "id": "9"}}, {record[:-1]}, "x": "\\":"}}]'
    )
    assert isinstance(first, Event)
    assert isinstance(second, InvalidEvent)
    assert [*map(str, second.faults)] == ["repeats the key 'id'"]
    assert isinstance(third, Event)


def test_a_record_too_large_for_the_buses_spares_its_neighbours() -> None:
    large = plain(data={"place": {"name": "x" * 200_000}, "count": 1})
    first, second = CODEC.decode_batch(json.dumps([large, plain()]))
    assert isinstance(first, InvalidEvent)
    assert "more than the 196,608" in str(first)
    assert isinstance(second, Event)


def test_a_record_with_names_too_long_spares_its_neighbours() -> None:
    long = plain(data={"n" * 20_000: 1})
    first, second = CODEC.decode_batch(json.dumps([long, plain()]))
    assert isinstance(first, InvalidEvent)
    assert "names of more than 1,024 characters" in str(first)
    assert isinstance(second, Event)


@pytest.mark.parametrize("body", [b"{}", b"1", b'"[]"', b"null"])
def test_what_is_no_array_is_no_batch(body: bytes) -> None:
    with pytest.raises(InvalidEvent, match="must be a JSON array of events"):
        CODEC.decode_batch(body)


@pytest.mark.parametrize("body", [b"", b"[", b"[1", b"\xef\xbb\xbf[]"])
def test_a_batch_that_is_no_json_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(InvalidEvent, match="JSON"):
        CODEC.decode_batch(body)


def test_a_batch_has_a_limit_of_its_own() -> None:
    with pytest.raises(InvalidEvent, match="more than the 6,291,456"):
        CODEC.decode_batch(b" " * (6 * 1024 * 1024 + 1))
    many = [raw(data=Raw("x" * 190_000))] * 34
    with pytest.raises(InvalidEvent, match="more than the 6,291,456"):
        CODEC.encode_batch(many)
    assert len(CODEC.decode_batch(CODEC.encode_batch(many[:32]))) == 32


def test_faults_of_a_batch_that_is_written_name_the_event() -> None:
    with pytest.raises(InvalidEvent) as caught:
        CODEC.encode_batch([raw(), raw(id=""), raw(extensions={f"e{n}": 1 for n in range(65)})])
    assert [fault.where for fault in caught.value.faults] == ["1.id", "2"]
