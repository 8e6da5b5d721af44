"""Differences of two documents."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.stacks.difference import ABSENT, Difference, differences


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [Difference("a.b", 1, 2)]),
        ({"a": 1}, {}, [Difference("a", 1, ABSENT)]),
        ({}, {"a": None}, [Difference("a", ABSENT, None)]),
        ([1, {"x": 2}], [1, {"x": 3}], [Difference("[1].x", 2, 3)]),
        ({"a": [1]}, {"a": [1, 2]}, [Difference("a", [1], [1, 2])]),
        ({"a": 1}, {"a": True}, [Difference("a", 1, True)]),
        ({"a": {}}, {"a": []}, [Difference("a", {}, [])]),
    ],
)
def test_each_member_that_differs_is_named_with_what_stood_there(
    before: Any, after: Any, found: list[Difference]
) -> None:
    assert list(differences(before, after)) == found
