"""Finding the Python that the language worker needs, which may not be the one that runs us."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from crosswind_local.errors import StartFailed

VARIABLE = "CROSSWIND_LOCAL_PYTHON313"
"""Environment variable that names the interpreter, where it is not to be looked for."""

VERSION = "3.13"
"""The only one: the worker library needs it, and packaged apps hold compiled parts for it."""

_ASK = 20.0
_FETCH = 600.0

HOW_TO_GET = f"""\
Azure's language worker runs on Python {VERSION}, and none was found. Get one with one of
  uv python install {VERSION}          (pip install uv)
  pyenv install {VERSION}
  apt-get install python{VERSION}-venv  (Debian 13, Ubuntu 25.04 and later)
or name one that you have in {VARIABLE}."""

Progress = Callable[[str], None]


def python313(progress: Progress) -> Path:
    """An interpreter of Python 3.13.

    The one that `CROSSWIND_LOCAL_PYTHON313` names; else the first of this one, the one on the
    path, those of pyenv and those of uv. Where there is none, uv fetches one if it is there.

    Args:
        progress: is told when something is fetched, which takes long.

    Raises:
        StartFailed: there is none; says how to get one.
    """
    named = os.environ.get(VARIABLE)
    if named:
        if not _is_right(named):
            raise StartFailed(f"{VARIABLE} is {named}, which is not a Python {VERSION}")
        return Path(named)
    for candidate in _candidates():
        if _is_right(candidate):
            return Path(candidate)
    uv = _uv()
    if uv is not None:
        progress(f"fetching Python {VERSION} with uv ...")
        _said([uv, "python", "install", "--quiet", VERSION], _FETCH)
        fetched = _said([uv, "python", "find", "--no-project", VERSION], _ASK)
        if fetched and _is_right(fetched):
            return Path(fetched)
    raise StartFailed(HOW_TO_GET)


def _candidates() -> Iterator[str]:
    yield sys.executable
    found = shutil.which(f"python{VERSION}")
    if found:
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for folder in sorted(pyenv.glob(f"versions/{VERSION}*"), reverse=True):
        yield str(folder / "bin" / f"python{VERSION}")
    uv = _uv()
    known = uv and _said([uv, "python", "find", "--no-project", VERSION], _ASK)
    if known:
        yield known


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv")


@functools.cache
def _is_right(python: str) -> bool:
    """Whether it runs (a shim of pyenv may not) and is of the right version."""
    ask = "import sys; print('{}.{}'.format(*sys.version_info))"
    return _said([python, "-I", "-c", ask], _ASK) == VERSION


def _said(command: list[str], timeout: float) -> str | None:
    """What a command prints; None where it fails, which is for the next candidate to make good."""
    try:
        done = subprocess.run(  # noqa: S603 - our own commands, no shell
            command, capture_output=True, text=True, timeout=timeout, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
