"""What became of the events that runs have sent out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from crosswind.journal.chain import Chain, Emitted
from crosswind.records.identity import safe
from crosswind_events import InvalidEvent
from crosswind_events.catalogue.chain import ChainDeadline

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.handlers import Handler

Fate = Literal["worked", "waiting", "timer", "void", "untaken", "elsewhere"]
"""
worked      a run stands for it
waiting     it is on the bus and due
timer       it becomes due later
void        a timer whose scope was cancelled or whose chain has ended
untaken     no handler of the app takes it
elsewhere   it is the first event of another chain
"""


class Deliveries:
    """Tells the fate of the events of one chain.

    Args:
        app: whose handlers take the events.
        now: seconds since the epoch.
    """

    def __init__(self, chain: Chain, app: App, now: float) -> None:
        self.chain = chain
        self.app = app
        self.now = now
        self._worked = {(run.event["source"], run.event["id"]) for run in chain.runs}

    def fate(self, emitted: Emitted) -> Fate:
        """What became of one event."""
        event = emitted.event
        if (event["source"], event["id"]) in self._worked:
            return "worked"
        if "hop" not in event:
            return "elsewhere"
        deadline = event["type"] == ChainDeadline.event_type
        if not deadline and not takers(self.app, emitted.out.body):
            return "untaken"
        head = self.chain.head
        ended = head is not None and not head.open
        if deadline or "timer" in event:
            scope = event.get("scope")
            if ended or (scope is not None and safe(str(scope)) in self.chain.cancelled):
                return "void"
        return "timer" if emitted.due is not None and emitted.due > self.now else "waiting"

    def outstanding(self) -> list[Emitted]:
        """The events that some run of this chain has yet to work, without the deadline's."""
        return [
            emitted
            for run in self.chain.runs
            for emitted in run.emitted()
            if emitted.event["type"] != ChainDeadline.event_type
            and self.fate(emitted) in ("waiting", "timer")
        ]


def takers(app: App, body: bytes) -> Sequence[Handler]:
    """The handlers of an app that take an event, given as structured JSON."""
    try:
        event: Any = app.codec.decode(body)
    except InvalidEvent:
        return ()
    return [handler for handler in app.by_type.get(event.type, ()) if handler.matches(event)]
