"""Entities of one test among those of others: their names begin alike, and they go together."""

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from crosswind_local.servicebus.rules.rule import Rule
from crosswind_local.servicebus.settings import (
    QueueSettings,
    SubscriptionSettings,
    TopicSettings,
)

if TYPE_CHECKING:
    from crosswind_local.servicebus.emulator import ServiceBusEmulator


class Space:
    """Makes queues and topics, and removes them at its end."""

    def __init__(self, emulator: "ServiceBusEmulator", prefix: str) -> None:
        """`prefix` and a dot are what all names begin with."""
        self._emulator = emulator
        self._prefix = prefix
        self._made: list[str] = []

    @property
    def connection_string(self) -> str:
        """What the SDK is given."""
        return self._emulator.connection_string

    def queue(self, name: str = "queue", settings: QueueSettings | None = None) -> str:
        """Make a queue; returns its whole name.

        Raises:
            Refused: the name is not valid, or there is one already.
        """
        whole = f"{self._prefix}.{name}"
        self._emulator.add_queue(whole, settings)
        self._made.append(whole)
        return whole

    def topic(self, name: str = "topic", settings: TopicSettings | None = None) -> str:
        """Make a topic; returns its whole name.

        Raises:
            Refused: the name is not valid, or there is one already.
        """
        whole = f"{self._prefix}.{name}"
        self._emulator.add_topic(whole, settings)
        self._made.append(whole)
        return whole

    def subscription(
        self,
        topic: str,
        name: str = "subscription",
        settings: SubscriptionSettings | None = None,
        rules: Iterable[Rule] = (),
    ) -> str:
        """Make a subscription of a topic, given by its whole name; returns the name.

        Raises:
            Refused: the name is not valid, or there is one already.
        """
        self._emulator.add_subscription(topic, name, settings, rules)
        return name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in self._made:
            self._emulator.remove(name)
