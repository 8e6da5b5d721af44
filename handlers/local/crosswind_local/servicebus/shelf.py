"""What a backlog holds: entries by their numbers, and how much they weigh."""

from crosswind_local.memory import Memory
from crosswind_local.servicebus import limits
from crosswind_local.servicebus.conditions import not_allowed
from crosswind_local.servicebus.entries import Entry
from crosswind_local.servicebus.messages import Message
from crosswind_local.servicebus.sequence import SequenceNumbers


class Shelf:
    """Entries that are not done with."""

    def __init__(self, memory: Memory) -> None:
        """`memory` is what all shelves share."""
        self.size = 0
        """Bytes of messages held, session states included."""
        self._memory = memory
        self._entries: dict[int, Entry] = {}
        self._numbers = SequenceNumbers()

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self) -> list[Entry]:
        """All there are."""
        return list(self._entries.values())

    def get(self, number: int) -> Entry | None:
        """The entry of a number."""
        return self._entries.get(number)

    def add(
        self, message: Message, enqueued: float, session: str, number: int | None = None
    ) -> Entry:
        """Keep a message under the next number, or under one that it had elsewhere."""
        number = self._numbers.next() if number is None else self._numbers.insert(number)
        entry = Entry(number, message, enqueued, session)
        self._entries[number] = entry
        self.weigh(message.size, message.cost)
        return entry

    def remove(self, entry: Entry) -> None:
        """Keep an entry no longer."""
        entry.gone = True
        del self._entries[entry.number]
        self._numbers.remove(entry.number)
        self.weigh(-entry.message.size, -entry.message.cost)

    def renumber(self, entry: Entry) -> None:
        """Give an entry the next number, so that it comes last of all."""
        del self._entries[entry.number]
        self._numbers.remove(entry.number)
        entry.number = self._numbers.next()
        self._entries[entry.number] = entry

    def replace(self, entry: Entry, message: Message) -> None:
        """Keep a changed message in the place of an entry's own."""
        growth = message.size - entry.message.size
        entry.message = message
        self.weigh(growth, growth)

    def weigh(self, size: int, cost: int) -> None:
        """So many bytes of contents, and of memory, are held more."""
        self.size += size
        self._memory.used += cost

    def peek(self, start: int, most: int, session: str | None = None) -> list[Entry]:
        """Entries from a number on, in any state, in the order of their numbers.

        Raises:
            Refused: `most` is not positive.
        """
        if most < 1:
            raise not_allowed(f"message-count must be positive, not {most}.")
        found: list[Entry] = []
        size = 0
        for number in self._numbers.since(start):
            entry = self._entries[number]
            if session is not None and entry.message.session_id != session:
                continue
            size += entry.message.size
            if found and size > limits.PEEKED_BYTES:
                break
            found.append(entry)
            if len(found) >= min(most, limits.PEEKED):
                break
        return found
