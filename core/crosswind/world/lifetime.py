"""How long a process of the world lives: until told to stop, orphaned, or out of time."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

PARENT_CHECK_SECONDS: Final = 0.2
MAX_SECONDS: Final = 86_400.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that every process of the world takes."""
    parser.add_argument(
        "--max-seconds",
        type=number(0.1, MAX_SECONDS),
        default=3600.0,
        help="end by itself after this long (default: %(default)s)",
    )
    parser.add_argument(
        "--parent", type=int, metavar="PID", help="end when this parent process has died"
    )
    parser.add_argument(
        "--announce", type=Path, metavar="FILE", help="write {port, pid} here when ready"
    )


def number(low: float, high: float) -> Callable[[str], float]:
    """An argparse type: a number from `low` to `high`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:g} to {high:g}")
        return value

    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    """An argparse type: a whole number from `low` to `high`."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 16 and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return parse


def announce(path: Path | None, port: int | None) -> None:
    """Tell the parent that this process is ready; the file appears complete or not at all."""
    if path is None:
        print(json.dumps({"port": port, "pid": os.getpid()}), flush=True)
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps({"port": port, "pid": os.getpid()}), encoding="utf-8")
    draft.replace(path)


class Lifetime:
    """Catches signals from its creation on, inside a running event loop.

    The parent is watched by number, not by a pipe: a pipe may have been inherited by others, who
    would keep it open.

    Args:
        parent: end when this process is no longer the parent.
        max_seconds: end after this long.
    """

    def __init__(self, parent: int | None, max_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._parent = parent
        self._told: asyncio.Future[str] = self._loop.create_future()
        for caught in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(caught, self._tell, caught.name)
        self._loop.call_later(max_seconds, self._tell, f"{max_seconds:g} seconds are over")
        if parent is not None:
            self._check_parent()

    async def over(self) -> str:
        """Wait until this process has to end; returns why."""
        return await asyncio.shield(self._told)

    def _tell(self, reason: str) -> None:
        if not self._told.done():
            self._told.set_result(reason)

    def _check_parent(self) -> None:
        if os.getppid() != self._parent:
            self._tell("the parent process has died")
        else:
            self._loop.call_later(PARENT_CHECK_SECONDS, self._check_parent)
