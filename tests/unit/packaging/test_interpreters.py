"""Interpreters of this machine are found by asking them, and what is none is passed over."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crosswind.packaging.interpreters import Interpreter, find_interpreter


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine on which no other interpreter is to be found."""
    find_interpreter.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    yield tmp_path
    find_interpreter.cache_clear()


def script(file: Path, says: str) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(f"#!/bin/sh\n{says}\n")
    file.chmod(0o755)


def test_the_one_that_runs_this_is_taken_for_its_version(empty: Path) -> None:
    found = find_interpreter((sys.version_info.major, sys.version_info.minor))
    assert found is not None
    assert found.version == sys.version.split()[0]


def test_where_there_is_none_there_is_none(empty: Path) -> None:
    assert find_interpreter((3, 77)) is None


@pytest.mark.parametrize(
    "place",
    [
        "bin/python3.77",
        "pyenv/versions/3.77.2/bin/python3.77",
        "uv/cpython-3.77.2-x/bin/python3.77",
    ],
)
def test_it_is_found_on_the_path_and_where_pyenv_and_uv_install(empty: Path, place: str) -> None:
    script(empty / place, "echo CPython 3.77.2 Linux aarch64")
    found = find_interpreter((3, 77))
    assert found == Interpreter(str(empty / place), "3.77.2", "Linux", "aarch64")
    assert found.runs("aarch64")
    assert not found.runs("x86_64")


@pytest.mark.parametrize(
    "says",
    ["exit 127", "echo PyPy 3.77.2 Linux x86_64", "echo CPython 3.7.1 Linux x86_64", "echo hello"],
)
def test_what_is_no_cpython_of_that_version_is_passed_over(empty: Path, says: str) -> None:
    script(empty / "bin/python3.77", says)
    assert find_interpreter((3, 77)) is None


def test_macos_on_arm_does_not_run_what_was_compiled_for_linux() -> None:
    assert not Interpreter("python", "3.13.0", "Darwin", "arm64").runs("aarch64")
    assert Interpreter("python", "3.13.0", "Linux", "arm64").runs("aarch64")
