"""The rules of a project: what is data, what is left out, what is harmless."""

from __future__ import annotations

from pathlib import Path

import pytest

from crosswind.packaging.faults import Faults, PackagingFailed
from crosswind.packaging.project import Project, Rules, files_below


def project(folder: Path, toml: str = "", **more: tuple[str, ...]) -> Project:
    (folder / "pyproject.toml").write_text(toml)
    faults = Faults()
    found = Project(folder, Rules(**more), faults)
    faults.check()
    return found


def test_rules_of_the_command_line_stand_beside_those_of_the_project(tmp_path: Path) -> None:
    toml = '[tool.crosswind.package]\nexclude = ["a/"]\nnot-secret = ["c.pem"]\n'
    found = project(tmp_path, toml, exclude=("b/",))
    assert found.rules == Rules((), ("a/", "b/"), ("c.pem",))


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[tool.crosswind.package]\nexcludes = []", "has no setting excludes"),
        ('[tool.crosswind.package]\nexclude = "a"', "exclude is no list of patterns"),
        ("[tool.crosswind]\npackage = 3", "is no table"),
        ("[tool", "is no TOML"),
    ],
)
def test_wrong_settings_are_faults(tmp_path: Path, toml: str, words: str) -> None:
    with pytest.raises(PackagingFailed, match=words):
        project(tmp_path, toml)


@pytest.mark.parametrize(
    "path",
    ["ops/.hidden", "ops/__pycache__/a.pyc", "ops/tests/data.json", "ops/log.txt", "ops/big/x.bin"],
)
def test_what_is_ignored_or_never_data_stays_out(tmp_path: Path, path: str) -> None:
    (tmp_path / ".gitignore").write_text("*.txt\n# a comment\n!ops/keep.txt\n")
    (tmp_path / ".crosswindignore").write_text("ops/big/\n")
    found = project(tmp_path)
    assert not found.is_data(tmp_path / path)
    assert found.is_data(tmp_path / "ops/keep.txt")
    assert found.is_data(tmp_path / "ops/limits.json")


def test_gitignore_does_not_keep_a_module_out_and_exclude_does(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("_version.py\n")
    found = project(tmp_path, exclude=("ops/old.py",))
    assert not found.excludes_module(tmp_path / "ops/_version.py")
    assert found.excludes_module(tmp_path / "ops/old.py")


def test_a_link_out_of_the_project_is_outside(tmp_path: Path) -> None:
    inside = tmp_path / "project"
    inside.mkdir()
    (tmp_path / "other.py").touch()
    (inside / "a.py").symlink_to(tmp_path / "other.py")
    (inside / "b.py").touch()
    (inside / "c.py").symlink_to(inside / "b.py")
    found = project(inside)
    assert not found.holds(inside / "a.py")
    assert found.holds(inside / "c.py")


def test_environments_are_not_looked_through(tmp_path: Path) -> None:
    for path in ("a.py", "venv/pyvenv.cfg", "venv/lib/b.py", ".git/c", "ops/d.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    found = [file.relative_to(tmp_path).as_posix() for file in files_below(tmp_path)]
    assert found == ["a.py", "ops/d.py"]
