"""Emulators in processes of their own, as a user runs them, and what such a process costs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ENTITIES = Path(__file__).parents[2] / "fixtures" / "servicebus" / "conformance.json"
"""Entities for Service Bus, in the official emulator's JSON."""


def command(service: str, *arguments: str) -> list[str]:
    """How a service is run."""
    return [sys.executable, "-m", "crosswind_local.cli", service, *arguments]


@contextmanager
def running(
    service: str, *arguments: str
) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The command in a process of its own, and what it says; ended by SIGTERM."""
    with subprocess.Popen(
        command(service, "--json", *arguments), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0


def spent(process: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: int) -> float:
    """MiB that a process holds in memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something that is about to happen."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
