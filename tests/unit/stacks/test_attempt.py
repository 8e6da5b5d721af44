"""What is said of a change that was begun, by what stands when somebody looks."""

from __future__ import annotations

import pytest

from crosswind.stacks.attempt import LEASE, Attempt, Found, parse

AT = 1_700_000_000.0
BEGUN = Attempt(at=AT, by="ana", app="ops", digest="ab" * 32, template="t1", final="t2")


@pytest.mark.parametrize(
    ("standing", "changing", "after", "found"),
    [
        ("t2", False, 1.0, "done"),
        ("t2", False, 9 * LEASE, "done"),
        ("t2", True, 1.0, "under way"),
        ("old", True, 9 * LEASE, "under way"),
        ("old", False, LEASE - 1, "recent"),
        (None, False, LEASE - 1, "recent"),
        ("old", False, LEASE, "lost"),
        (None, False, LEASE, "lost"),
    ],
)
def test_what_became_of_it_is_told_by_what_stands(
    standing: str | None, changing: bool, after: float, found: Found
) -> None:
    assert BEGUN.found(standing, changing=changing, now=AT + after) == found
    assert BEGUN.told(found).startswith("ana began to apply abababababab at 2023-11-14 22:13:20Z")


def test_it_is_written_into_the_history_as_the_same_however_often() -> None:
    assert BEGUN.ended("applied") == BEGUN.ended("applied")
    assert BEGUN.ended("reverted", "stopped").why == "stopped"
    assert BEGUN.ended("applied").at == AT


def test_a_note_is_read_as_it_was_laid_and_that_of_another_version_passed_over() -> None:
    assert parse(BEGUN.model_dump_json().encode()) == BEGUN
    assert parse(b'{"format": 2}') is None
    assert parse(b"nothing of ours") is None
