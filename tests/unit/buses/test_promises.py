"""What was not taken is named exactly, with reasons that are bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.buses.promises import accepted, check_taken
from crosswind.errors import NotAccepted
from crosswind.ports import Message

UNFIT = "bad"
FITS = "t.v1"


def message(name: str, kind: str = FITS) -> Message:
    return Message(name, b"{}", {"type": kind} if kind == FITS else {})


def test_what_every_bus_takes_is_all_there_is() -> None:
    given = [message("1"), message("2")]

    assert accepted(given) == (given, None)
    check_taken(given, [], None)


def test_what_no_bus_takes_is_named_with_few_reasons() -> None:
    given = [message(f"{n}", UNFIT if n % 2 else FITS) for n in range(16)]

    taken, unfit = accepted(given)

    assert taken == given[::2]
    assert unfit is not None
    assert unfit.messages == tuple(given[1::2])
    assert unfit.reason.count("has no type") == 5
    assert unfit.reason.endswith("and 3 more")


def test_five_reasons_are_told_in_full() -> None:
    given = [message(f"{n}", UNFIT) for n in range(5)]

    _, unfit = accepted(given)

    assert unfit is not None
    assert unfit.reason.count(";") == 4


def test_one_reason_is_told_once_and_too_many_are_counted() -> None:
    given = [message(f"{n}") for n in range(9)]

    with pytest.raises(NotAccepted) as same:
        check_taken(given, [(one, "busy") for one in given], None)
    with pytest.raises(NotAccepted) as each:
        check_taken(given, [(one, f"no {one.id}") for one in given], None)

    assert same.value.reason == "busy"
    assert each.value.reason == "no 0; no 1; no 2; no 3; no 4; and 4 more reasons"


@given(
    kinds=st.lists(st.sampled_from([FITS, UNFIT]), max_size=12),
    refused=st.lists(st.integers(0, 11), max_size=20),
)
def test_each_message_is_taken_or_named_once_in_the_order_given(
    kinds: list[str], refused: list[int]
) -> None:
    given = [message("same", kind) for kind in kinds]
    taken, unfit = accepted(given)
    failed = [(taken[n], "busy") for n in refused if n < len(taken)]
    lost = {id(one) for one, _ in failed} | {
        id(one) for one, kind in zip(given, kinds, strict=True) if kind == UNFIT
    }

    named: list[Message] = []
    try:
        check_taken(given, failed, unfit)
    except NotAccepted as error:
        named = list(error.messages)

    assert [id(one) for one in named] == [id(one) for one in given if id(one) in lost]
