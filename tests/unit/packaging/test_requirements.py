"""What a project asks for, line by line; what cannot be packaged is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from crosswind.packaging.faults import Fault, Faults, PackagingFailed
from crosswind.packaging.project import Project, Rules
from crosswind.packaging.requirements import Wanted, read_wanted
from unit.packaging.wheelwright import wheel


def wanted(folder: Path, *files: str) -> Wanted:
    faults = Faults()
    found = read_wanted(Project(folder, Rules(), faults), [Path(one) for one in files], faults)
    faults.check()
    return found


def refused(folder: Path, *files: str) -> tuple[Fault, ...]:
    with pytest.raises(PackagingFailed) as failed:
        wanted(folder, *files)
    return failed.value.faults


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    inside = tmp_path / "project"
    inside.mkdir()
    monkeypatch.chdir(inside)
    return inside


def test_each_line_is_known_by_its_place(folder: Path) -> None:
    (folder / "requirements.txt").write_text(
        "# what we need\nhttpx>=0.27  # for calls\n\nRich[extra]==13.7 ; python_version > '3.8'\n"
    )
    asked = wanted(folder).asked
    assert [(one.name, one.where) for one in asked] == [
        ("httpx", "requirements.txt:2"),
        ("rich", "requirements.txt:4"),
    ]


def test_hashes_on_lines_that_go_on_are_read(folder: Path) -> None:
    Path("lock.txt").write_text(
        "six==1.17.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
        "attrs==1.0 --hash=sha256:cc\n"
    )
    six, attrs = wanted(folder, "lock.txt").asked
    assert six.hashes == ("sha256:aa", "sha256:bb")
    assert six.line == "six==1.17.0"
    assert attrs.where == "lock.txt:4"


def test_files_that_are_named_in_it_are_read_too_and_once(folder: Path) -> None:
    Path("requirements.txt").write_text("-r more.txt\n-c pins.txt\n")
    Path("more.txt").write_text("-r requirements.txt\nsix\n")
    Path("pins.txt").write_text("six==1.17.0\n")
    assert [(one.line, one.constraint) for one in wanted(folder).asked] == [
        ("six", False),
        ("six==1.17.0", True),
    ]


def test_options_on_indexes_are_handed_on(folder: Path) -> None:
    Path("requirements.txt").write_text("--find-links wheels\n--only-binary :all:\nsix\n")
    assert wanted(folder).options == ("--find-links wheels",)


def test_without_a_file_the_dependencies_of_the_project_count(folder: Path) -> None:
    Path("pyproject.toml").write_text('[project]\nname = "ops"\ndependencies = ["six>=1"]\n')
    (six,) = wanted(folder).asked
    assert (six.line, six.where) == ("six>=1", "pyproject.toml")


@pytest.mark.parametrize("line", [".", "-e .", "./"])
def test_the_project_itself_stands_for_what_it_depends_on(folder: Path, line: str) -> None:
    Path("pyproject.toml").write_text('[project]\nname = "ops"\ndependencies = ["six"]\n')
    Path("requirements.txt").write_text(f"{line}\nattrs\n")
    assert [one.name for one in wanted(folder).asked] == ["six", "attrs"]


def test_dependencies_that_only_a_build_knows_are_refused(folder: Path) -> None:
    Path("pyproject.toml").write_text('[project]\nname = "ops"\ndynamic = ["dependencies"]\n')
    (fault,) = refused(folder)
    assert "dynamic" in fault.problem


def test_nothing_is_wanted_where_nothing_is_said(folder: Path) -> None:
    assert wanted(folder) == Wanted()


@pytest.mark.parametrize(
    ("line", "rule", "words"),
    [
        ("-e ./libs/ours", "requirement", "is an editable install"),
        ("./libs/ours", "requirement", "is no wheel"),
        ("ours @ git+https://example.com/ours.git", "requirement", "is no wheel"),
        ("ours @ https://example.com/ours-1.0.tar.gz", "requirement", "is no wheel"),
        ("../ours-1.0-py3-none-any.whl", "outside", "lies outside of project"),
        ("-r ../other.txt", "outside", "lies outside of project"),
        ("./ours-1.0-py3-none-any.whl", "requirement", "there is no"),
        ("not a requirement!", "requirement", "is no requirement"),
        ("--unknown", "requirement", "is not known here"),
    ],
)
def test_what_cannot_be_packaged_is_refused_with_its_line(
    folder: Path, line: str, rule: str, words: str
) -> None:
    Path("requirements.txt").write_text(f"six\n{line}\n")
    (fault,) = refused(folder, "requirements.txt")
    assert fault.rule == rule
    assert fault.where == "requirements.txt:2"
    assert words in fault.problem


def test_every_line_that_is_wrong_is_named_at_once(folder: Path) -> None:
    Path("requirements.txt").write_text("-e ./libs\n??\n../x-1-py3-none-any.whl\n")
    assert [one.where.rpartition(":")[2] for one in refused(folder)] == ["1", "2", "3"]


def test_a_wheel_in_the_project_is_named_by_its_path(folder: Path) -> None:
    made = wheel(folder, "ours")
    Path("requirements.txt").write_text(f"./{made.name}\n")
    (ours,) = wanted(folder).asked
    assert ours.line == f"ours @ {made.as_uri()}"


def test_a_wheel_may_be_named_by_its_address(folder: Path) -> None:
    made = wheel(folder, "ours")
    far = "far @ https://example.com/far-1.0-py3-none-any.whl"
    Path("requirements.txt").write_text(f"ours @ {made.as_uri()}\n{far}\n")
    assert [one.line for one in wanted(folder).asked] == [f"ours @ {made.as_uri()}", far]


def test_a_file_that_is_far_too_large_is_not_read(folder: Path) -> None:
    Path("requirements.txt").write_text("#" * (2 << 20))
    (fault,) = refused(folder)
    assert "is larger than" in fault.problem


def test_a_file_that_is_not_there_is_a_fault(folder: Path) -> None:
    (fault,) = refused(folder, "missing.txt")
    assert fault.where == "missing.txt"
