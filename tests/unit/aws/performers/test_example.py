"""The example of the documentation is a declaration, and shows every field that there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from crosswind_aws.performers.declarations import load_resources
from crosswind_aws.performers.resources import Resources

PAGE = Path(__file__).parents[4] / "docs" / "aws-performers.md"


def example() -> str:
    found = re.search(r"^```text\n(# aws\.yaml\n.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    assert found is not None
    return found[1]


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and all that its fields are made of."""
    yield model
    for field in model.model_fields.values():
        yield from _within(field.annotation)


def _within(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from models(annotation)
    for part in get_args(annotation):
        yield from _within(part)


def test_the_example_is_a_declaration(tmp_path: Path) -> None:
    (tmp_path / "aws.yaml").write_text(example(), "utf-8")

    loaded = load_resources(tmp_path / "aws.yaml")

    assert set(loaded.workloads) == {"chat", "transcripts"}


@pytest.mark.parametrize(
    "name", sorted({name for one in models(Resources) for name in one.model_fields})
)
def test_every_field_stands_in_it(name: str) -> None:
    assert re.search(rf"\b{name}:", example())
