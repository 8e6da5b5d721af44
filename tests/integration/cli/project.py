"""A project folder as a user has one, with a space in its path, and the command line in it."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from crosswind.cli.root import crosswind

FILES = Path(__file__).parent / "files"
UNHEALTHY = {"region": "aws/us-east-1", "evidence": "operator", "reason": "no answers"}


@dataclass
class Project:
    """Runs commands in a project folder.

    `cw` runs a command and demands its exit code; `json` reads what it wrote to stdout.
    """

    folder: Path
    runner: CliRunner = field(default_factory=CliRunner)

    def cw(self, *arguments: str, code: int = 0, given: str | bytes | None = None) -> Result:
        """Run a command in this process."""
        result = self.runner.invoke(crosswind, arguments, input=given)
        assert result.exit_code == code, f"{result.exit_code}: {result.output}"
        return result

    def json(self, *arguments: str, code: int = 0, given: str | bytes | None = None) -> Any:
        """Run a command with --json; stdout holds one document and nothing else."""
        return json.loads(self.cw(*arguments, "--json", code=code, given=given).stdout)

    def lines(self, *arguments: str) -> list[Any]:
        """Run a command with --json that writes JSON lines."""
        return [json.loads(line) for line in self.cw(*arguments, "--json").stdout.splitlines()]

    def publish(self, region: str = "aws/us-east-1", *more: str, **data: Any) -> Any:
        """Report a region; what came of it."""
        report = json.dumps({**UNHEALTHY, "region": region, **data})
        return self.json("publish", "region.unhealthy", "--data-json", report, *more)

    def chain(self, region: str = "aws/us-east-1") -> str:
        """Report a region; its chain."""
        return str(self.publish(region)["chains"][0]["chain"])


def make(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Copy the files and go there, as a user of the policy in it."""
    shutil.copytree(FILES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    enter(folder, monkeypatch)
    return Project(folder)


def enter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to a folder, as a user of the policy in it."""
    for name in list(os.environ):
        if name.startswith("CROSSWIND_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("CROSSWIND_APP", "policy:app")
    monkeypatch.setenv("CROSSWIND_PERFORMERS", "policy:performers")


def ask(arguments: list[str], answer: str) -> int:
    """Run a command with a terminal for standard input, and answer it; its exit code."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "crosswind", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.DEVNULL) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        code = process.wait(20)
    os.close(ours)
    return code


def leave(folder: Path) -> None:
    """Forget the modules of a folder, so that the next one's are its own."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]
