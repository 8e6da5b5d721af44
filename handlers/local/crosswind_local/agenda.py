"""An agenda: things that fall due, most of which are settled long before.

A lease on a message is acknowledged within milliseconds while its deadline lies seconds ahead, so
the agenda is lazy: an item that is no longer of interest stays where it is and is passed over
later. It is swept once half of it is stale, so its size follows the number of live items and the
cost of each item stays flat. Items that are due at one moment, as what one request brings is,
share one place in the heap.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_SMALL = 256
"""Below this many entries a sweep is not worth its while."""


class Agenda(Generic[T]):
    """Items by the time, in seconds, at which they are due; of one time, in the order noted."""

    def __init__(self, live: Callable[[float, T], bool]) -> None:
        """`live(when, item)` says whether the entry made for `when` still counts."""
        self._live = live
        self._times: list[float] = []
        # A list, which is small, until its time is the next; then a deque, to take from its front.
        self._items: dict[float, list[T] | deque[T]] = {}
        self._count = 0
        self._stale = 0

    def __len__(self) -> int:
        return self._count

    def add(self, when: float, item: T) -> None:
        """Note that `item` is due at `when`."""
        self.add_all(when, (item,))

    def add_all(self, when: float, items: Iterable[T]) -> None:
        """Note that all of these are due at `when`."""
        noted = self._items.get(when)
        if noted is None:
            noted = self._items[when] = []
            heapq.heappush(self._times, when)
        before = len(noted)
        noted.extend(items)
        self._count += len(noted) - before

    def forget(self, entries: int = 1) -> None:
        """So many entries have ceased to count: their items were settled or noted anew."""
        self._stale += entries
        if self._stale > _SMALL and self._stale * 2 > self._count:
            self._sweep()

    def next_due(self) -> float | None:
        """When the next live item is due; None when there is none."""
        return None if self._next() is None else self._times[0]

    def due(self, now: float) -> Iterator[T]:
        """Take out each live item that is due by `now`, soonest first."""
        while True:
            items = self._next()
            if items is None or self._times[0] > now:
                return
            self._count -= 1
            yield items.popleft()

    def clear(self) -> None:
        """Forget everything."""
        self._times.clear()
        self._items.clear()
        self._count = self._stale = 0

    def _next(self) -> deque[T] | None:
        """What is due at the first of the times, its first item live; None when nothing is."""
        times, live = self._times, self._live
        while times:
            when = times[0]
            items = self._items[when]
            if not isinstance(items, deque):
                items = self._items[when] = deque(items)
            while items:
                if live(when, items[0]):
                    return items
                items.popleft()
                self._count -= 1
                self._stale = max(0, self._stale - 1)
            heapq.heappop(times)
            del self._items[when]
        return None

    def _sweep(self) -> None:
        live = self._live
        kept = {
            when: [item for item in items if live(when, item)]
            for when, items in self._items.items()
        }
        self._items = {when: items for when, items in kept.items() if items}
        self._times = sorted(self._items)
        self._count = sum(map(len, self._items.values()))
        self._stale = 0
