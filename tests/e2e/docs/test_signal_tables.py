"""The tables of docs/signals.md: each example is a payload, and becomes what is said."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any, Final

import pytest

from crosswind.signals import Ignored
from e2e.docs.pages import DOCS

_ROW: Final = re.compile(r"^\| .* \| \[([\w-]+)\]\(([\w./-]+)\) \| (.+) \|$", re.MULTILINE)

ROWS: Final = _ROW.findall((DOCS / "signals.md").read_text(encoding="utf-8"))


def told(outcome: Any) -> str:
    """What a notification becomes, as the tables have it."""
    if isinstance(outcome, Ignored):
        return f"ignored: {outcome.reason}"
    return "; ".join(_event(event) for event in outcome)


def _event(event: Any) -> str:
    kind = event.type.removeprefix("dev.crosswind.").removesuffix(".v1")
    said = f"`{kind}` of `{event.data.region}`"
    evidence = getattr(event.data, "evidence", None)
    return said if evidence is None else f"{said}, {evidence}"


def test_each_cloud_has_a_table() -> None:
    assert {path.split("/")[-2] for _, path, _ in ROWS} == {"aws", "gcp", "azure"}


@pytest.mark.parametrize(("name", "path", "becomes"), ROWS, ids=[name for name, _, _ in ROWS])
def test_an_example_becomes_what_the_table_says(name: str, path: str, becomes: str) -> None:
    file = DOCS / path
    assert file.name == f"{name}.json"
    translate = import_module(f"crosswind_{file.parent.name}.signals").translate
    assert told(translate(file.read_bytes())) == becomes
