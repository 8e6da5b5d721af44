"""Deployed functions, unpacked as a platform unpacks them: with bytecode, and without.

Ours holds the two packages, pydantic with what it needs, and one reaction. Custodian's is made by
Custodian; boto3 and the rest that Lambda's runtime brings along lies in a folder of its own, with
bytecode in any case, as there.
"""

from __future__ import annotations

import compileall
import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from bench.contestants import TESTS, Starting, environment
from bench.environments import ROOT, base_python, packages
from bench.samples import compact, name, sample

_NEEDED = ("pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection")
_BYTECODE = shutil.ignore_patterns("__pycache__", "*.pyc")


def ours(folder: Path, compiled: bool) -> Starting:
    """Our function, started anew for each time of work."""
    folder.mkdir()
    for package in (ROOT / "core" / "crosswind", ROOT / "events" / "crosswind_events"):
        shutil.copytree(package, folder / package.name, ignore=_BYTECODE)
    site = Path(sysconfig.get_path("purelib"))
    for needed in _NEEDED:
        for found in (*site.glob(needed), *site.glob(f"{needed}.py"), *site.glob(f"{needed}-*")):
            if found.is_dir():
                shutil.copytree(found, folder / found.name, ignore=_BYTECODE)
            else:
                shutil.copy(found, folder / found.name)
    own = folder / "bench" / "ours"
    own.mkdir(parents=True)
    for module in ("reaction.py", "function.py"):
        shutil.copy(TESTS / "bench" / "ours" / module, own / module)
    record = {"messageId": "1", "body": compact(sample(name(1))).decode()}
    (folder / "event.json").write_text(json.dumps({"Records": [record]}))
    return _starting("bench.ours.function", folder, compiled)


def custodian(folder: Path, python: str, compiled: bool) -> Starting:
    """Custodian's function; `python` is the interpreter of its environment."""
    runtime = unpack_custodian(folder, python)
    return _starting("custodian_policy", folder, compiled, runtime)


def unpack_custodian(folder: Path, python: str) -> Path:
    """Write Custodian's archive, unpacked; the folder of what its runtime has beside it."""
    folder.mkdir()
    subprocess.run(
        [python, "-P", "-m", "bench.peers.custodian", folder],
        env=environment(),
        check=True,
        stdout=sys.stderr,
    )
    runtime = folder.with_name(f"{folder.name}-runtime")
    shutil.copytree(
        packages(python), runtime, ignore=shutil.ignore_patterns("c7n", "pip*", "setuptools*")
    )
    compileall.compile_dir(runtime, quiet=2)
    return runtime


def bare(folder: Path) -> Starting:
    """A function that imports nothing but what `boot` does."""
    folder.mkdir()
    shutil.copy(TESTS / "bench" / "bare.py", folder / "bare.py")
    (folder / "event.json").write_text(json.dumps(sample(name(1))))
    return _starting("bare", folder, True)


def _starting(module: str, folder: Path, compiled: bool, *more: Path) -> Starting:
    if compiled:
        compileall.compile_dir(folder, quiet=2)
    boot = TESTS / "bench" / "boot.py"
    paths = [str(path) for path in (folder, *more)]
    # The event lies in the folder, which is where a function's process starts.
    command = [base_python(), "-S", "-B", str(boot), module, "event.json", *paths]
    variables = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"}
    return Starting(command, folder, variables)
