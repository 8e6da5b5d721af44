"""docs/fleet.md is true: its example loads, and nothing that can be written is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from crosswind.fleet.declaration import Fleet
from crosswind.fleet.load import parse_fleet
from crosswind.fleet.policies import EVIDENCE_WEIGHTS, LimitName
from crosswind.fleet.register import RegisterPerformer
from crosswind.fleet.rules import Rule

PAGE = (Path(__file__).parents[3] / "docs" / "fleet.md").read_text()
EXAMPLE = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def declared_fields(annotation: Any) -> Iterator[str]:
    """The names of all fields under an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield name
            yield from declared_fields(field.annotation)
    for argument in get_args(annotation):
        yield from declared_fields(argument)


def written_fields(value: Any) -> Iterator[str]:
    """The names of all fields that are given in a part of a fleet."""
    if isinstance(value, BaseModel):
        for name in value.model_fields_set:
            yield name
            yield from written_fields(getattr(value, name))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from written_fields(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from written_fields(inner)


def test_the_example_is_a_fleet_in_which_every_field_stands() -> None:
    (text,) = EXAMPLE
    assert set(written_fields(parse_fleet(text))) == set(declared_fields(Fleet))


@pytest.mark.parametrize("field", sorted(set(declared_fields(Fleet)) - {"name"}))
def test_every_field_is_explained(field: str) -> None:
    prose = PAGE.replace(EXAMPLE[0], "")
    assert re.search(rf"`{field}`|`[a-zA-Z.]*\.{field}`", prose), field


@pytest.mark.parametrize(
    "word",
    [
        *get_args(Rule),
        *get_args(LimitName),
        *EVIDENCE_WEIGHTS,
        *(action.kind for action in RegisterPerformer.performs),
    ],
)
def test_every_rule_limit_evidence_and_action_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE


def test_the_faults_that_are_shown_are_said_like_that() -> None:
    shown = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    for problem in ("the weights sum to 0.9 instead of 1; correct the weights", "did you mean"):
        assert problem in shown[1]
        assert (
            problem
            in (
                Path(__file__).parents[2] / "fixtures" / "fleet" / "wrong-meaning.faults.txt"
            ).read_text()
        )
