"""Crosswind: event-driven reactions for AI deployments on several clouds.

    app = App("ops")

    @app.on(acts=[ScaleEndpoint])
    def make_room(event: Event[FailoverPlanned], ctx: Context) -> CapacityReady: ...

A name is imported when it is first used: a function on a cloud pays for what it uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crosswind.actions import Action, Answer, Pending, Query
    from crosswind.app import App, Schedule
    from crosswind.context import Context, Joined, Lock
    from crosswind.emissions import Branch, Later, Start, branch, later, start
    from crosswind.errors import CrosswindError
    from crosswind.handlers import Flight, Handler, Where
    from crosswind_events import Event, EventData

_HOME = {
    "crosswind_events": ("Event", "EventData"),
    "crosswind.app": ("App", "Schedule"),
    "crosswind.context": ("Context", "Joined", "Lock"),
    "crosswind.handlers": ("Flight", "Handler", "Where"),
    "crosswind.emissions": ("Branch", "Later", "Start", "branch", "later", "start"),
    "crosswind.actions": ("Action", "Answer", "Pending", "Query"),
    "crosswind.errors": ("CrosswindError",),
}

__all__ = [  # grouped by what a reader looks for
    # events
    "Event",
    "EventData",
    # reactions
    "App",
    "Context",
    "Flight",
    "Handler",
    "Schedule",
    "Where",
    # what a reaction may yield
    "Branch",
    "Later",
    "Start",
    "branch",
    "later",
    "start",
    # what it may do and see
    "Action",
    "Answer",
    "Joined",
    "Lock",
    "Pending",
    "Query",
    # what may go wrong
    "CrosswindError",
]


def __getattr__(name: str) -> Any:
    """Import a public name from where it lives (PEP 562)."""
    from importlib import import_module

    for module, names in _HOME.items():
        if name in names:
            value = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
