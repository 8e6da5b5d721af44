"""Event types by the names that people type."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from crosswind.cli.faults import Failure
from crosswind.graph.model import short

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind_events import EventData


def find_type(app: App, name: str) -> type[EventData]:
    """The event type of this full or short name.

    Raises:
        Failure: there is none; names those that are alike.
    """
    known = {data.event_type: data for data in app.codec.types}
    ways = (lambda data: data.event_type, lambda data: short(data.event_type), _class_name)
    for way in ways:
        found = [data for data in known.values() if way(data) == name]
        if len(found) > 1:
            listed = ", ".join(data.event_type for data in found)
            raise Failure(f"{name} may mean {listed}; give the full name")
        if found:
            return found[0]
    names = {short(given): given for given in known}
    alike = get_close_matches(short(name), names, n=3, cutoff=0.5)
    meant = f"; did you mean {' or '.join(alike)}" if alike else ""
    raise Failure(f"there is no event type {name}{meant}. List them with: crosswind events list")


def _class_name(data: type[EventData]) -> str:
    return data.__name__
