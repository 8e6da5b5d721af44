"""Delayed events on their way, by as many legs as it takes."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crosswind.buses.later import Later, delay, leg, unwrap, wrap


def test_an_event_is_unwrapped_as_it_was_wrapped() -> None:
    event = json.dumps({"id": "1", "data": {"share": 0.1, "big": 2**70, "text": "ä\u2028"}})

    later = unwrap(json.loads(wrap(event.encode(), 1_800_000_000.25)))

    assert later is not None
    assert later.due == 1_800_000_000.25
    assert json.loads(later.event) == json.loads(event)


@pytest.mark.parametrize(
    "content",
    [
        {"specversion": "1.0", "due": 1, "event": {}},
        {"crosswind": "later", "due": "1", "event": {}},
        {"crosswind": "later", "due": True, "event": {}},
        {"crosswind": "later", "due": float("inf"), "event": {}},
        {"crosswind": "later", "due": 1, "event": "text"},
        {"crosswind": "later", "due": 1},
        {},
    ],
)
def test_nothing_else_is_taken_for_a_wrapper(content: dict[str, object]) -> None:
    assert unwrap(content) is None


@pytest.mark.parametrize(
    ("due", "now", "seconds"), [(10.0, 0.0, 10), (10.25, 0.0, 11), (10.0, 10.0, 0), (1.0, 9.0, 0)]
)
def test_a_delay_is_in_whole_seconds_and_never_early(due: float, now: float, seconds: int) -> None:
    assert delay(due, now) == seconds


@given(
    ahead=st.floats(0, 1e6),
    longest=st.integers(1, 100_000),
    slow=st.floats(0, 3),
)
def test_a_delayed_event_comes_on_time_however_little_its_bus_can_hold(
    ahead: float, longest: int, slow: float
) -> None:
    assume(ahead / longest < 500)
    event, start = b'{"specversion":"1.0","id":"1"}', 1_800_000_000.0
    due, now, legs = start + ahead, start, 0

    body, seconds = leg(event, due, now, longest)
    while (later := unwrap(json.loads(body))) is not None:
        assert seconds == longest
        assert later == Later(due, event)
        legs += 1
        # A bus may be late, and whoever takes it in too.
        now += seconds + slow
        body, seconds = leg(later.event, later.due, now, longest)

    assert body == event
    assert 0 <= seconds <= longest
    assert now + seconds >= due
    assert now + seconds < max(now, due) + 1
    assert legs <= ahead / longest
