"""What is different between two declarations, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from crosswind.fleet.explanations import written

if TYPE_CHECKING:
    from crosswind.fleet.consistency import Path
    from crosswind.fleet.declaration import Fleet

MOST: Final = 20
"""Changes that are told one by one; more are counted."""

_LONGEST: Final = 80


def changes(before: Fleet | None, after: Fleet, most: int = MOST) -> tuple[str, ...]:
    """Every difference, each in a line: `workloads.chat.rate: 900 -> 1200`.

    Args:
        before: None where nothing was declared before.
        most: lines at the most, of which the last then counts what is left.
    """
    if before is None:
        counted = f"{len(after.regions)} region(s) and {len(after.workloads)} workload(s)"
        return (f"first declaration: {counted}",)
    # Stretched by names, so that a workload that is added is one line and not twenty.
    found = list(_between((), before.model_dump(mode="json"), after.model_dump(mode="json")))
    if len(found) > most:
        rest = len(found) - (most - 1)
        found = [*found[: most - 1], f"and {rest} more"]
    return tuple(found)


def _between(path: Path, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in {**old, **new}:
            here = (*path, name)
            if name not in old:
                yield f"{written(here)}: added{_whole(new[name])}"
            elif name not in new:
                yield f"{written(here)}: removed"
            else:
                yield from _between(here, old[name], new[name])
        return
    yield f"{written(path)}: {_short(old)} -> {_short(new)}"


def _whole(value: Any) -> str:
    return "" if isinstance(value, Mapping | list) else f" ({_short(value)})"


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        return f"{len(value)} entr{'y' if len(value) == 1 else 'ies'}"
    if isinstance(value, list):
        text = ", ".join(map(str, value)) or "nothing"
    else:
        text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
