"""What a group wants of each type of event, for adapters that compile it to their bus's filters.

An event that is addressed goes to its group alone, whatever else it says, and is no matter of
these: only what is not addressed is compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from crosswind.buses.routing import Binding
from crosswind.handlers import Where

_NO_EXTENSIONS: Final = {
    "data",
    "datacontenttype",
    "dataschema",
    "group",
    "id",
    "source",
    "specversion",
    "subject",
    "time",
    "type",
}
"""Members of a structured event that are none of its extensions, and the address."""


def wanted(bindings: Iterable[Binding]) -> dict[str, list[Where] | None]:
    """By type, the filters of which an event must pass one; None where every event is wanted.

    Those that no event can pass are left out, so that a list may be empty, and equal ones occur
    once.
    """
    given: dict[str, dict[str, Binding]] = {}
    for binding in bindings:
        given.setdefault(binding.type, {})[binding.filter()] = binding
    return {kind: _filters(distinct.values()) for kind, distinct in given.items()}


def _filters(bindings: Iterable[Binding]) -> list[Where] | None:
    filters: list[Where] = []
    for _, where in bindings:
        if where is None or where == Where():
            return None
        if not _admits_nothing(where):
            filters.append(where)
    return filters


def _admits_nothing(where: Where) -> bool:
    """Whether no event that is not addressed can pass: what it names is no extension of one."""
    named: dict[str, str] = {}
    for name, value in where.extensions:
        # Compared as JSON, where true and 1 differ.
        if name in _NO_EXTENSIONS or named.setdefault(name, json.dumps(value)) != json.dumps(value):
            return True
    return False
