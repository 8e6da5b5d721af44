"""A fixture with something changed in it."""

from __future__ import annotations

from typing import Any

from unit.signals.expectations import value

DROP = object()
"""Instead of a value: take the field out."""


def changed(cloud: str, name: str, **changes: object) -> Any:
    """A decoded fixture with fields replaced; `a__b__0` is the path a, b, first."""
    body = value(cloud, name)
    for path, new in changes.items():
        *way, last = (int(step) if step.isdigit() else step for step in path.split("__"))
        inside = body
        for step in way:
            inside = inside[step]
        if new is DROP:
            del inside[last]
        else:
            inside[last] = new
    return body
