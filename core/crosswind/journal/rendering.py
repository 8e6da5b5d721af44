"""JSON values as lines of text that a person can read and a diff can compare."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_WIDTH = 100
_INDENT = "  "


def lines(value: Any, indent: str = "") -> Iterator[str]:
    """A JSON value as `name: value` lines, in the order of its names; bounded in width only."""
    if isinstance(value, Mapping):
        for name in sorted(value):
            yield from _named(str(name), value[name], indent)
    elif isinstance(value, list):
        for one in value:
            yield from _named("-", one, indent)
    else:
        yield indent + scalar(value)


def scalar(value: Any) -> str:
    """A JSON value on one line."""
    if isinstance(value, str):
        return value if value.isprintable() and value.strip() == value else json.dumps(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def brief(value: Any, width: int = _WIDTH) -> str:
    """A JSON value on one line, without what is null or empty, cut to a width."""
    text = ", ".join(_pairs(value)) if isinstance(value, Mapping) else _inner(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def _pairs(value: Mapping[str, Any]) -> Iterator[str]:
    for name, inner in value.items():
        if inner is not None and inner not in ("", [], {}):
            yield f"{name} {_inner(inner)}"


def _inner(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(_pairs(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inner, value)) + "]"
    return scalar(value)


def _named(name: str, value: Any, indent: str) -> Iterator[str]:
    lead = name if name == "-" else f"{name}:"
    if isinstance(value, Mapping | list) and value:
        if name == "-":
            # The first line of what is listed stands beside its dash.
            first, *rest = lines(value, "")
            yield f"{indent}- {first}"
            yield from (f"{indent}{_INDENT}{line}" for line in rest)
            return
        short = scalar(value)
        if len(indent) + len(lead) + len(short) < _WIDTH and not _nested(value):
            yield f"{indent}{lead} {short}"
            return
        yield indent + lead
        yield from lines(value, indent + _INDENT)
    else:
        yield f"{indent}{lead} {scalar(value)}"


def _nested(value: Mapping[str, Any] | list[Any]) -> bool:
    inner = value.values() if isinstance(value, Mapping) else value
    return any(isinstance(one, Mapping | list) for one in inner)
