"""The record of calls: each is counted, logged at debug level, and the last ones are kept."""

import logging
import threading
from collections import Counter, deque
from dataclasses import asdict, dataclass

LOG = logging.getLogger("crosswind_local.calls")

KEPT = 200
"""How many of the last calls are kept for inspection."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was answered: when (seconds since 1970), what, on what, and how."""

    time: float
    method: str
    resource: str
    outcome: str
    milliseconds: float


class CallRecord:
    """Every call of one service."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._last: deque[Call] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        """Count the call, log it, and keep it among the last ones."""
        with self._lock:
            self._counts[f"{call.method} {call.outcome}"] += 1
            self._last.append(call)
        LOG.debug(
            "%s %s -> %s in %.1f ms", call.method, call.resource, call.outcome, call.milliseconds
        )

    def counts(self) -> dict[str, int]:
        """How often each method had each outcome."""
        with self._lock:
            return dict(sorted(self._counts.items()))

    def last(self) -> list[dict[str, object]]:
        """The last calls, oldest first."""
        with self._lock:
            return [asdict(call) for call in self._last]
