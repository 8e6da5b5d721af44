"""The same artifact comes out whenever and wherever it is made of the same things."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from integration.cli.project import leave
from integration.packaging.workshop import APP, Workshop, contents


def test_again_with_another_umask_in_another_folder_and_with_nothing_kept(
    workshop: Workshop, tmp_path: Path
) -> None:
    workshop.put("data/limits.json", "{}")
    first = workshop.make("plain==1.0", compile=True, out=tmp_path / "1")
    assert workshop.make(compile=True, out=tmp_path / "2").sha256 == first.sha256

    elsewhere = tmp_path / "deep" / "another place"
    shutil.copytree(workshop.folder, elsewhere)
    for file in elsewhere.rglob("*"):
        os.utime(file, (1, 1))
        file.chmod(0o700)
    leave(tmp_path)
    workshop.monkeypatch.chdir(elsewhere)
    workshop.monkeypatch.syspath_prepend(str(elsewhere))
    workshop.monkeypatch.setenv("CROSSWIND_CACHE", str(tmp_path / "nothing kept"))
    workshop.monkeypatch.setenv("PYTHONHASHSEED", "7")
    before = os.umask(0o077)
    try:
        moved = Workshop(elsewhere, workshop.monkeypatch)
        other = moved.make(compile=True, out=tmp_path / "3")
    finally:
        os.umask(before)
    assert other.sha256 == first.sha256
    assert other.sbom.read_bytes() == first.sbom.read_bytes()
    assert other.lock.read_bytes() == first.lock.read_bytes()


def test_another_line_of_code_is_another_artifact(workshop: Workshop) -> None:
    first = workshop.make()
    workshop.put("ops.py", APP + "\n# one line more\n")
    second = workshop.make()
    assert first.sha256 != second.sha256
    assert first.content != second.content


def test_with_bytecode_the_sources_are_the_same_and_it_is_beside_them(workshop: Workshop) -> None:
    plain, compiled = workshop.make("rough"), workshop.make(compile=True, out=Path("compiled"))
    sources, both = contents(plain), contents(compiled)
    for path in sources.keys() - {"crosswind.json"}:
        assert both[path] == sources[path]
    extra = both.keys() - sources.keys()
    assert all("/__pycache__/" in f"/{path}" and path.endswith(".pyc") for path in extra)
    without = {"bare_entry.py", "rough/template.py"}
    assert len(extra) == len({path for path in sources if path.endswith(".py")} - without)
    assert any(note.startswith("rough: 1 of its files") for note in compiled.notes)
