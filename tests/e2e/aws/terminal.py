"""What a person types: `crosswind package` and `crosswind stack`, in a folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

from integration.aws.stack.bench import RUNTIME, stock
from unit.packaging.wheelwright import wheel

SECONDS = 120


@dataclass(frozen=True)
class Terminal:
    """Types commands in a folder.

    Attributes:
        folder: of the project.
        index: a folder of wheels; no network is asked.
        place: variables that say where AWS is.
    """

    folder: Path
    index: Path
    place: Mapping[str, str]

    def types(self, *words: str, code: int = 0) -> Any:
        """Type a command; the document that it writes for programs."""
        environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CROSSWIND", "AWS_"))
        }
        environ |= {
            **self.place,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.index),
            "UV_CACHE_DIR": str(self.index.parent / "uv"),
            "CROSSWIND_CACHE": str(self.index.parent / "cache"),
        }
        done = subprocess.run(
            [sys.executable, "-m", "crosswind", *words, "--json"],
            cwd=self.folder, env=environ, capture_output=True, text=True, timeout=SECONDS,
            check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{words}: {done.returncode}: {done.stderr}{done.stdout}"
        return json.loads(done.stdout) if done.stdout else None

    def package(self) -> Any:
        """Make the artifact, for the interpreter of the emulator."""
        return self.types(
            "package", "aws", "--app", "ops:app", "--performers", "ops:performers",
            "--include", "*.yaml", "--runtime", RUNTIME, "--arch", "x86_64",
        )  # fmt: skip

    def applies(self, timeout: int, *more: str) -> Any:
        """Have it deployed, with so many seconds for each call of a function."""
        return self.types(
            "stack", "apply", "aws", "--resources", "aws.yaml", "--timeout", f"{timeout}", "--yes",
            *more,
        )  # fmt: skip


def shelve(folder: Path) -> Path:
    """A folder of all the wheels that the project's artifact is made of."""
    stock(folder)
    found = distribution("PyYAML")
    tags = [
        line.split(": ", 1)[1].split("-")
        for line in (found.read_text("WHEEL") or "").splitlines()
        if line.startswith("Tag: ")
    ]
    files = {
        file.as_posix(): Path(str(found.locate_file(file))).read_bytes()
        for file in found.files or ()
        if file.parts[0] in ("yaml", "_yaml") and "__pycache__" not in file.parts
    }
    tag = "-".join(".".join(dict.fromkeys(part)) for part in zip(*tags, strict=True))
    wheel(folder, "pyyaml", found.version, tag=tag, files=files)
    return folder


def project(folder: Path, name: str = "production") -> Path:
    """A copy of a project, without what its account alone knows."""
    copytree(Path(__file__).parent / name, folder, ignore=ignore_patterns("__pycache__", "*.pyc"))
    return folder
