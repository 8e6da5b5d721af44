"""A line: a bus with an end to publish at and an end to receive from, as the bus contract needs."""

from __future__ import annotations

from typing import Protocol

from crosswind.buses.routing import Binding
from crosswind.embedded.consumer import Consumer, Received
from crosswind.ports import Bus


class Clock:
    """Seconds since the epoch that pass when told to."""

    def __init__(self, now: float = 1_700_000_000.25) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Line(Protocol):
    """What a bus under test supplies.

    Attributes:
        bus: the bus.
        visibility: seconds until a message that was not acknowledged is received again.
        max_receipts: how often a message is received before it is a dead letter.
    """

    bus: Bus
    visibility: float
    max_receipts: int

    def bind(self, group: str, *bindings: Binding) -> None:
        """Let a group have what one of the bindings admits, and nothing else."""
        ...

    def receive(self, group: str, count: int = 1) -> list[Received]:
        """Wait for `count` messages as long as the bus may reasonably take; fewer means no more."""
        ...

    def receive_dead(self, group: str, count: int = 1) -> list[Received]:
        """Wait for dead letters as `receive` does for messages."""
        ...

    def ack(self, *received: Received) -> None:
        """Acknowledge."""
        ...

    def hand_back(self, received: Received, after: float) -> None:
        """Let it be received again in so many seconds."""
        ...

    def now(self) -> float:
        """Seconds since the epoch as the bus counts them."""
        ...

    def let_pass(self, seconds: float) -> None:
        """Let time pass for the bus."""
        ...


class EmbeddedLine:
    """An embedded bus, whose time is at our command and which keeps nobody waiting."""

    def __init__(self, bus: Consumer, clock: Clock, max_receipts: int) -> None:
        self.bus: Bus = bus
        self.consumer = bus
        self.clock = clock
        self.visibility = 30.0
        self.max_receipts = max_receipts

    def bind(self, group: str, *bindings: Binding) -> None:
        self.consumer.bind(group, bindings)

    def receive(self, group: str, count: int = 1) -> list[Received]:
        return self.consumer.receive(group, count, self.visibility)

    def receive_dead(self, group: str, count: int = 1) -> list[Received]:
        return self.consumer.receive_dead(group, count, self.visibility)

    def ack(self, *received: Received) -> None:
        self.consumer.ack(*received)

    def hand_back(self, received: Received, after: float) -> None:
        self.consumer.hand_back(received, after)

    def now(self) -> float:
        return self.clock.now

    def let_pass(self, seconds: float) -> None:
        self.clock.now += seconds
