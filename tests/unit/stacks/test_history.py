"""Which release a person means."""

from __future__ import annotations

from typing import Literal

import pytest

from crosswind.stacks.history import Deployed, NoSuchRelease, choose, parse


def deployed(digest: str, outcome: Literal["applied", "reverted"] = "applied") -> Deployed:
    return Deployed(at=1.0, by="ana", app="ops", digest=digest, template="t", outcome=outcome)


HISTORY = [
    deployed("aa11"),
    deployed("ab22"),
    deployed("bb33", "reverted"),
    deployed("cc44"),
]


def test_the_one_before_is_meant_unless_one_is_named() -> None:
    assert choose(HISTORY, "cc44", None).digest == "ab22"


def test_what_was_taken_back_is_never_returned_to() -> None:
    with pytest.raises(NoSuchRelease, match="no release begins with bb"):
        choose(HISTORY, "cc44", "bb")


def test_a_release_is_named_by_the_beginning_of_its_digest() -> None:
    assert choose(HISTORY, "cc44", "AA").digest == "aa11"


def test_a_beginning_that_several_have_is_no_name() -> None:
    with pytest.raises(NoSuchRelease, match="several releases begin with a: aa11, ab22"):
        choose(HISTORY, "cc44", "a")


def test_where_nothing_else_was_deployed_there_is_nothing_to_return_to() -> None:
    with pytest.raises(NoSuchRelease, match="no other artifact was deployed before"):
        choose([deployed("aa11")], "aa11", None)


def test_what_was_applied_again_with_other_sizes_is_the_same_release_as_it_was_last() -> None:
    resized = deployed("aa11").model_copy(update={"template": "of other sizes"})
    with pytest.raises(NoSuchRelease, match="sizes are changed back by applying again"):
        choose([deployed("aa11"), resized], "aa11", None)
    later = [deployed("aa11"), resized, deployed("cc44")]
    assert choose(later, "cc44", None) == choose(later, "cc44", "aa") == resized


def test_a_record_survives_being_written() -> None:
    assert parse(HISTORY[0].model_dump_json().encode()) == HISTORY[0]


def test_a_record_of_another_version_is_passed_over() -> None:
    assert parse(b'{"format": 2, "at": 1}') is None
