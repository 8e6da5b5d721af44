"""What is told of an app: the host's own lines and those of its functions."""

import threading
from collections import deque
from collections.abc import Callable

Show = Callable[[str], None]

KEPT = 5_000
"""How many of the last lines are kept."""

LONGEST = 16_000
"""How many characters of a line are kept."""


class Journal:
    """The last lines, each also shown as it comes."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._lines: deque[str] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def tell(self, line: str) -> None:
        """Add a line; a text of several lines stays together."""
        shown = line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."
        with self._lock:
            self._lines.append(shown)
        self._show(shown)

    def text(self) -> str:
        """All that is kept."""
        with self._lock:
            return "\n".join(self._lines)
