"""Evidence and decisions, recognised by their shape wherever they stand in a journal.

Whoever writes a reaction of their own need not use the models of the built-in chains: data that
has the fields below is shown in the same way.

    pieces       [{source, kind, weight, because, ...}]                       evidence
    decision     {rule, chosen, because, alternatives: [{name, because}]}     a decision
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DEPTH = 6
"""How deep data is looked through."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence, and what it counts for."""

    source: str
    kind: str
    says: str
    weight: float
    because: str
    vantage: str = ""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way that was weighed; `breaks` names the rules that it breaks."""

    name: str
    chosen: bool
    because: str
    breaks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was weighed, and the rule that chose."""

    rule: str
    chosen: str | None
    because: str
    alternatives: tuple[Alternative, ...]


def evidence(data: Any) -> tuple[Piece, ...]:
    """All pieces of evidence in some data."""
    found: list[Piece] = []
    for node in _objects(data):
        pieces = _all_with(node.get("pieces"), ("kind", "weight", "because"))
        found += [_piece(piece) for piece in pieces]
    return tuple(found)


def decisions(data: Any) -> tuple[Decision, ...]:
    """All decisions in some data."""
    return tuple(
        _decision(node, alternatives)
        for node in _objects(data)
        if "chosen" in node
        and (alternatives := _all_with(node.get("alternatives"), ("name", "because")))
    )


def because(data: Any) -> str:
    """The reason that some data gives at its top, if it gives one."""
    if not isinstance(data, Mapping):
        return ""
    reason = data.get("because") or data.get("reason") or data.get("cause") or ""
    if isinstance(reason, str):
        return reason
    return "; ".join(map(str, reason)) if isinstance(reason, Sequence) else str(reason)


def _objects(data: Any, depth: int = DEPTH) -> Iterator[Mapping[str, Any]]:
    if depth == 0:
        return
    if isinstance(data, Mapping):
        yield data
        for value in data.values():
            yield from _objects(value, depth - 1)
    elif isinstance(data, list):
        for value in data:
            yield from _objects(value, depth - 1)


def _all_with(value: Any, fields: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """A list of objects that all have these fields; empty where it is anything else."""
    if not isinstance(value, list):
        return []
    objects = [one for one in value if isinstance(one, Mapping) and all(f in one for f in fields)]
    return objects if len(objects) == len(value) else []


def _piece(stored: Mapping[str, Any]) -> Piece:
    weight = stored["weight"]
    return Piece(
        source=str(stored.get("source", "")),
        kind=str(stored["kind"]),
        says=str(stored.get("says", "")),
        weight=float(weight) if isinstance(weight, int | float) else 0.0,
        because=str(stored["because"]),
        vantage=str(stored.get("vantage") or ""),
    )


def _decision(stored: Mapping[str, Any], alternatives: list[Mapping[str, Any]]) -> Decision:
    chosen = stored["chosen"]
    return Decision(
        rule=str(stored.get("rule", "")),
        chosen=None if chosen is None else str(chosen),
        because=str(stored.get("because", "")),
        alternatives=tuple(
            Alternative(
                name=str(one["name"]),
                chosen=one["name"] == chosen,
                because=str(one["because"]),
                breaks=tuple(map(str, one.get("breaks") or ())),
            )
            for one in alternatives
        ),
    )
