"""A terminal in a folder of its own, in which the commands of a page are typed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from e2e.docs.pages import ROOT, Command
from e2e.docs.transcript import Ids, agrees

COLUMNS: Final = 100
PATIENCE: Final = 60.0

_MAKE: Final = re.compile(r"make (\w+)")


class Ran(NamedTuple):
    """What a command printed, on stdout and stderr as they came, and its exit code."""

    typed: str
    printed: str
    code: int


class Terminal:
    """Runs commands as bash does.

    The folder has what a checkout has: `tests`, `examples` and `.venv`.

    Attributes:
        ids: which id of this run an id of the page stands for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ids = Ids()
        self._exports = ""
        self._behind: list[subprocess.Popen[str]] = []
        folder.mkdir()
        for name, target in (
            ("tests", ROOT / "tests"),
            ("examples", ROOT / "examples"),
            (".venv", Path(sys.prefix)),
        ):
            (folder / name).symlink_to(target)

    @property
    def environment(self) -> dict[str, str]:
        """That of this process, without what would change how a command behaves or looks."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CROSSWIND_", "COV_"))}
        here = Path(sys.executable).parent
        return {
            **kept,
            "PATH": f"{here}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": str(COLUMNS),
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, command: Command) -> Ran | None:
        """Run a command; None where there is nothing to see: it exports, or goes on behind.

        Raises:
            TimeoutExpired: it was not over in time, and was ended.
        """
        typed = self.ids.put_into(command.typed)
        if typed.startswith("export "):
            self._exports += f"{typed}\n"
            return None
        if typed.endswith("&"):
            self._behind.append(self._start(typed.removesuffix("&")))
            return None
        process = self._start(typed)
        try:
            printed, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            _end(process)
            raise
        return Ran(typed, printed, process.returncode)

    def check(self, command: Command) -> str | None:
        """Run a command; what is wrong with it or with what it printed, None where nothing is."""
        if target := _MAKE.match(command.typed):
            return _lacks(target[1])
        ran = self.run(command)
        if ran is None:
            return None
        if ran.code != command.code:
            return f"$ {ran.typed}\nended with {ran.code}; it printed:\n{ran.printed}"
        if not agrees(command.printed, ran.printed, self.ids):
            return f"$ {ran.typed}\nshows:\n{command.printed}\nbut it printed:\n{ran.printed}"
        return None

    def close(self) -> None:
        """End what was left running."""
        for process in self._behind:
            _end(process)

    def _start(self, typed: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", "-c", self._exports + typed],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def _end(process: subprocess.Popen[str]) -> None:
    """End a command and all that it has started."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, how)
            try:
                process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                continue


def _lacks(target: str) -> str | None:
    """Why a target of the Makefile cannot be called; what builds is not run here."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    declared = re.search(rf"^{target}:", makefile, re.MULTILINE)
    return None if declared else f"make {target}: the Makefile has no such target"
