"""An agenda: things that fall due, most of which are settled long before.

A lease on a message is acknowledged within milliseconds while its deadline lies seconds ahead, so
the agenda is lazy: an item that is no longer of interest stays where it is and is passed over
later. It is swept once half of it is stale, so its size follows the number of live items and the
cost of each item stays flat.
"""

import heapq
import itertools
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_SMALL = 256
"""Below this many entries a sweep is not worth its while."""


class Agenda(Generic[T]):
    """Items by the time, in seconds, at which they are due."""

    def __init__(self, live: Callable[[float, T], bool]) -> None:
        """`live(when, item)` says whether the entry made for `when` still counts."""
        self._live = live
        self._heap: list[tuple[float, int, T]] = []
        self._order = itertools.count()
        self._stale = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, when: float, item: T) -> None:
        """Note that `item` is due at `when`."""
        heapq.heappush(self._heap, (when, next(self._order), item))

    def forget(self) -> None:
        """One entry has ceased to count: its item was settled or noted anew."""
        self._stale += 1
        if self._stale > _SMALL and self._stale * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if self._live(entry[0], entry[2])]
            heapq.heapify(self._heap)
            self._stale = 0

    def next_due(self) -> float | None:
        """When the next live item is due; None when there is none."""
        heap = self._heap
        while heap and not self._live(heap[0][0], heap[0][2]):
            heapq.heappop(heap)
            self._stale = max(0, self._stale - 1)
        return heap[0][0] if heap else None

    def due(self, now: float) -> Iterator[T]:
        """Take out each live item that is due by `now`, soonest first."""
        while True:
            when = self.next_due()
            if when is None or when > now:
                return
            yield heapq.heappop(self._heap)[2]

    def clear(self) -> None:
        """Forget everything."""
        self._heap.clear()
        self._stale = 0
