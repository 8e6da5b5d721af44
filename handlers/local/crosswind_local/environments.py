"""Virtual environments of servers that are written in Python and pin what we must not pin.

Such a server gets an environment of its own, made on first use from a requirement file with
hashes and kept in the user's cache until that file changes. It is never part of the environment
that starts it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crosswind_local.errors import StartFailed

CACHE_VARIABLE = "CROSSWIND_LOCAL_CACHE"
"""Environment variable that names the folder of the environments."""

TIMEOUT = 600.0
"""Seconds that making one environment may take."""

_SHOWN = 2_000


def cache_folder() -> Path:
    """Where environments are kept: `CROSSWIND_LOCAL_CACHE`, or the user's cache folder."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "crosswind-local"


def interpreter(
    name: str, requirements: Path, *, timeout: float = TIMEOUT, base: Path | None = None
) -> Path:
    """The Python interpreter of an environment that holds exactly these requirements.

    Args:
        name: what the environment is for, as part of its folder's name.
        requirements: a requirement file with a hash for every distribution.
        timeout: seconds that making it may take.
        base: the interpreter that it is made with; the one that runs this, unless told.

    Raises:
        StartFailed: it could not be made; says why.
    """
    digest = hashlib.sha256(requirements.read_bytes())
    digest.update(sys.version.encode() if base is None else _identity(base))
    folder = cache_folder() / f"{name}-{digest.hexdigest()[:16]}"
    python = folder / "bin" / "python"
    # Written last: a folder without it was left behind by who died while making it.
    complete = folder / "complete"
    if complete.exists():
        return python
    folder.parent.mkdir(parents=True, exist_ok=True)
    with alone(folder.with_suffix(".lock")):
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, requirements, timeout, base or Path(sys.executable))
            complete.touch()
    return python


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Let one process at a time make something; the lock, a file, goes with the process."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _identity(python: Path) -> bytes:
    """What tells an interpreter from another one, or from its own successor."""
    resolved = python.resolve()
    return f"{resolved} {resolved.stat().st_mtime_ns}".encode()


def _make(folder: Path, requirements: Path, timeout: float, base: Path) -> None:
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    wanted = ["--require-hashes", "--only-binary=:all:", "--requirement", str(requirements)]
    _run([str(base), "-m", "venv", str(folder)], timeout)
    _run([*pip, "install", "--quiet", "--no-input", *wanted], timeout)


def _run(command: list[str], timeout: float) -> None:
    # PYTHONPATH and its kin would let the modules of one environment into the other.
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    try:
        done = subprocess.run(  # noqa: S603 - our own commands, no shell
            command, env=environ, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise StartFailed(f"{' '.join(command)} took more than {timeout:g} s") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-_SHOWN:]
        raise StartFailed(f"{' '.join(command)} failed with status {done.returncode}: {said}")
