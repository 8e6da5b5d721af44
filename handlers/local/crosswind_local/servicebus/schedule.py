"""Messages that a topic, or a queue that forwards, will take in later.

"Message sequencing and timestamps", section "Scheduled messages",
https://learn.microsoft.com/azure/service-bus-messaging/message-sequencing. They are not browsed,
and their numbers say nothing but what to cancel.
"""

import itertools
from collections.abc import Callable, Sequence

from crosswind_local.agenda import Agenda
from crosswind_local.memory import Memory
from crosswind_local.servicebus.conditions import message_not_found
from crosswind_local.servicebus.messages import Message


class Schedule:
    """Scheduled messages by number, until they are due."""

    def __init__(self, memory: Memory, arrive: Callable[[Message], None]) -> None:
        """`arrive` is given each message when it is due."""
        self.size = 0
        self._memory = memory
        self._arrive = arrive
        self._numbers = itertools.count(1)
        self._messages: dict[int, Message] = {}
        self._dues: Agenda[int] = Agenda(lambda at, number: number in self._messages)

    def __len__(self) -> int:
        return len(self._messages)

    def schedule(self, message: Message, due: float, now: float) -> int:
        """Keep a message until it is due; returns its number."""
        number = next(self._numbers)
        self._messages[number] = message
        self._memory.used += message.cost
        self.size += message.size
        self._dues.add(due, number)
        return number

    def cancel(self, numbers: Sequence[int]) -> None:
        """Remove messages, all of them or none.

        Raises:
            Refused: one is not scheduled any longer.
        """
        for number in numbers:
            if number not in self._messages:
                raise message_not_found(number)
        for number in dict.fromkeys(numbers):
            self._take(number)
            self._dues.forget()

    def run(self, now: float) -> None:
        """Hand over what is due."""
        for number in self._dues.due(now):
            self._arrive(self._take(number))

    def next_due(self) -> float | None:
        """When the next message is due."""
        return self._dues.next_due()

    def clear(self) -> None:
        """Forget everything."""
        for number in list(self._messages):
            self._take(number)
        self._dues.clear()

    def _take(self, number: int) -> Message:
        message = self._messages.pop(number)
        self._memory.used -= message.cost
        self.size -= message.size
        return message
