"""Processes that race each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RACER = Path(__file__).with_name("racer.py")


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    """Begin a task of the racer."""
    return subprocess.Popen(
        [sys.executable, str(RACER), *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


def outputs(racers: list[subprocess.Popen[str]], status: int = 0) -> list[list[str]]:
    """The lines that each process printed; every one of them has ended with `status`."""
    try:
        printed = [racer.communicate(timeout=60)[0].split() for racer in racers]
    finally:
        for racer in racers:
            racer.kill()
    assert [racer.returncode for racer in racers] == [status] * len(racers)
    return printed
