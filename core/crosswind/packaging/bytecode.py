"""Bytecode beside its sources, made by an interpreter of the target's version.

A function's folder is read-only, so that what is not compiled in the artifact is compiled at every
cold start. The files are of the unchecked kind (PEP 552): nothing is compared when they are loaded,
and no time stands in them. Sources stay, for tracebacks. Bytecode does not depend on the
architecture.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from crosswind.packaging import archive
from crosswind.packaging.archive import Member
from crosswind.packaging.interpreters import Interpreter
from crosswind.packaging.tools import run

COMPILER: Final = Path(__file__).with_name("compiler.py")


def compile_files(
    files: Mapping[str, bytes], interpreter: Interpreter, mount: str
) -> tuple[dict[str, Member], dict[str, str]]:
    """Compile the modules among files.

    Args:
        files: contents by path.
        mount: the folder in which they lie when they run.

    Returns:
        The compiled file of each, by the path of its source; and what is wrong with the others.

    Raises:
        RuntimeError: the compiler itself failed.
    """
    sources = sorted(path for path in files if path.endswith(".py"))
    if not sources:
        return {}, {}
    with tempfile.TemporaryDirectory(prefix="crosswind-compile-") as name:
        folder, out = Path(name, "in"), Path(name, "out")
        for path in sources:
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(files[path])
        job = {"folder": str(folder), "out": str(out), "mount": mount, "files": sources}
        done = run(
            [interpreter.path, "-S", "-s", "-B", str(COMPILER)],
            {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "PATH": os.defpath},
            inherits=False,
            given=json.dumps(job),
        )
        if done.returncode:
            raise RuntimeError(f"{interpreter.path} cannot compile: {done.stderr[-2000:]}")
        errors: dict[str, str] = json.loads(done.stdout)
        return dict(_compiled(out, sources, errors)), errors


def _compiled(out: Path, sources: list[str], errors: Mapping[str, str]) -> dict[str, Member]:
    found: dict[str, Member] = {}
    for file in sorted(out.rglob("*.pyc")):
        path = file.relative_to(out)
        # x.cpython-313.pyc in __pycache__ is of x.py in the folder above.
        stem = path.stem.rpartition(".")[0]
        source = (path.parent.parent / f"{stem}.py").as_posix()
        if source in errors:
            continue
        found[source] = archive.pack(path.as_posix(), file.read_bytes())
    missing = set(sources) - found.keys() - errors.keys()
    if missing:
        raise RuntimeError(f"not compiled, and nothing said why: {', '.join(sorted(missing))}")
    return found
