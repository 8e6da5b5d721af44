"""The tools of the extra `crosswind[package]`, and running these and interpreters."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Final

from crosswind.packaging.faults import ToolMissing

LIBRARIES: Final = ("deflate", "packaging", "pathspec")

SECONDS: Final = 600.0
"""How long a tool may take: it may have to fetch large wheels."""


def check_tools() -> None:
    """See that everything is there that packaging needs.

    Raises:
        ToolMissing: names all that is not.
    """
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if uv_path() is None:
        missing.append("uv")
    if missing:
        raise ToolMissing(
            f"packaging needs {' and '.join(missing)}; pip install 'crosswind[package]'"
        )


def uv_path() -> str | None:
    """The program uv: the one that is installed beside this, or one on the PATH."""
    try:
        from uv import find_uv_bin
    except ImportError:
        return shutil.which("uv")
    try:
        return find_uv_bin()
    except FileNotFoundError:
        return shutil.which("uv")


def run(
    command: Sequence[str],
    variables: Mapping[str, str],
    *,
    inherits: bool = True,
    folder: str | None = None,
    given: str = "",
    seconds: float = SECONDS,
) -> subprocess.CompletedProcess[str]:
    """Run a program without a terminal.

    Args:
        variables: of its environment.
        inherits: whether it also has those of this process.
        folder: in which it runs; that of this process unless given.
        given: what it reads.

    Raises:
        TimeoutExpired: it took too long, and was ended.
        OSError: it cannot be started.
    """
    return subprocess.run(  # noqa: S603 - uv and Python by their paths, without a shell
        command,
        env={**os.environ, **variables} if inherits else dict(variables),
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=seconds,
    )
