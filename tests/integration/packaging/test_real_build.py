"""One build as users have it: from the index that is configured here, for another machine."""

from __future__ import annotations

import shutil
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.cli.project import FILES, Project, enter, leave

MOST = 3_000_000


@pytest.fixture
def project(caches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project; wheels and layers are kept apart from the user's."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("policy.py", "fleet.yaml"):
        shutil.copy(FILES / name, folder)
    enter(folder, monkeypatch)
    monkeypatch.setenv("UV_CACHE_DIR", str(caches / "uv"))
    monkeypatch.setenv("CROSSWIND_CACHE", str(caches / "ours"))
    yield Project(folder)
    leave(tmp_path)


def test_an_artifact_for_graviton_fits_in_three_megabytes_and_is_the_same_again(
    project: Project,
) -> None:
    arguments = ("package", "aws", "--runtime", "python3.13", "--arch", "arm64")
    built = project.json(*arguments)
    assert built["zipped"] <= MOST
    assert built["unzipped"] <= 10_000_000
    assert {part["name"] for part in built["parts"]} == {
        None, "annotated-types", "aws-lambda-powertools", "crosswind", "jmespath", "pydantic",
        "pydantic-core", "typing-extensions", "typing-inspection",
    }  # fmt: skip
    with zipfile.ZipFile(built["artifact"]) as archive:
        assert archive.testzip() is None
        (compiled,) = [name for name in archive.namelist() if name.endswith(".so")]
        header = archive.read(compiled)[:20]
    assert "cpython-313-aarch64" in compiled
    assert struct.unpack("<H", header[18:20]) == (183,)  # EM_AARCH64 of the ELF specification
    lock = Path("kept.lock.txt")
    shutil.copy(built["lock"], lock)
    again = project.json(
        *arguments,
        "--requirements",
        str(lock),
        "--offline",
        "--out",
        "again",
        "--app",
        "policy:app",
    )
    assert again["sha256"] == built["sha256"]
