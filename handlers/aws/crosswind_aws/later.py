"""A delayed event that a queue cannot hold long enough: wrapped with the time at which it is due.

Whoever receives the wrapper before that time puts it back with the delay that is left; the engine
is handed the event alone, and not before it is due.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pydantic_core import to_json

QUEUE: Final = 900
"""Seconds for which SQS delays a message: docs.aws.amazon.com/AWSSimpleQueueService/latest/
APIReference/API_SendMessage.html."""

_MARK: Final = "crosswind"
_KIND: Final = "later"


class Later(NamedTuple):
    """An event and when it is due, seconds since the epoch."""

    due: float
    event: bytes


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
