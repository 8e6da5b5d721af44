"""An environment of a server is made once, and whole or not at all."""

import subprocess
from pathlib import Path

import pytest

from crosswind_local import StartFailed
from crosswind_local.environments import interpreter


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CROSSWIND_LOCAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text("# nothing\n")
    return path


def test_it_is_made_on_first_use_and_used_from_then_on(requirements: Path) -> None:
    python = interpreter("empty", requirements)
    made = python.stat().st_mtime_ns

    assert interpreter("empty", requirements) == python
    assert python.stat().st_mtime_ns == made
    prefix = subprocess.run(
        [python, "-I", "-c", "import sys; print(sys.prefix)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert prefix.stdout.strip() == str(python.parent.parent)


def test_one_that_was_left_half_made_is_made_anew(requirements: Path) -> None:
    python = interpreter("empty", requirements)
    folder = python.parent.parent
    (folder / "complete").unlink()
    (folder / "half").touch()

    assert interpreter("empty", requirements) == python
    assert not (folder / "half").exists()


def test_what_has_no_hash_is_refused_and_leaves_nothing_to_use(tmp_path: Path, cache: Path) -> None:
    unpinned = tmp_path / "unpinned.txt"
    unpinned.write_text("six==1.17.0\n")

    with pytest.raises(StartFailed, match="hash"):
        interpreter("unpinned", unpinned)

    assert not list(cache.glob("*/complete"))
