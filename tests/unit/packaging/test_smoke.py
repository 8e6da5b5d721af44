"""The folder in which artifacts are tried holds the one that is tried, and nothing of another."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.packaging.archive import Member, pack
from crosswind.packaging.indexes import Indexes
from crosswind.packaging.interpreters import find_interpreter
from crosswind.packaging.layers import cache_folder
from crosswind.packaging.platform import Entry, Named, Runtime, Target
from crosswind.packaging.resolution import Resolver
from crosswind.packaging.smoke import Tried, smoke, unpack
from crosswind_aws.package import PLATFORM

PATHS = st.sampled_from(["a", "a.py", "a/b.py", "a/__init__.py", "a/b/c.py", "d/e.json", "f.py"])
STEPS = st.lists(st.dictionaries(PATHS, st.sampled_from(["X = 1\n", "X = 2\n"])), max_size=4)


def members(files: dict[str, str]) -> list[Member]:
    """Members of these files; where one is the folder of another, the other is left out."""
    kept = [p for p in files if not any(q != p and p.startswith(f"{q}/") for q in files)]
    return [pack(path, files[path].encode()) for path in kept]


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_after_every_step_it_holds_just_these_files(steps: list[dict[str, str]]) -> None:
    with TemporaryDirectory() as name:
        folder, index = Path(name, "artifact"), Path(name, "index.json")
        for files in steps:
            wanted = members(files)
            unpack(wanted, folder, index)
            found = {
                file.relative_to(folder).as_posix(): file.read_bytes()
                for file in folder.rglob("*")
                if file.is_file()
            }
            assert found == {member.path: member.content() for member in wanted}
            empty = [one for one in folder.rglob("*") if one.is_dir() and not any(one.iterdir())]
            assert not empty


def imported(folder: Path, line: str) -> str:
    """What a process that writes bytecode prints."""
    program = f"import sys; sys.path[:0] = [{str(folder)!r}]; {line}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def test_a_change_within_a_second_is_seen_though_there_is_bytecode(tmp_path: Path) -> None:
    folder, index = tmp_path / "artifact", tmp_path / "index.json"
    for value in ("1", "2", "3"):
        unpack([pack("kit/one.py", f"X = {value}\n".encode())], folder, index)
        assert imported(folder, "from kit.one import X; print(X)") == value


def test_a_package_that_is_gone_cannot_be_imported(tmp_path: Path) -> None:
    folder, index = tmp_path / "artifact", tmp_path / "index.json"
    unpack([pack("kit/__init__.py", b""), pack("ops.py", b"")], folder, index)
    assert imported(folder, "import kit, ops; print('there')") == "there"
    unpack([pack("ops.py", b"")], folder, index)
    assert imported(folder, "import kit") == "ModuleNotFoundError: No module named 'kit'"


def test_what_was_interrupted_is_written_anew(tmp_path: Path) -> None:
    folder, index = tmp_path / "artifact", tmp_path / "index.json"
    unpack([pack("a.py", b"X = 1\n")], folder, index)
    index.unlink()
    (folder / "a.py").write_text("half of")
    unpack([pack("a.py", b"X = 1\n")], folder, index)
    assert (folder / "a.py").read_text() == "X = 1\n"


HERE = (sys.version_info.major, sys.version_info.minor)
ENTRY = "handler = print"
APP = "class app:\n    groups = ('ops',)\n"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache, which is empty."""
    monkeypatch.setenv("CROSSWIND_CACHE", str(tmp_path / "cache"))
    return cache_folder()


def tried(
    files: dict[str, str], python: tuple[int, int] = HERE, architecture: str = "x86_64"
) -> Tried:
    """What comes of trying an artifact of these files."""
    runtime = Runtime("here", python, (2, 34))
    target = Target(
        replace(PLATFORM, entry_file="e.py", handler="e.handler"), runtime, architecture
    )
    resolver = Resolver(target, Path(), Indexes(), (), True, Path())
    packed = [pack(path, text.encode()) for path, text in files.items()]
    return smoke(packed, Entry(Named("ops", "app")), ["ops"], [], resolver)


def test_an_entry_that_can_be_imported_has_passed_and_is_not_tried_twice(kept: Path) -> None:
    files = {"e.py": ENTRY, "ops.py": APP}
    assert tried(files).passed
    assert tried(files).words.endswith("before, with this content")
    assert "before" not in tried({**files, "more.py": ""}).words


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"e.py": "import missing", "ops.py": APP}, "No module named 'missing' (in e.py, line 1"),
        ({"e.py": "handler = 1", "ops.py": APP}, "e.handler cannot be called"),
        ({"e.py": ENTRY, "ops.py": APP.replace("'ops'", "'eu'")}, "it has the groups ['eu'] there"),
        ({"e.py": "import os; os._exit(3)", "ops.py": APP}, "it ended with 3"),
    ],
)
def test_what_goes_wrong_is_said_in_a_line(kept: Path, files: dict[str, str], words: str) -> None:
    found = tried(files)
    assert found.passed is False
    assert words in found.words


def test_where_it_cannot_be_tried_that_is_said(kept: Path) -> None:
    files = {"e.py": ENTRY, "ops.py": APP, "core.abi3.so": "\x7f"}
    interpreter = find_interpreter(HERE)
    assert interpreter is not None
    other = "arm64" if interpreter.runs("x86_64") else "x86_64"
    assert tried(files, (3, 77)) == Tried(None, "not tried: there is no Python 3.77 here")
    found = tried(files, architecture=other)
    assert found.passed is None
    assert f"compiled for {other}" in found.words


def test_while_another_is_trying_one_it_is_tried_elsewhere(kept: Path) -> None:
    files = {"e.py": ENTRY, "ops.py": APP}
    tried({"e.py": "handler = 1", "ops.py": APP})
    (room,) = (kept / "tried").iterdir()
    with (room / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert tried(files).passed
    assert (room / "artifact" / "e.py").read_text() == "handler = 1"


def test_an_entry_that_does_not_come_back_is_ended(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crosswind.packaging.smoke.SECONDS", 0.5)
    found = tried({"e.py": "while True: pass", "ops.py": APP})
    assert found == Tried(False, "importing it takes longer than 0.5 s")
