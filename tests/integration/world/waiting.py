"""Waiting for what other processes do, bounded in time."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    """Return as soon as something is true.

    Raises:
        AssertionError: it did not become true in time.
    """
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds:g} s"
        time.sleep(0.01)
