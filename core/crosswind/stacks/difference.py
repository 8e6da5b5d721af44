"""Where two documents of JSON differ: the members, each with what stood there and what will."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

ABSENT: Final = object()
"""What stands where there is nothing; None is a value of JSON."""


class Difference(NamedTuple):
    """One member that differs.

    Attributes:
        path: such as `Environment.Variables.CROSSWIND_GROUP` or `Targets[0].Arn`.
        before, after: `ABSENT` where it is added or removed.
    """

    path: str
    before: Any
    after: Any


def differences(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """Every member that differs, in the order of the documents.

    Lists of one length are compared by position; others differ as a whole, as nobody knows which
    of their items moved.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        for name in {**before, **after}:
            inner = f"{path}.{name}" if path else str(name)
            yield from differences(before.get(name, ABSENT), after.get(name, ABSENT), inner)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for n, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{path}[{n}]")
    # Compared with their types: in JSON, true is not 1.
    elif type(before) is not type(after) or before != after:
        yield Difference(path, before, after)
