"""Contestants: whatever can be asked to work a number of times and says what that took."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from bench.serve import Prepare, Took, timed

TESTS = Path(__file__).resolve().parents[1]
START_SECONDS = 600.0
"""How long a contestant may take to make ready: one of them writes a million rows first."""


class ContestantFailed(RuntimeError):
    """A contestant's process ended or said something that is no answer."""


class Contestant(Protocol):
    """Works `count` times and says what that took."""

    def work(self, count: int) -> Took:
        """Work so many times."""
        ...


class Serving:
    """A contestant in a process of its own, in whichever environment it needs; see `serve`.

    Args:
        module: has the contestant's `make`.
        python: the interpreter; that of this process unless given.
    """

    def __init__(self, module: str, python: str = sys.executable, **options: Any) -> None:
        self._what = f"{module} {json.dumps(options)}"
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [python, "-P", "-m", "bench.serve", module, json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment(),
            cwd=tempfile.gettempdir(),
        )
        self._answer()

    def work(self, count: int) -> Took:
        """See `Contestant.work`."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        wall, processor = map(float, self._answer().split())
        return Took(wall, processor)

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            said = self._errors.read()[-4000:]
            self._close()
            raise ContestantFailed(f"{self._what} ended:\n{said}")
        return line

    def _close(self) -> None:
        self._process.communicate(timeout=START_SECONDS)
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._errors.closed:
            self._close()


@contextmanager
def within(module: str, **options: Any) -> Iterator[Contestant]:
    """A contestant in this process, to see that it works rather than how fast."""
    with import_module(module).make(**options) as prepare:
        yield _Within(prepare)


class _Within:
    def __init__(self, prepare: Prepare) -> None:
        self._prepare = prepare

    def work(self, count: int) -> Took:
        return timed(self._prepare(count))


class Starting:
    """A contestant whose work is to start a process and see it end well.

    Args:
        command: what is run.
        folder: where.
        variables: of its environment, beside a clean one.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None
    ) -> None:
        self._command = command
        self._folder = folder
        self._variables = {"PATH": os.defpath, **(variables or {})}

    def work(self, count: int) -> Took:
        """See `Contestant.work`."""
        started, before = time.perf_counter(), children()
        for _ in range(count):
            done = subprocess.run(
                self._command,
                cwd=self._folder,
                env=self._variables,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            if done.returncode:
                raise ContestantFailed(f"{' '.join(self._command)}:\n{done.stderr[-4000:]}")
        return Took(time.perf_counter() - started, children() - before)


def children() -> float:
    """Processor seconds of all processes that this one has started and seen end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def environment() -> dict[str, str]:
    """The variables of a contestant's process: this one's, and where the bench is found."""
    return {**os.environ, "PYTHONPATH": str(TESTS)}
