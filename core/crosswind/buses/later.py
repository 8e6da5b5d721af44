"""A delayed event that a bus cannot hold long enough: wrapped with the time at which it is due.

Whoever receives the wrapper before that time puts it back with the delay that is left; the engine
is handed the event alone, and not before it is due.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol

from pydantic_core import to_json

from crosswind.ports import Bus

_MARK: Final = "crosswind"
_KIND: Final = "later"


class Later(NamedTuple):
    """An event and when it is due, seconds since the epoch."""

    due: float
    event: bytes


class Leg(NamedTuple):
    """What a bus is to hold now, and for how many seconds: a part of the way or all of it."""

    body: bytes
    seconds: int


class DelayingBus(Bus, Protocol):
    """A bus that can also send to one group at a later time."""

    def send_later(self, group: str, name: str, event: bytes, due: float) -> str | None:
        """Have one group receive an event when it is due, or, wrapped, some time before.

        Args:
            name: the native message id, the same whenever the same event is sent.
            due: seconds since the epoch; a past time means now.

        Returns:
            Why it was not accepted; None where it was.
        """
        ...


def wrap(event: bytes, due: float) -> bytes:
    """An event that is due later, for a queue."""
    return b'{"%b":"%b","due":%b,"event":%b}' % (
        _MARK.encode(),
        _KIND.encode(),
        repr(float(due)).encode(),
        event,
    )


def unwrap(content: Mapping[str, Any]) -> Later | None:
    """The event in a wrapper; None where this is none."""
    due, event = content.get("due"), content.get("event")
    if content.get(_MARK) != _KIND or not isinstance(due, int | float) or isinstance(due, bool):
        return None
    if not math.isfinite(due) or not isinstance(event, Mapping):
        return None
    return Later(float(due), to_json(event))


def delay(due: float, now: float) -> int:
    """Whole seconds from now until an event is due, rounded up: it is never early."""
    return max(0, math.ceil(due - now))


def leg(event: bytes, due: float, now: float, longest: int) -> Leg:
    """The next part of the way of a delayed event.

    Args:
        longest: seconds for which the bus can hold a message.
    """
    seconds = delay(due, now)
    if seconds <= longest:
        return Leg(event, seconds)
    return Leg(wrap(event, due), longest)
