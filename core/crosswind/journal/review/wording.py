"""Times, durations and names as a review writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_PREFIX: Final = "dev.crosswind."
_LONG: Final = 400
_UNITS: Final = (
    (1, "s", 60, "min", 60),
    (60, "min", 60, "h", 24),
    (3_600, "h", 24, "d", float("inf")),
)
"""Seconds of a small unit, its name, how many make a large one, and up to how many of those."""


def lasting(seconds: float) -> str:
    """A duration in one unit or two: `350 ms`, `4.2 s`, `1 min 12 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 0:
        return f"-{lasting(-seconds)}"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    # Rounded to the small unit first, so that 59.9 of them are one of the large.
    for size, small, inner, large, most in _UNITS:
        many, rest = divmod(round(seconds / size), inner)
        if not many:
            return f"{rest} {small}"
        if many < most:
            return f"{many} {large}" + (f" {rest} {small}" if rest else "")
    raise AssertionError("the last unit has no end")


def stamp(at: float) -> str:
    """A time as RFC 3339, UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def after(at: float, first: float) -> str:
    """A time as that of the day, and how long after the first one it was.

    Seconds are the least that is told: what happened within one stands in its order anyway.
    """
    day = datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")
    rest = at - first
    return f"{day} (+{lasting(rest) if rest >= 1 else '0 s'})"


def plain(type: str) -> str:
    """An event type without what all of them share: `failover.planned`."""
    if not type.startswith(_PREFIX):
        return type
    name, _, version = type.removeprefix(_PREFIX).rpartition(".")
    return name if name and version[:1] == "v" else type.removeprefix(_PREFIX)


def listed(names: list[str], most: int = 5) -> str:
    """Names one after the other, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def percent(share: float) -> str:
    """A share in whole percent."""
    return f"{share:.0%}"


def short(text: str) -> str:
    """A text that fits in a line, cut where it is too long."""
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"
