"""Durations as people write them."""

from __future__ import annotations

import re
from typing import Any

import click

_UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_FORM = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)([smhd]?)")


class Duration(click.ParamType[float]):
    """Seconds, or a number with a unit: `90s`, `15m`, `2h`, `1d`."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """To seconds."""
        if isinstance(value, int | float):
            return float(value)
        found = _FORM.fullmatch(str(value).strip())
        if found is None:
            self.fail(f"{value!r} is not a duration; write 90s, 15m, 2h or 1d", param, ctx)
        return float(found[1]) * _UNITS[found[2] or "s"]


DURATION = Duration()


def spoken(seconds: float) -> str:
    """A duration for people, in one unit or two: `300 ms`, `12 s`, `3 min`, `2 h 5 min`, `4 d`."""
    if seconds < 0:
        return f"-{spoken(-seconds)}"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7_200:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        hours, minutes = divmod(round(seconds / 60), 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{seconds / 86_400:.0f} d"
