"""Runs a server in the interpreter of its own environment, on a leash held by who started it.

Run as `python -I launcher.py SERVICE PORT`; it imports nothing of this package, which that
environment does not hold, but files that it finds beside it. Standard input is the leash: each line
is a command, answered by a line on standard output, and its end, also when the process that holds
the other end is killed, ends this process and everything it has started. What the server itself
prints goes to standard error.

    advance SECONDS     move the server's clock on
"""

import importlib
import importlib.util
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

TICK = 1
"""Seconds between two looks of an emulator at its schedules."""

FUNCTION_CLOCK = "CROSSWIND_LOCAL_FUNCTION_CLOCK"
"""Environment variable: the file by which functions follow the clock; unset where they do not."""


class ShiftedTime:
    """The time of day, plus what was skipped."""

    def __init__(self) -> None:
        self.skipped = 0.0
        self._time, self._time_ns = time.time, time.time_ns

    def time(self) -> float:
        """As `time.time`."""
        return self._time() + self.skipped

    def time_ns(self) -> int:
        """As `time.time_ns`."""
        return self._time_ns() + int(self.skipped * 1e9)

    def install(self) -> None:
        """Make it the time of this process; monotonic time, by which it waits, stays real."""
        module: Any = time
        module.time, module.time_ns = self.time, self.time_ns


def main() -> None:
    """Take hold of the leash, and serve."""
    service, port = sys.argv[1], int(sys.argv[2])
    commands = os.fdopen(os.dup(0), encoding="ascii")
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    # What the server starts inherits neither: it would keep the leash alive, or answer for us.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    shifted = ShiftedTime()
    shifted.install()
    serve, awaken = SERVICES[service](port)
    leash = threading.Thread(target=obey, args=(commands, answers, shifted, awaken), daemon=True)
    leash.start()
    serve()


def obey(
    commands: IO[str], answers: IO[str], shifted: ShiftedTime, awaken: Callable[[float], None]
) -> None:
    """Do what is told until the leash is dropped, then end the whole process group."""
    for line in commands:
        word, _, argument = line.strip().partition(" ")
        if word == "advance":
            shifted.skipped += float(argument)
            awaken(shifted.skipped)
            answers.write("done\n")
        else:
            answers.write("unknown\n")
        answers.flush()
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


Served = tuple[Callable[[], Any], Callable[[float], None]]
"""What serves until the process ends, and what makes it look at its clock, which is so many seconds
ahead."""


def ministack(port: int) -> Served:
    """The emulator ministack; its port comes from the environment."""
    for module, interval in (
        ("scheduler", "_SCHEDULE_TICK_INTERVAL"),
        ("eventbridge", "_SCHEDULER_TICK_INTERVAL"),
    ):
        services = importlib.import_module(f"ministack.services.{module}")
        if not hasattr(services, interval):
            raise SystemExit(f"ministack.services.{module} has no {interval}: another version?")
        setattr(services, interval, TICK)
    path = os.environ.pop(FUNCTION_CLOCK, None)
    tell_functions = beside("ministack/functions.py").install(path) if path else None
    sweep = beside("ministack/scheduling.py").install()
    sys.argv = ["ministack"]
    wake = importlib.import_module("ministack.core.concurrency").esm_wake

    def awaken(skipped: float) -> None:
        if tell_functions is not None:
            tell_functions(skipped)
        sweep()
        wake.set()

    return importlib.import_module("ministack.app").main, awaken


def beside(path: str) -> Any:
    """A module of this package, by its path: the package itself is not to be found here."""
    spec = importlib.util.spec_from_file_location(
        Path(path).stem, Path(__file__).resolve().parent / path
    )
    assert spec is not None, "it ends with .py"
    assert spec.loader is not None, "it is a file"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def moto(port: int) -> Served:
    """The server of moto."""
    main = importlib.import_module("moto.server").main
    return lambda: main(["--host", "127.0.0.1", "--port", str(port)]), lambda skipped: None


SERVICES: dict[str, Callable[[int], Served]] = {"ministack": ministack, "moto": moto}

if __name__ == "__main__":
    main()
