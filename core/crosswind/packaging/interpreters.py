"""Interpreters of this machine, by version: to compile for a target, and to try an artifact.

Looked for are the one that runs this, `pythonX.Y` on the PATH, and those that pyenv and uv have
installed.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from crosswind.packaging.tools import run

_ASK: Final = (
    "import platform, sys; print(platform.python_implementation(), platform.python_version(), "
    "platform.system(), platform.machine())"
)
_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A CPython of this machine; `version` is whole, such as `3.13.1`."""

    path: str
    version: str
    system: str
    machine: str

    def runs(self, machine: str) -> bool:
        """Whether it can load what was compiled for Linux on such a machine."""
        same = {"arm64": "aarch64", "amd64": "x86_64"}
        return self.system == "Linux" and same.get(self.machine, self.machine) == machine


@cache
def find_interpreter(python: tuple[int, int]) -> Interpreter | None:
    """A CPython of this version, if there is one here."""
    if sys.version_info[:2] == python and sys.implementation.name == "cpython":
        path = str(getattr(sys, "_base_executable", sys.executable))
        version, system, machine = (
            platform.python_version(), platform.system(), platform.machine(),
        )  # fmt: skip
        return Interpreter(path, version, system, machine.lower())
    for path in _candidates("python{}.{}".format(*python), "{}.{}".format(*python)):
        found = _asked(path)
        if found is not None and found.version.startswith("{}.{}.".format(*python)):
            return found
    return None


def _candidates(name: str, version: str) -> Iterator[str]:
    home = Path.home()
    on_path = shutil.which(name)
    if on_path is not None:
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    for folder, pattern in ((pyenv, f"{version}.*"), (uv, f"cpython-{version}.*")):
        for found in sorted(folder.glob(f"{pattern}/bin/{name}"), reverse=True):
            yield str(found)


def _asked(path: str) -> Interpreter | None:
    """What an interpreter says of itself; None where it is none (a shim of pyenv may be empty)."""
    try:
        done = run([path, "-I", "-S", "-c", _ASK], {}, seconds=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.split()
    if done.returncode or len(words) != 4 or words[0] != "CPython":
        return None
    return Interpreter(path, words[1], words[2], words[3].lower())
