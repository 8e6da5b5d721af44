"""What a person types in a project folder: in this process, or in one that can be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import copy
from typing import Any

from click.testing import CliRunner, Result

from crosswind.cli.stacking import stack
from crosswind.cli.teaching import Root
from integration.aws.stack.bench import Bench

CROSSWIND = Root("crosswind", sections={"Deploy": (stack,)})
"""The command, with the part of it that is looked at here."""


SECONDS = 120


class Terminal:
    """Types `crosswind stack ...` in a project folder."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.digests = {
            name: bench.request(artifact).release.digest
            for name, artifact in bench.artifacts._asdict().items()
        }

    def has(self, name: str) -> None:
        """Have this artifact in ./dist."""
        Path("dist").mkdir(exist_ok=True)
        copy(getattr(self.bench.artifacts, name), "dist/hops-aws-test.zip")

    def types(self, *words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(CROSSWIND, ("stack", *words))
        assert result.exit_code == code, f"{result.exit_code}: {result.output}"
        return result

    def reads(self, *words: str, code: int = 0) -> Any:
        return json.loads(self.types(*words, "--json", code=code).stdout)

    def begins(self, *words: str, **environ: str) -> Typed:
        """Type it in a process of its own."""
        return Typed(words, environ)


class Typed:
    """`crosswind stack ...` in a process of its own, which ends before the test does."""

    def __init__(self, words: tuple[str, ...], environ: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "crosswind", "stack", *words],
            env={**os.environ, **environ}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ends(self) -> tuple[int, str]:
        """How it ended, and what it has said; killed where that takes minutes."""
        try:
            said = "".join(self.process.communicate(timeout=SECONDS))
        finally:
            self.process.kill()
        return self.process.returncode, said
