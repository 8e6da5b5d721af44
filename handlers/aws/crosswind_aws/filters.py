"""Bindings of a group, compiled to event patterns of EventBridge.

An event matches one of a group's patterns exactly where `Routes` would give it to the group, and
never two of them, so that each pattern may become a rule of its own that targets the same queue.
Values of extensions are compared with their type, as EventBridge does: true is not 1, nor "1".

Sources: docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
($or, prefix, exists, exact matching), eb-quota.html (2,048 characters a pattern).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from crosswind.buses.filters import wanted
from crosswind.buses.routing import Binding
from crosswind.errors import DeclarationError
from crosswind.handlers import Where

MAX_PATTERN: Final = 2_048
"""Characters of an event pattern, unless the account was granted more."""

MAX_RULES: Final = 300
"""Rules on one bus, unless the account was granted more."""

TARGET_INPUT: Final = "$.detail"
"""The part of what EventBridge matched that a rule's target is sent: the event itself."""

_UNADDRESSED: Final = {"group": [{"exists": False}]}

Value = str | int | bool
Alternative = dict[str, Any]


def patterns(group: str, bindings: Iterable[Binding]) -> tuple[str, ...]:
    """The event patterns of a group, as JSON.

    Args:
        group: gets what its bindings admit, and all that is addressed to it.

    Raises:
        DeclarationError: the filters on one type are longer than a pattern may be.
    """
    wheres = wanted(bindings)
    addressed: Alternative = {"detail": {"specversion": ["1.0"], "group": [group]}}
    whole = [kind for kind, given in wheres.items() if given is None]
    packed: list[list[Alternative]] = [[addressed]]
    for unit in (*_unfiltered(whole), *_filtered(wheres)):
        if _size([*packed[-1], *unit]) > MAX_PATTERN:
            packed.append([])
        packed[-1] += unit
    return tuple(_text(alternatives) for alternatives in packed)


def _unfiltered(kinds: list[str]) -> Iterator[list[Alternative]]:
    """Types that are wanted whatever else the event says, as many in one alternative as fit."""
    part: list[str] = []
    for kind in kinds:
        if part and _size([_alternative([*part, kind], {})]) > MAX_PATTERN // 2:
            yield [_alternative(part, {})]
            part = []
        part.append(kind)
    if part:
        yield [_alternative(part, {})]


def _filtered(wheres: Mapping[str, list[Where] | None]) -> Iterator[list[Alternative]]:
    """For each other type its alternatives, which must stay together: two may match one event."""
    for kind, given in wheres.items():
        if given is None:
            continue
        alternatives = [_alternative([kind], detail) for detail in _merged(given)]
        if _size(alternatives) <= MAX_PATTERN:
            yield alternatives
        elif len(alternatives) == 1:
            yield from _split(alternatives[0])
        else:
            raise DeclarationError(
                f"the filters on {kind} have {_size(alternatives)} characters as an event "
                f"pattern of EventBridge, at most {MAX_PATTERN} are allowed; filter on fewer or "
                "shorter values, or give some of the handlers another group"
            )


def _merged(wheres: Iterable[Where]) -> list[dict[str, Any]]:
    """Conditions on the detail: those that differ in one list of values alone become one."""
    subjects: list[str] = []
    values: dict[tuple[str, str], list[Value]] = {}
    others: list[dict[str, Any]] = []
    for where in wheres:
        extensions = dict(where.extensions)
        if not extensions:
            subjects.append(where.subject)
        elif len(extensions) == 1:
            ((name, value),) = extensions.items()
            values.setdefault((where.subject, name), []).append(value)
        else:
            others.append({**_prefixed([where.subject]), **{n: [v] for n, v in extensions.items()}})
    one: list[dict[str, Any]] = [_prefixed(subjects)] if subjects else []
    one += [{**_prefixed([s]), name: wanted} for (s, name), wanted in values.items()]
    return one + others


def _prefixed(subjects: list[str]) -> dict[str, Any]:
    return {"subject": [{"prefix": subject} for subject in subjects]} if any(subjects) else {}


def _split(alternative: Alternative) -> Iterator[list[Alternative]]:
    """An alternative whose list of values is too long, by parts of it; no event has two values."""
    detail: dict[str, Any] = alternative["detail"]
    name, values = max(detail.items(), key=lambda pair: len(pair[1]))
    if len(values) == 1 or name == "subject":
        raise DeclarationError(
            f"a filter on {alternative['detail-type'][0]} is longer than the {MAX_PATTERN} "
            "characters of an event pattern of EventBridge; use shorter values"
        )
    half = len(values) // 2
    for part in (values[:half], values[half:]):
        shorter = {**alternative, "detail": {**detail, name: part}}
        if _size([shorter]) > MAX_PATTERN:
            yield from _split(shorter)
        else:
            yield [shorter]


def _alternative(kinds: list[str], detail: Mapping[str, Any]) -> Alternative:
    # An event that is addressed goes to its group alone, whatever else it says.
    return {"detail-type": kinds, "detail": {**detail, **_UNADDRESSED}}


def _size(alternatives: list[Alternative]) -> int:
    return len(_text(alternatives).encode())


def _text(alternatives: list[Alternative]) -> str:
    pattern = alternatives[0] if len(alternatives) == 1 else {"$or": alternatives}
    return json.dumps(pattern, ensure_ascii=False, separators=(",", ":"))
