"""One alarm of the clock, set to the earliest of what is due."""

import threading
from collections.abc import Callable

from crosswind_local.clock import Alarm, Clock


class Timer:
    """Calls back, under a lock, once the earliest due time has come."""

    def __init__(self, clock: Clock, lock: threading.RLock, action: Callable[[], None]) -> None:
        self._clock = clock
        self._lock = lock
        self._action = action
        self._alarm: Alarm | None = None

    def set(self, due: float | None) -> None:
        """Call back at a time, in seconds since 1970; an earlier call stays as it is.

        The lock is held by whoever calls this.
        """
        if due is None or (self._alarm is not None and self._alarm.when <= due):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._clock.call_at(due, self._ring)

    def _ring(self) -> None:
        with self._lock:
            self._alarm = None
            self._action()
