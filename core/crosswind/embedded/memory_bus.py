"""The bus in memory, for tests of handlers and for trying things out."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush, nsmallest
from itertools import count
from threading import Lock

from crosswind.buses.promises import MAX_RECEIPTS, accepted
from crosswind.buses.routing import Binding, Routes
from crosswind.embedded.consumer import Received, check_receive
from crosswind.ports import Delivery, Message


@dataclass(slots=True)
class _Waiting:
    """A message in a queue; its number and how often it was received name its lease."""

    number: int
    id: str
    body: bytes
    due: float
    receipts: int = 0

    @property
    def delivery(self) -> Delivery:
        return Delivery(self.id, self.body, self.receipts)

    @property
    def receipt(self) -> tuple[int, str]:
        return self.number, str(self.receipts)


@dataclass(slots=True)
class _Queue:
    """Messages by id, and a heap of when they are due.

    A message that moves leaves its old place in the heap behind. That is stale, as the message is
    gone or due at another time, and is dropped when it comes to the top.
    """

    messages: dict[str, _Waiting] = field(default_factory=dict)
    heap: list[tuple[float, int, str]] = field(default_factory=list)

    def put(self, message: _Waiting, due: float) -> None:
        message.due = due
        self.messages[message.id] = message
        heappush(self.heap, (due, message.number, message.id))

    def first(self) -> _Waiting | None:
        while self.heap:
            due, number, name = self.heap[0]
            message = self.messages.get(name)
            if message is not None and (message.due, message.number) == (due, number):
                return message
            heappop(self.heap)
        return None

    def due(self, now: float) -> _Waiting | None:
        first = self.first()
        return first if first is not None and first.due <= now else None


class MemoryBus:
    """Events in the memory of one process, shared by its threads; see `Consumer` for its promises.

    Args:
        clock: seconds since the epoch.
        max_receipts: how often a message is received before it is a dead letter.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.time, max_receipts: int = MAX_RECEIPTS
    ) -> None:
        self._clock = clock
        self._max_receipts = max_receipts
        self._lock = Lock()
        self._numbers = count(1)
        self._bindings: dict[str, tuple[Binding, ...]] = {}
        self._routes = Routes(())
        self._live: dict[str, _Queue] = defaultdict(_Queue)
        self._dead: dict[str, _Queue] = defaultdict(_Queue)
        self._leased: dict[tuple[int, str], tuple[_Queue, _Waiting]] = {}

    def publish(self, messages: Sequence[Message]) -> None:
        """See `Bus.publish`."""
        taken, refused = accepted(messages)
        with self._lock:
            now = self._clock()
            for message in taken:
                due = max(now, message.due or now)
                for group in self._routes.groups(message.attributes):
                    queue = self._live[group]
                    if message.id not in queue.messages:
                        number = next(self._numbers)
                        queue.put(_Waiting(number, message.id, message.body, due), due)
        if refused:
            raise refused

    def bind(self, group: str, bindings: Iterable[Binding]) -> None:
        """See `Consumer.bind`."""
        with self._lock:
            self._bindings[group] = tuple(bindings)
            self._routes = Routes(
                (name, binding) for name, wanted in self._bindings.items() for binding in wanted
            )

    def receive(self, group: str, limit: int = 10, visibility: float = 120.0) -> list[Received]:
        """See `Consumer.receive`."""
        check_receive(limit, visibility)
        received: list[Received] = []
        with self._lock:
            now = self._clock()
            queue = self._live[group]
            while len(received) < limit and (message := queue.due(now)) is not None:
                if message.receipts < self._max_receipts:
                    received.append(self._lease(queue, message, now + visibility))
                else:
                    self._bury(group, message, now)
        return received

    def receive_dead(
        self, group: str, limit: int = 10, visibility: float = 120.0
    ) -> list[Received]:
        """See `Consumer.receive_dead`."""
        check_receive(limit, visibility)
        received: list[Received] = []
        with self._lock:
            now = self._clock()
            queue = self._dead[group]
            while len(received) < limit and (message := queue.due(now)) is not None:
                received.append(self._lease(queue, message, now + visibility))
        return received

    def ack(self, *received: Received) -> None:
        """See `Consumer.ack`."""
        with self._lock:
            for item in received:
                held = self._leased.pop(item.receipt, None)
                if held is not None:
                    queue, message = held
                    del queue.messages[message.id]

    def hand_back(self, received: Received, after: float = 0.0) -> None:
        """See `Consumer.hand_back`."""
        with self._lock:
            held = self._leased.pop(received.receipt, None)
            if held is not None:
                queue, message = held
                queue.put(message, self._clock() + after)

    def dead_letters(self, group: str, limit: int = 100) -> list[Delivery]:
        """See `Consumer.dead_letters`."""
        with self._lock:
            dead = self._dead[group].messages.values()
            first = nsmallest(limit, dead, key=lambda message: (message.due, message.number))
            return [message.delivery for message in first]

    def depth(self, group: str) -> int:
        """See `Consumer.depth`."""
        with self._lock:
            return len(self._live[group].messages)

    def next_due(self, group: str) -> float | None:
        """See `Consumer.next_due`."""
        with self._lock:
            first = self._live[group].first()
            return None if first is None else first.due

    def _bury(self, group: str, message: _Waiting, now: float) -> None:
        del self._live[group].messages[message.id]
        dead = self._dead[group]
        # An older dead letter of the same id gives way to the newer.
        for lapsed in filter(None, (message, dead.messages.get(message.id))):
            self._leased.pop(lapsed.receipt, None)
        dead.put(message, now)

    def _lease(self, queue: _Queue, message: _Waiting, until: float) -> Received:
        self._leased.pop(message.receipt, None)
        message.receipts += 1
        queue.put(message, until)
        self._leased[message.receipt] = queue, message
        return Received(message.delivery, message.receipt)
