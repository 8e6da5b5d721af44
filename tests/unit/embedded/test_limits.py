"""The neutral limits say everything that is wrong, in bounded words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.errors import CrosswindError, InvalidRequest
from crosswind.limits import (
    MAX_EVENT_BYTES,
    check_read,
    check_scan,
    check_write,
    message_bytes,
    refusal,
    span,
)
from crosswind.ports import Check, Delete, Message, Put

allowed = st.text(st.sampled_from(" !\"$&'()*+,-.0189:;<=>@AZ[]^_`az{|}~"), max_size=5)


def test_every_fault_of_a_write_is_named_at_once() -> None:
    with pytest.raises(InvalidRequest) as error:
        check_write(
            "fleet/main",
            [Delete("a#b", ""), Check("same"), Check("same"), Put("x", b"", expires=float("nan"))],
            "",
        )

    assert [fault.split(" is ")[0].split(" occurs ")[0] for fault in error.value.faults] == [
        "partition 'fleet/main'",
        "token ''",
        "key 'a#b'",
        "key 'same'",
        "key 'a#b'",
        "key 'x' expires at nan, which",
    ]
    assert str(error.value) == "; ".join(error.value.faults)
    assert isinstance(error.value, CrosswindError)
    assert isinstance(error.value, ValueError)


def test_a_name_with_a_line_break_is_not_two_names() -> None:
    with pytest.raises(InvalidRequest, match="key 'a"):
        check_write("p", [Put("a\nb", b"")], "t")
    with pytest.raises(InvalidRequest, match="partition 'p"):
        check_write("p\nq", [Put("a", b"")], "t")


def test_every_fault_of_a_read_and_a_scan_is_named_at_once() -> None:
    with pytest.raises(InvalidRequest, match=r"partition ''.*; key 'a/b'"):
        check_read("", "a/b")
    with pytest.raises(InvalidRequest, match=r"partition ''.*; prefix '%'.*; after '#'.*; limit 0"):
        check_scan("", "%", "#", 0)


def test_a_fault_says_what_is_allowed() -> None:
    with pytest.raises(
        InvalidRequest, match=r"use 1 to 256 printable ASCII .* without / \\ # \? %"
    ):
        check_read("p", "a/b")


def test_a_huge_name_makes_no_huge_error() -> None:
    with pytest.raises(InvalidRequest) as error:
        check_read("x" * 10_000_000, "y" * 10_000_000)

    assert len(str(error.value)) < 500


@given(prefix=allowed, after=allowed, name=allowed.filter(bool))
def test_a_span_holds_the_names_with_a_prefix_that_come_after_a_name(
    prefix: str, after: str, name: str
) -> None:
    low, high = span(prefix, after)

    assert (low <= name < high) == (name.startswith(prefix) and name > after)


def test_a_message_is_measured_with_its_id_its_body_and_its_attributes() -> None:
    message = Message("é", b"12345", {"type": "t", "hop": 10, "on": True})

    assert message_bytes(message) == 2 + 5 + len("typethop10onTrue")


def test_a_message_of_the_neutral_limit_is_not_refused() -> None:
    spare = MAX_EVENT_BYTES - message_bytes(Message("1", b"", {"type": "t"}))

    assert refusal(Message("1", bytes(spare), {"type": "t"})) is None
    assert refusal(Message("1", bytes(spare + 1), {"type": "t"})) is not None
