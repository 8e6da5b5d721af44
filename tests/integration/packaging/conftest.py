"""Fixtures of the packaging tests: one index and one cache for all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.cli.project import leave
from integration.packaging.workshop import APP, Workshop, stock


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of wheels."""
    folder = tmp_path_factory.mktemp("index") / "wheels"
    stock(folder)
    return folder


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where layers and wheels are kept."""
    return tmp_path_factory.mktemp("caches")


@pytest.fixture
def machine(index: Path, caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose only index is the folder of wheels, and that has packaged before."""
    for name in list(os.environ):
        if name.startswith(("CROSSWIND_", "UV_", "PIP_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("UV_CACHE_DIR", str(caches / "uv"))
    monkeypatch.setenv("CROSSWIND_CACHE", str(caches / "ours"))


@pytest.fixture
def workshop(machine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    """A project of one module, which is the working folder."""
    folder = tmp_path / "my project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    made = Workshop(folder, monkeypatch)
    made.put("ops.py", APP)
    yield made
    leave(tmp_path)
