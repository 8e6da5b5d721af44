"""Evidence and decisions, recognised by their shape wherever they stand in a journal.

Whoever writes a reaction of their own need not use the models of the built-in chains: data that
has the fields below is shown in the same way.

    pieces       [{source, kind, weight, because, ...}]                       evidence
    weighing     {total, quorum, reached, ...}, beside the pieces             their sum
    decision     {rule, chosen, because, alternatives: [{name, because}]}     a decision
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

DEPTH = 6
"""How deep data is looked through."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence, and what it counts for.

    Attributes:
        weight: what it counts for.
        full: what it would if it were fresh and stood; None where that is not told.
        age: for how many seconds it had been true when it was weighed; None likewise.
        against: what it takes from the sum, as it says the opposite.
        about: the workload that it is about; empty for the region as a whole.
    """

    source: str
    kind: str
    says: str
    weight: float
    because: str
    vantage: str = ""
    full: float | None = None
    age: float | None = None
    against: float = 0.0
    about: str = ""

    @property
    def counts(self) -> bool:
        """Whether it makes a difference to the sum."""
        return self.weight > 0 or self.against > 0


@dataclass(frozen=True, slots=True)
class Weighing:
    """The sum of some evidence and what it had to come to; see the event that it stands in.

    Attributes:
        about: the workload that it is about; empty for the region as a whole.
        views: independent ones among what counts.
    """

    total: float
    quorum: float
    reached: bool
    against: float = 0.0
    views: int = 0
    views_needed: int = 0
    about: str = ""


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


def weighing(data: Any) -> Weighing | None:
    """The sum that stands beside evidence in some data, if there is one."""
    for node in _objects(data):
        sums = node.get("weighing")
        if isinstance(sums, Mapping) and all(f in sums for f in ("total", "quorum", "reached")):
            return Weighing(
                total=_amount(sums["total"]),
                quorum=_amount(sums["quorum"]),
                reached=sums["reached"] is True,
                against=_amount(sums.get("against")),
                views=int(_amount(sums.get("views"))),
                views_needed=int(_amount(sums.get("views_needed"))),
                about=str(sums.get("about") or ""),
            )
    return None


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
    full, age = stored.get("full"), stored.get("age")
    return Piece(
        source=str(stored.get("source", "")),
        kind=str(stored["kind"]),
        says=str(stored.get("says", "")),
        weight=_amount(stored["weight"]),
        because=str(stored["because"]),
        vantage=str(stored.get("vantage") or ""),
        full=None if full is None else _amount(full),
        age=None if age is None else _amount(age),
        against=_amount(stored.get("against")),
        about=str(stored.get("workload") or ""),
    )


def _amount(stored: Any) -> float:
    return float(stored) if isinstance(stored, int | float) and isfinite(stored) else 0.0


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
