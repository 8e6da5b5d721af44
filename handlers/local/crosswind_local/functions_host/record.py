"""The record of invocations: those in flight, the last ones, and how many ended how."""

import threading
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Literal

KEPT = 200
"""How many of the last invocations are kept."""

Outcome = Literal["running", "succeeded", "failed"]


@dataclass(slots=True)
class Invocation:
    """One call of a function; `begun` is in seconds since 1970.

    Attributes:
        reason: what called it.
        error: the message of its failure; empty where there is none.
    """

    id: str
    function: str
    reason: str
    begun: float
    outcome: Outcome = "running"
    milliseconds: float = 0.0
    error: str = ""


class Record:
    """Every invocation of one app."""

    def __init__(self) -> None:
        self._running: dict[str, Invocation] = {}
        self._last: deque[Invocation] = deque(maxlen=KEPT)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def begin(self, invocation: Invocation) -> None:
        """Note that it runs."""
        with self._lock:
            self._running[invocation.id] = invocation

    def end(self, invocation: Invocation) -> None:
        """Note how it ended."""
        with self._lock:
            self._running.pop(invocation.id, None)
            self._last.append(invocation)
            self._counts[invocation.function, invocation.outcome] += 1

    def in_flight(self) -> list[dict[str, object]]:
        """Those that run."""
        with self._lock:
            return [asdict(invocation) for invocation in self._running.values()]

    def last(self) -> list[dict[str, object]]:
        """Those that ended last, oldest first."""
        with self._lock:
            return [asdict(invocation) for invocation in self._last]

    def counts(self, function: str) -> dict[str, int]:
        """How many invocations of a function ended how."""
        with self._lock:
            return {
                outcome: count
                for (name, outcome), count in self._counts.items()
                if name == function
            }
