"""The receiving side of an embedded bus, as the embedded worker uses it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from crosswind.errors import InvalidRequest
from crosswind.ports import Bus, Delivery

if TYPE_CHECKING:
    from crosswind.buses.routing import Binding

MIN_VISIBILITY: Final = 0.001
"""Seconds; far less would be lost in the rounding of a time since the epoch."""


class Received(NamedTuple):
    """A message under lease: until that lapses, nobody else receives it.

    `receipt` tells this lease from a later one; it means nothing to the receiver.
    """

    delivery: Delivery
    receipt: tuple[int, str]


class Consumer(Bus, Protocol):
    """A bus from which a worker can receive.

    A message goes to each group once and waits there until it is due. Whoever receives it has it
    alone for the time of its visibility; not acknowledged by then, it is received again. What was
    received as often as the bus allows, `MAX_RECEIPTS` times unless it was told another number,
    becomes a dead letter when it would be received once more. While it waits or is being worked
    on, another message of its id is a duplicate and dropped.
    """

    def bind(self, group: str, bindings: Iterable[Binding]) -> None:
        """Let a group have the events that one of these bindings admits, and no others.

        Bindings hold for events published from now on, by any process, until the group is bound
        anew.
        """
        ...

    def receive(self, group: str, limit: int = 10, visibility: float = 120.0) -> list[Received]:
        """Messages that are due, earliest first, at once and perhaps none.

        Args:
            limit: how many at most.
            visibility: seconds until what is not acknowledged is received again.

        Raises:
            InvalidRequest: a limit below 1 or a visibility that is no time ahead.
        """
        ...

    def receive_dead(
        self, group: str, limit: int = 10, visibility: float = 120.0
    ) -> list[Received]:
        """Dead letters, as `receive` gives messages; they never die again."""
        ...

    def ack(self, *received: Received) -> None:
        """Remove what has been worked; where the lease is another's by now, do nothing."""
        ...

    def hand_back(self, received: Received, after: float = 0.0) -> None:
        """Let a message be received again in `after` seconds, or do nothing as `ack` does."""
        ...

    def dead_letters(self, group: str, limit: int = 100) -> list[Delivery]:
        """Look at dead letters, in the order in which they are due, without receiving them."""
        ...

    def depth(self, group: str) -> int:
        """How many messages wait or are being worked on, dead letters apart."""
        ...

    def next_due(self, group: str) -> float | None:
        """When the next message may be received, seconds since the epoch; None if none waits."""
        ...


def check_receive(limit: int, visibility: float) -> None:
    """Check the arguments of `receive`.

    Raises:
        InvalidRequest: lists every fault.
    """
    faults: list[str] = []
    if limit < 1:
        faults.append(f"limit {limit} is not allowed; ask for at least 1")
    if not MIN_VISIBILITY <= visibility < math.inf:
        faults.append(f"visibility {visibility} is not allowed; give {MIN_VISIBILITY} s or more")
    if faults:
        raise InvalidRequest(faults)
