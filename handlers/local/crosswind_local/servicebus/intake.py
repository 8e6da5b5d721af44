"""How messages come into a queue or topic: checked all together, once each, now or later."""

from collections.abc import Callable, Sequence
from typing import Protocol

from crosswind_local.errors import ServiceError
from crosswind_local.memory import Memory
from crosswind_local.servicebus.conditions import argument, entity_full, quota
from crosswind_local.servicebus.duplicates import Duplicates
from crosswind_local.servicebus.messages import Message


class Ahead(Protocol):
    """What keeps scheduled messages."""

    def schedule(self, message: Message, due: float, now: float) -> int: ...

    def cancel(self, numbers: Sequence[int]) -> None: ...


class Intake:
    """The way in of one entity."""

    def __init__(
        self,
        path: str,
        *,
        max_bytes: int,
        duplicate_window: float | None,
        memory: Memory,
        ahead: Ahead,
        arrive: Callable[[Message], None],
    ) -> None:
        """`arrive` takes a message that is active; `ahead` keeps one that is not yet."""
        self._path = path
        self._max_bytes = max_bytes
        self._duplicates = Duplicates(duplicate_window)
        self._memory = memory
        self._ahead = ahead
        self._arrive = arrive

    def check(self, messages: Sequence[Message], *, held: int, copies: int = 1) -> None:
        """See that there is room for messages in an entity that holds so many bytes.

        Raises:
            Refused: there is not.
        """
        size = sum(message.size for message in messages)
        if held + size > self._max_bytes:
            raise entity_full(self._path, held + size, self._max_bytes)
        try:
            self._memory.require(sum(message.cost for message in messages) * copies)
        except ServiceError as error:
            raise quota(error.message) from error

    def send(self, messages: Sequence[Message], now: float) -> None:
        """Take in messages that were checked; those that say so are scheduled."""
        for message in messages:
            if not self._duplicates.is_new(message.message_id, now):
                continue
            if message.scheduled is not None and message.scheduled > now:
                self._ahead.schedule(message, message.scheduled, now)
            else:
                self._arrive(message)

    def schedule(self, messages: Sequence[Message], now: float) -> list[int]:
        """Schedule messages that were checked, each for the time that it says.

        A duplicate is not kept; its number is one that cannot be cancelled. A message whose time
        has come already is active at once.

        Raises:
            Refused: one says no time.
        """
        for message in messages:
            if message.scheduled is None:
                raise argument("A message to be scheduled lacks x-opt-scheduled-enqueue-time.")
        return [
            self._ahead.schedule(message, message.scheduled or now, now)
            if self._duplicates.is_new(message.message_id, now)
            else 0
            for message in messages
        ]

    def cancel(self, numbers: Sequence[int]) -> None:
        """Remove scheduled messages, all of them or none.

        Raises:
            Refused: one is not scheduled any longer.
        """
        self._ahead.cancel(numbers)
