"""When something comes again, and how often it is tried."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.buses.intake import Outcome, comes_again, patience
from crosswind.buses.promises import MAX_RECEIPTS
from crosswind.engine.dispatch import Again


class Arrived(NamedTuple):
    """The least that an arrival is."""

    id: str
    body: bytes = b""
    receipts: int = 1


@pytest.mark.parametrize(
    ("after", "receipts", "seconds"),
    [
        (0.0, 1, 0.0),
        (5.0, 3, 5.0),
        (1.0, 4, 1.0),
        (1.0, 8, 16.0),
        (60.0, 8, 60.0),
        (1, 99, 300),
    ],
)
def test_a_message_that_fails_long_is_tried_less_and_less_often(
    after: float, receipts: int, seconds: float
) -> None:
    assert patience(after, receipts) == seconds


def test_all_deliveries_of_a_message_outlast_half_an_hour_without_a_store() -> None:
    assert sum(patience(1.0, receipts) for receipts in range(1, MAX_RECEIPTS)) > 1_800


@given(after=st.floats(0, 1e4), receipts=st.integers(1, 1_000))
def test_nothing_is_tried_sooner_than_it_asks_nor_ever_more_often(
    after: float, receipts: int
) -> None:
    wait = patience(after, receipts)

    assert after <= wait <= max(after, 300.0)
    assert wait <= patience(after, receipts + 1)


@given(
    parts=st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.floats(0, 100)), max_size=12)
)
def test_a_message_comes_again_as_late_as_any_part_of_it_wishes(
    parts: list[tuple[str, float | None]],
) -> None:
    outcomes = [
        Outcome(Arrived(name), "any", again=None if after is None else Again("why", after))
        for name, after in parts
    ]

    due = {name: again.after for name, again in comes_again(outcomes).items()}

    wishes: dict[str, list[float]] = {}
    for name, after in parts:
        if after is not None:
            wishes.setdefault(name, []).append(after)
    assert due == {name: max(given) for name, given in wishes.items()}
