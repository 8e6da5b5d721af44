"""What is made from the code is as the code is, and drift is seen."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.docs.pages import DOCS

MADE = ("actions.md", "engine.md", "events.md", "failover.svg")


def build(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DOCS / "build.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder with the files that are made."""
    for name in MADE:
        shutil.copy(DOCS / name, tmp_path)
    return tmp_path


def test_the_made_pages_are_as_the_code_is() -> None:
    checked = build("--check")
    assert checked.returncode == 0, checked.stderr


def test_drift_is_named_and_mended(copied: Path) -> None:
    page = copied / "engine.md"
    page.write_text(page.read_text().replace("| `lease` |", "| `leash` |"))
    (copied / "failover.svg").unlink()
    checked = build("--check", "--folder", str(copied))
    assert checked.returncode == 1
    assert "engine.md differs" in checked.stderr
    assert "failover.svg differs" in checked.stderr
    assert "events.md" not in checked.stderr
    assert "make docs" in checked.stderr

    assert build("--folder", str(copied)).returncode == 0
    assert build("--check", "--folder", str(copied)).returncode == 0


def test_what_is_written_by_hand_around_a_table_stays(copied: Path) -> None:
    page = copied / "engine.md"
    page.write_text(page.read_text().replace("# Engine", "# The engine, by hand"))
    assert build("--folder", str(copied)).returncode == 0
    assert page.read_text().startswith("# The engine, by hand")


def test_a_page_without_the_marks_of_its_table_is_refused(copied: Path) -> None:
    (copied / "engine.md").write_text("# Engine\n")
    checked = build("--folder", str(copied))
    assert checked.returncode != 0
    assert "settings: begin" in checked.stderr
