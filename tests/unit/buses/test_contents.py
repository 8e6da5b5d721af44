"""An event is found whatever it was wrapped in on its way, and in both modes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind import Event
from crosswind.buses import contents as bodies
from crosswind.buses.contents import (
    MAX_ENVELOPES,
    MAX_PARTS,
    Content,
    Native,
    Neutral,
    Unreadable,
    assembled,
)
from crosswind.buses.later import Later, wrap
from crosswind.records.identity import chain_id
from crosswind_events import Codec
from crosswind_events.catalogue.region import RegionUnhealthy
from crosswind_events.headers import from_header

CODEC = Codec([RegionUnhealthy])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from("abc"), inside, max_size=3)
    ),
    max_leaves=8,
)


def _in_letter(tree: Mapping[str, Any]) -> Any:
    return tree.get("letter")


def _in_sealed(tree: Mapping[str, Any]) -> Any:
    return tree.get("sealed")


def contents(body: str | Mapping[str, Any]) -> list[Content]:
    """In a cloud of two envelopes."""
    return bodies.contents(body, [_in_letter, _in_sealed])


def unhealthy(subject: str = "aws/us-east-1", **extensions: str | int | bool) -> Event[Any]:
    data = RegionUnhealthy(region="aws/us-east-1", evidence="probe", reason="no answers")
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    return Event.of(
        data, id="1", source="//a", time=at, subject=subject, extensions=dict(extensions)
    )


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


@pytest.mark.parametrize("body", ["", "not JSON", "7", '"text"', "null", "{", "[]"])
def test_what_is_no_object_is_left_as_it_is(body: str) -> None:
    assert contents(body) == [Native(body)]


def test_half_a_surrogate_pair_is_no_text_and_fails_nobody() -> None:
    assert contents("\ud800") == [Native("?")]
    (found,) = contents({"letter": {"specversion": "1.0", "id": "\ud800"}})
    assert isinstance(found, Neutral)
    assert found.body == b'{"specversion": "1.0", "id": "\\ud800"}'


def test_a_list_is_opened_item_by_item() -> None:
    event = {"specversion": "1.0", "id": "1"}

    found = contents(json.dumps([event, {"notice": {}}, event, 7]))

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
        text = json.dumps({"letter": text})

    (found,) = contents(text)

    assert isinstance(found, Native)


def test_an_event_is_as_deep_inside_of_envelopes_as_may_be() -> None:
    text = json.dumps({"specversion": "1.0"})
    for _ in range(MAX_ENVELOPES):
        text = json.dumps({"letter": text})

    assert contents(text) == [Neutral(b'{"specversion": "1.0"}', None, None)]


def test_the_first_envelope_that_fits_is_opened() -> None:
    one, other = {"specversion": "1.0", "type": "one"}, {"specversion": "1.0", "type": "other"}

    (found,) = contents({"sealed": other, "letter": one})

    assert isinstance(found, Neutral)
    assert found.type == "one"


@pytest.mark.parametrize("inside", ["no JSON", 7, True])
def test_an_envelope_around_nothing_that_can_be_opened_is_a_notification(inside: object) -> None:
    assert contents({"letter": inside}) == [Native({"letter": inside})]


def test_where_a_cloud_has_no_envelopes_there_are_events_and_notifications() -> None:
    letter = {"letter": {"specversion": "1.0"}}

    assert bodies.contents(letter) == [Native(letter)]


@given(
    body=st.text(max_size=30)
    | json_values.map(json.dumps)
    | json_values.map(lambda inside: json.dumps({"letter": inside})),
    envelopes=st.integers(0, MAX_ENVELOPES + 2),
)
def test_there_is_something_in_every_body(body: str, envelopes: int) -> None:
    for _ in range(envelopes):
        body = json.dumps({"sealed": body})

    assert contents(body)


@given(
    kinds=st.lists(st.sampled_from(["event", "notice", "later"]), min_size=1, max_size=6),
    depth=st.integers(0, MAX_ENVELOPES - 1),
)
def test_what_was_put_together_is_found_in_order_however_it_was_wrapped(
    kinds: list[str], depth: int
) -> None:
    made = {
        "event": b'{"specversion":"1.0","id":"1"}',
        "notice": b'{"notice":{}}',
        "later": wrap(b'{"specversion":"1.0","id":"1"}', 7.5),
    }
    text = (b"[%b]" % b",".join(made[kind] for kind in kinds)).decode()
    for n in range(depth):
        text = json.dumps({"letter" if n % 2 else "sealed": text})

    found = contents(text)

    classes = {"event": Neutral, "notice": Native, "later": Later}
    assert [type(one) for one in found] == [classes[kind] for kind in kinds]


class TestBinary:
    @given(
        subject=st.text(
            st.characters(min_codepoint=33, max_codepoint=0x3FF, exclude_categories=["C", "Z"]),
            min_size=1,
            max_size=20,
        ),
        hop=st.integers(1, 9),
    )
    @pytest.mark.parametrize("prefix", ["ce-", "cloudEvents:"])
    def test_an_event_is_put_together_as_it_was(self, prefix: str, subject: str, hop: int) -> None:
        event = unhealthy(subject, correlationid=chain_id("//a", "0"), hop=hop)
        headers, data = CODEC.encode_binary(event)
        if prefix != "ce-":
            # A bus that does not escape, and has attributes of its own beside those of the event.
            headers = {
                name.replace("ce-", prefix): from_header(value) for name, value in headers.items()
            } | {"sequence": "7"}

        found = assembled(headers, data, CODEC, prefix=prefix)

        assert found == Neutral(CODEC.encode(event), event.type, chain_id("//a", "0"))

    def test_the_chain_of_a_first_event_is_that_which_it_opens(self) -> None:
        headers, data = CODEC.encode_binary(unhealthy())

        found = assembled(headers, data, CODEC)

        assert isinstance(found, Neutral)
        assert found.chain == chain_id("//a", "1")

    def test_what_is_no_event_is_told_with_every_fault_and_keeps_its_data(self) -> None:
        found = assembled({"ce-specversion": "1.0", "ce-type": "t.v1"}, b"{}", CODEC)

        assert isinstance(found, Unreadable)
        assert found.body == b"{}"
        assert all(name in found.reason for name in ("id", "source"))
