"""Fixtures of the command line's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.cli.project import Project, leave, make


@pytest.fixture(autouse=True)
def _a_pipe_of_the_usual_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the width of the terminal from which the tests were started."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project folder of its own for each test."""
    yield make(tmp_path / "my project", monkeypatch)
    leave(tmp_path)
