"""What a handler may yield beside plain event data.

    yield CapacityReady(...)                                  # the next event of this chain
    yield later(CheckAgain(...), delay=30, scope="confirm")   # a timer
    yield branch(CapacityRequested(...), join="room", member="aws/us-east-1")
    yield start(RegionUnhealthy(...))                         # the first event of another chain

The classes stand in return annotations (`Iterator[CapacityReady | Later[CheckAgain]]`), so that
the chain graph tells a timer from a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from crosswind_events import EventData

D = TypeVar("D", bound=EventData)


@dataclass(frozen=True, slots=True)
class Later(Generic[D]):
    """An event that becomes due after a delay; see `later`."""

    data: D
    delay: float
    scope: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Branch(Generic[D]):
    """An event that opens one branch of a fan-out; see `branch`."""

    data: D
    join: str
    member: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Start(Generic[D]):
    """The first event of a chain of its own; see `start`."""

    data: D
    subject: str | None = None
    observer: str | None = None


def later(
    data: D, delay: float, *, scope: str | None = None, subject: str | None = None
) -> Later[D]:
    """A timer: the event arrives `delay` seconds from now.

    Args:
        delay: seconds; zero or less means now.
        scope: a name under which it can be cancelled with `ctx.cancel(scope)`; without one it is
            dropped only when the chain has closed.
        subject: the event's subject; that of the handled event unless given.
    """
    return Later(data, delay, scope, subject)


def branch(data: D, *, join: str, member: str, subject: str | None = None) -> Branch[D]:
    """One branch of a fan-out, to be counted as `member` by `ctx.join(join, member, ...)`.

    All that descends from it up to that join belongs to the branch: if it ends in a dead letter,
    the member counts as failed and the chain goes on.
    """
    return Branch(data, join, member, subject)


def start(data: D, *, subject: str | None = None, observer: str | None = None) -> Start[D]:
    """The first event of a chain of its own, such as what a scheduled probe has found.

    Args:
        observer: who says it, as the last part of the event's source (`//crosswind/APP/OBSERVER`).
            What one source says takes back what it said before; name independent observers apart.
    """
    return Start(data, subject, observer)
