"""The public API is a decision: what it exports, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import crosswind


@pytest.mark.parametrize("name", crosswind.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(crosswind, name).__doc__
    assert name in dir(crosswind)


def test_each_name_has_one_home() -> None:
    homes = [name for names in crosswind._HOME.values() for name in names]
    assert sorted(homes) == sorted(crosswind.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        crosswind.Nothing  # noqa: B018 - the access is the test


@pytest.mark.parametrize(
    ("statement", "banned"),
    [
        ("import crosswind", "pydantic crosswind_events sqlite3 asyncio http.client click yaml"),
        (
            "from crosswind import App, Context, Event",
            "sqlite3 asyncio http.client click rich yaml crosswind.engine",
        ),
        (
            "import crosswind.engine.dispatch",
            "sqlite3 asyncio http.client click rich yaml crosswind.chains",
        ),
    ],
)
def test_what_is_not_used_is_not_imported(statement: str, banned: str) -> None:
    code = f"{statement}\nimport sys\nprint(*[m for m in {banned.split()!r} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout.strip() == ""
