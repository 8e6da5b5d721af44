"""Turns of the protocol that leave a handler from inside of its context.

They are no errors, and derive from `BaseException` so that no `except Exception` of a handler can
catch one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crosswind.ports import Item
    from crosswind.records.record import Outgoing


class Turn(BaseException):
    """Root of the turns."""


class Suspend(Turn):
    """The run waits: for an action under way, a person, a freeze, a queue.

    Args:
        until: seconds since the epoch.
        why: for people.
        out: events that go out with the suspension.
    """

    def __init__(self, until: float, why: str, out: list[Outgoing]) -> None:
        super().__init__(why)
        self.until, self.why, self.out = until, why, out


class Drop(Turn):
    """The run is not to be: its chain closed, or its timer was cancelled."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class RunAgain(Turn):
    """Run the handler again from what the record still holds."""


class AdmitAgain(Turn):
    """The conditions under which a first event was admitted no longer hold."""


class Overtaken(Turn):
    """Another has written this run; `item` is what stands there now."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("another has written this run")
        self.item = item
