"""Duplicate detection: which message ids were seen within a window of time.

"Duplicate detection", https://learn.microsoft.com/azure/service-bus-messaging/duplicate-detection
"""

from collections import deque


class Duplicates:
    """Message ids of the last `window` seconds; with no window nothing is remembered."""

    def __init__(self, window: float | None) -> None:
        self._window = window
        self._seen: dict[str, float] = {}
        self._order: deque[tuple[float, str]] = deque()

    def __len__(self) -> int:
        return len(self._seen)

    def is_new(self, message_id: str | None, now: float) -> bool:
        """Whether a message is to be kept; it is remembered then.

        One without an id is always new. A duplicate does not begin the window anew.
        """
        if self._window is None or message_id is None:
            return True
        while self._order and self._order[0][0] <= now - self._window:
            del self._seen[self._order.popleft()[1]]
        if message_id in self._seen:
            return False
        self._seen[message_id] = now
        self._order.append((now, message_id))
        return True
