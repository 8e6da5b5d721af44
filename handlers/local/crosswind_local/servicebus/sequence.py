"""The sequence numbers of a backlog: given out in order, found again in order.

Numbers of what has left stay in the list until half of it is such, so finding and removing cost
the same however many there are.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator

_SMALL = 256
"""Below this many numbers a sweep is not worth its while."""


class SequenceNumbers:
    """Numbers from 1 on."""

    def __init__(self) -> None:
        self._last = 0
        self._order: list[int] = []
        self._there: set[int] = set()

    def next(self) -> int:
        """Give out the next number."""
        self._last += 1
        self._order.append(self._last)
        self._there.add(self._last)
        return self._last

    def insert(self, number: int) -> int:
        """Take in a number that was given out elsewhere, or the next one if it is taken."""
        if number in self._there:
            return self.next()
        if number > self._last:
            self._last = number
            self._order.append(number)
        else:
            insort(self._order, number)
        self._there.add(number)
        return number

    def remove(self, number: int) -> None:
        """A number is in use no longer."""
        self._there.remove(number)
        if len(self._order) > _SMALL and len(self._there) * 2 < len(self._order):
            self._order = [other for other in self._order if other in self._there]

    def since(self, start: int) -> Iterator[int]:
        """The numbers in use from `start` on, in order."""
        order = self._order
        for place in range(bisect_left(order, start), len(order)):
            if order[place] in self._there:
                yield order[place]
