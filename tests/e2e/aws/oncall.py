"""Whoever is on call for a deployed app: what they type, and what they read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 120


@dataclass(frozen=True)
class OnCall:
    """Types commands about a stack, in a folder.

    Attributes:
        folder: the working folder; nothing of the app need be in it.
        place: variables that say where AWS is.
        data: what `--data` is given.
    """

    folder: Path
    place: Mapping[str, str]
    data: str

    def ran(
        self, *words: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Type a command; how it ended."""
        environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CROSSWIND", "AWS_"))
        }
        return subprocess.run(
            [sys.executable, "-m", "crosswind", *words],
            cwd=self.folder,
            env={**environ, **self.place, "CROSSWIND_DATA": self.data, **(env or {})},
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip

    def says(self, *words: str, code: int = 0) -> str:
        """Type a command; all that it prints for people."""
        done = self.ran(*words)
        assert done.returncode == code, f"{words}: {done.returncode}: {done.stderr}{done.stdout}"
        return done.stdout + done.stderr

    def reads(self, *words: str, code: int = 0) -> Any:
        """Type a command; the document that it writes for programs."""
        done = self.ran(*words, "--json")
        assert done.returncode == code, f"{words}: {done.returncode}: {done.stderr}{done.stdout}"
        return json.loads(done.stdout) if done.stdout else None

    def sees(self, true: Callable[[Any], object], *words: str, seconds: float = 90.0) -> Any:
        """The document of a command, once it says something; nothing found is not yet."""
        end = time.monotonic() + seconds
        while True:
            done = self.ran(*words, "--json")
            found = json.loads(done.stdout) if done.stdout else None
            if done.returncode in (0, 3) and found and true(found):
                return found
            assert done.returncode in (0, 3), f"{words}: {done.stderr}"
            assert time.monotonic() < end, f"{words}: {done.stderr}{done.stdout}"
            time.sleep(0.3)
