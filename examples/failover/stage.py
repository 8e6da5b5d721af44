"""What the demonstration happens on: a world, workers that can be killed, commands that are typed.

Every step that a person could take is taken through the command line, as that person would.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from crosswind.fleet.declaration import Fleet
from crosswind.world.processes import RegionServer

HERE = Path(__file__).parent
FLEET = HERE / "fleet.yaml"
PATIENCE = 45.0


def servers(fleet: Fleet) -> list[RegionServer]:
    """One model server for each region of the fleet, as the fleet declares it."""
    return [
        RegionServer(
            name,
            workloads={
                workload: spec.regions[name].replicas
                for workload, spec in fleet.workloads.items()
                if name in spec.regions
            },
            quota=region.quota or 8,
            rate=40.0,  # the fleet plans with half of it, so that probes and peaks find room
            service_ms=8.0,
            start_seconds=1.5,
        )
        for name, region in fleet.regions.items()
    ]


def weights(fleet: Fleet) -> dict[str, dict[str, float]]:
    """The declared shares of traffic."""
    return {name: dict(spec.weights) for name, spec in fleet.workloads.items()}


class Commands:
    """Types commands and shows them.

    Args:
        folder: where the data file and the world of the demonstration are.
    """

    def __init__(self, folder: Path, console: Console) -> None:
        self.folder = folder
        self.console = console
        self.environment = {
            **os.environ,
            "CROSSWIND_APP": "ops:app",
            "CROSSWIND_DATA": str(folder / "crosswind.sqlite"),
            "CROSSWIND_FLEET": str(FLEET),
            "PYTHONPATH": os.pathsep.join([str(HERE), *_inherited()]),
        }
        if console.is_terminal:
            self.environment["FORCE_COLOR"] = "1"

    def show(self, *words: str) -> None:
        """Show a command as a person would type it."""
        self.console.print(f"\n[bold cyan]$ crosswind {shlex.join(words)}[/]")

    def run(self, *words: str, lines: int | None = None) -> int:
        """Run a command, show its output (its first lines, if so many), and give its exit code."""
        self.show(*words)
        run = self._call(words)
        shown = run.stdout.splitlines()
        for line in shown if lines is None else shown[:lines]:
            print(line)
        if lines is not None and len(shown) > lines:
            self.console.print(f"[dim]… {len(shown) - lines} more lines: crosswind {words[0]}[/]")
        if run.stderr.strip():
            self.console.print(f"[dim]{run.stderr.strip()}[/]", markup=False, style="dim")
        return run.returncode

    def ask(self, *words: str) -> Any:
        """Run a command for programs and give what it says; None where it found nothing."""
        run = self._call((*words, "--json"))
        return json.loads(run.stdout) if run.returncode == 0 and run.stdout.strip() else None

    def interact(self, *words: str) -> int:
        """Run a command that asks the person in front of the terminal."""
        self.show(*words)
        return subprocess.run(_crosswind(words), env=self.environment, check=False).returncode

    def worker(self, name: str) -> Worker:
        """Start a worker process on the data file."""
        log = (self.folder / f"{name}.log").open("wb")
        words = ("run", "--world", str(self.folder / "world"), "--json")
        process = subprocess.Popen(
            _crosswind(words), env=self.environment, stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        return Worker(name, process)

    def _call(self, words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            _crosswind(words),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


class Worker:
    """A worker process."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.process = process

    def kill(self) -> None:
        """Kill it as a crash would: it finishes nothing and says goodbye to nobody."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask it to stop, and insist."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()


def until(what: str, look: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Look until there is something to see.

    Raises:
        TimeoutError: it did not come.
    """
    end = time.monotonic() + patience
    while time.monotonic() < end:
        seen = look()
        if seen:
            return seen
        time.sleep(0.1)
    raise TimeoutError(f"no {what} within {patience:g} s")


def orders(log: Path) -> Iterator[dict[str, Any]]:
    """The control calls that a process has logged, oldest first."""
    if not log.exists():
        return
    for line in log.read_text().splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue  # the last line may be half written


def _crosswind(words: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "crosswind", *words]


def _inherited() -> list[str]:
    path = os.environ.get("PYTHONPATH")
    return [path] if path else []
