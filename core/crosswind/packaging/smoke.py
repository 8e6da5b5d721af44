"""The entry, imported from its artifact by an interpreter of the target's version.

That is what the platform does at every cold start: the app, its fleet and its performers are loaded
and the handler is made, in the environment that a deployed function finds. Nothing but it, the
standard library and what the platform provides can be imported: no site folder, no variables of
this process, another working folder. Where this machine has no such interpreter, or is of another
architecture and the artifact has compiled modules, that is said and nothing is tried.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from crosswind.packaging.archive import Member, content_digest
from crosswind.packaging.interpreters import Interpreter, find_interpreter
from crosswind.packaging.layers import cache_folder, key
from crosswind.packaging.platform import Entry, Target
from crosswind.packaging.resolution import Resolver, Wheel
from crosswind.packaging.tools import run

SECONDS: Final = 60.0

_PROGRAM: Final = """\
import json, sys
job = json.loads(sys.argv[1])
sys.path[:0] = job["paths"]
from importlib import import_module
module, _, name = job["handler"].rpartition(".")
if not callable(getattr(import_module(module), name)):
    sys.exit(f"{job['handler']} cannot be called")
found = import_module(job["module"])
for part in job["attribute"].split("."):
    found = getattr(found, part)
groups = sorted((found() if job["factory"] else found).groups)
if groups != job["groups"]:
    sys.exit(f"it has the groups {groups} there, and {job['groups']} here")
"""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it: `passed` is None where nothing could be tried, and `words` says why."""

    passed: bool | None
    words: str


def smoke(
    members: Sequence[Member],
    entry: Entry,
    groups: Sequence[str],
    provided: Sequence[Wheel],
    resolver: Resolver,
) -> Tried:
    """Import the entry of an artifact, unless one with the same content was imported here before.

    Args:
        members: of the artifact.
        groups: that the app has here.
        provided: what the platform brings; it is fetched for this, once.

    Raises:
        IndexUnreachable: what the platform brings cannot be fetched.
    """
    target = resolver.target
    interpreter = find_interpreter(target.runtime.python)
    if interpreter is None:
        return Tried(None, f"not tried: there is no Python {target.runtime.version} here")
    compiled = any(member.path.endswith(".so") for member in members)
    if compiled and not interpreter.runs(target.machine):
        here = f"{interpreter.system} on {interpreter.machine}"
        words = f"not tried: it has modules compiled for {target.architecture}, this is {here}"
        return Tried(None, words)
    lines = [wheel.line for wheel in provided]
    name = key(content_digest(members), interpreter.version, *lines)
    passed = cache_folder() / "passed" / name
    if passed.exists():
        return Tried(True, f"imported by Python {interpreter.version} before, with this content")
    tried = _tried(members, entry, groups, _stand_in(provided, resolver), interpreter, target)
    if tried.passed:
        passed.parent.mkdir(parents=True, exist_ok=True)
        passed.touch()
    return tried


def _stand_in(provided: Sequence[Wheel], resolver: Resolver) -> Path | None:
    """A folder with what the platform brings; made once."""
    if not provided:
        return None
    name = key(resolver.target.name, *(wheel.line for wheel in provided))
    folder = cache_folder() / "provided" / name
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        whole = Path(made, "packages")
        resolver.install(provided, whole)
        try:
            whole.rename(folder)
        except OSError:
            if not folder.is_dir():  # no other process was quicker
                raise
    return folder


def _tried(
    members: Iterable[Member],
    entry: Entry,
    groups: Sequence[str],
    provided: Path | None,
    interpreter: Interpreter,
    target: Target,
) -> Tried:
    with _room(f"{target.name}-{interpreter.version}") as room:
        folder = room / "artifact"
        unpack(members, folder, room / "unpacked.json")
        paths = [str(folder), *([str(provided)] if provided is not None else [])]
        job = {
            "paths": paths,
            "handler": target.platform.handler,
            "module": entry.app.module,
            "attribute": entry.app.attribute,
            "factory": entry.app.factory,
            "groups": sorted(groups),
        }
        group = entry.group or next(iter(groups), "")
        return _run(interpreter, job, target.platform.environment(group), room)


@contextmanager
def _room(name: str) -> Iterator[Path]:
    """A folder to unpack in: the one that is kept, or another while somebody is in that."""
    kept = cache_folder() / "tried" / name
    kept.mkdir(parents=True, exist_ok=True)
    with (kept / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with tempfile.TemporaryDirectory(prefix="crosswind-smoke-") as other:
                yield Path(other)
        else:
            yield kept


def _run(interpreter: Interpreter, job: object, variables: Mapping[str, str], room: Path) -> Tried:
    home = room / "home"
    home.mkdir(exist_ok=True)
    try:
        # Bytecode is written, into the room alone: most modules are the same the next time.
        done = run(
            [interpreter.path, "-I", "-S", "-c", _PROGRAM, json.dumps(job)],
            {"PATH": os.defpath, "HOME": str(home), **variables},
            inherits=False,
            folder=str(home),
            seconds=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return Tried(False, f"importing it takes longer than {SECONDS:g} s")
    if done.returncode == 0:
        return Tried(True, f"imported by Python {interpreter.version}")
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    last = lines[-1] if lines else f"it ended with {done.returncode}"
    inside = f'File "{room / "artifact"}/'
    where = [line.removeprefix(inside) for line in lines if line.startswith(inside)]
    told = last.replace(f"{room / 'artifact'}/", "")
    return Tried(False, f"{told} (in {where[-1].replace(chr(34), '')})" if where else told)


def unpack(members: Iterable[Member], folder: Path, index: Path) -> None:
    """Make a folder hold these files and no others; what it holds already is left as it is.

    Args:
        index: a file that says what the folder holds.
    """
    held: dict[str, str] = {}
    if index.exists():
        held = json.loads(index.read_text())
        # Should this be interrupted, nobody knows what the folder holds.
        index.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)
    wanted = {member.path: member for member in members}
    for path, digest in held.items():
        if path not in wanted or wanted[path].sha256 != digest:
            _remove(folder / path)
    # A folder that is left over could be imported, as a package without an __init__.
    for parent in _parents(held) - _parents(wanted):
        shutil.rmtree(folder / parent, ignore_errors=True)
    for path, member in wanted.items():
        file = folder / path
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(member.content())
    index.write_text(json.dumps({path: member.sha256 for path, member in wanted.items()}))


def _remove(file: Path) -> None:
    """Remove a file and its bytecode: Python tells what is out of date by seconds and sizes."""
    file.unlink(missing_ok=True)
    for cached in file.parent.glob(f"__pycache__/{file.stem}.*.pyc"):
        cached.unlink(missing_ok=True)


def _parents(paths: Iterable[str]) -> set[str]:
    """The folders of files, and those above them, without the topmost."""
    return {str(one) for path in paths for one in PurePosixPath(path).parents} - {"."}
