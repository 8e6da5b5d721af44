"""The page on packaging names every rule."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from crosswind.packaging import leaks
from crosswind.packaging.faults import Rule

PAGE = (Path(__file__).parents[3] / "docs" / "packaging.md").read_text(encoding="utf-8")


def rows(heading: str) -> set[str]:
    """The first cells of the table below a heading or a sentence."""
    table = PAGE.partition(heading)[2].partition("\n\n|")[2].partition("\n\n")[0]
    return set(re.findall(r"^\|? ?`?([\w-]+)`? \|", table, re.MULTILINE)) - {"rule"}


def test_every_reason_is_described() -> None:
    assert rows("## When it cannot be made") == set(get_args(Rule))


def test_every_rule_about_secrets_is_described() -> None:
    described = set(re.findall(r"^\| ([\w-]+) +\|", leaks.__doc__ or "", re.MULTILINE)) - {"rule"}
    assert rows("### Secrets") == described
