"""Delayed events on their way from queue to queue."""

from __future__ import annotations

import json

import pytest

from crosswind_aws.later import delay, unwrap, wrap


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
