"""Time for local services: one clock that tells it and wakes those who wait for it.

A service never sleeps and never asks the operating system for the time; it asks its clock, and
has the clock call it back. So a test hands it a `ManualClock` and moves an hour in no time:

    clock = ManualClock()
    with PubSubEmulator(clock=clock) as pubsub:
        clock.advance(600)
"""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

LOG = logging.getLogger(__name__)


class Alarm:
    """One call that a clock owes; `cancel` takes it back."""

    __slots__ = ("action", "when")

    def __init__(self, when: float, action: Callable[[], None]) -> None:
        self.when = when
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Take the call back; harmless when it was made already."""
        self.action = None


class Clock(Protocol):
    """What a service asks of time. Times are seconds since 1970, UTC."""

    def now(self) -> float:
        """The time, which never runs backwards."""
        ...

    def call_at(self, when: float, action: Callable[[], None]) -> Alarm:
        """Have `action` called once the time is `when`; it must be brief and must not raise."""
        ...

    def close(self) -> None:
        """Forget every alarm and end what the clock runs."""
        ...


class _Alarms:
    """Alarms in the order in which they are due; those set for one moment keep their order."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Alarm]] = []
        self._order = itertools.count()

    def add(self, alarm: Alarm) -> None:
        heapq.heappush(self._heap, (alarm.when, next(self._order), alarm))

    def next_due(self) -> float | None:
        while self._heap and self._heap[0][2].action is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: float) -> Callable[[], None] | None:
        due = self.next_due()
        if due is None or due > now:
            return None
        return heapq.heappop(self._heap)[2].action

    def clear(self) -> None:
        self._heap.clear()


class SystemClock:
    """Real time. One thread, begun with the first alarm, makes the calls."""

    def __init__(self) -> None:
        self._start = time.time() - time.monotonic()
        self._alarms = _Alarms()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def now(self) -> float:
        return self._start + time.monotonic()

    def call_at(self, when: float, action: Callable[[], None]) -> Alarm:
        alarm = Alarm(when, action)
        with self._changed:
            if self._closed:
                return alarm
            due = self._alarms.next_due()
            self._alarms.add(alarm)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="local-clock", daemon=True)
                self._thread.start()
            elif due is None or when < due:
                self._changed.notify()
        return alarm

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._alarms.clear()
            self._changed.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                action = self._alarms.pop_due(self.now())
                if action is None:
                    due = self._alarms.next_due()
                    # A wait of more than a day only wakes up to wait again.
                    pause = None if due is None else min(max(due - self.now(), 0), 86_400)
                    self._changed.wait(pause)
                    continue
            try:
                action()
            except Exception:
                # One faulty alarm must not stop the time of everyone else.
                LOG.exception("an alarm of the local clock failed")


class ManualClock:
    """Time that stands still until it is advanced."""

    def __init__(self, start: float = 1_767_225_600.0) -> None:
        """Begin at `start`, in seconds since 1970; 1 January 2026 unless told."""
        self._now = start
        self._alarms = _Alarms()
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._now

    def call_at(self, when: float, action: Callable[[], None]) -> Alarm:
        alarm = Alarm(when, action)
        with self._lock:
            self._alarms.add(alarm)
        return alarm

    def advance(self, seconds: float) -> None:
        """Move time on, and make each call that becomes due at its own moment, in this thread.

        Raises:
            ValueError: `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError(f"time does not run backwards: advance({seconds})")
        until = self._now + seconds
        while True:
            with self._lock:
                action = self._alarms.pop_due(self._now)
                if action is None:
                    due = self._alarms.next_due()
                    if due is None or due > until:
                        self._now = until
                        return
                    self._now = due
            if action is not None:
                action()

    def close(self) -> None:
        with self._lock:
            self._alarms.clear()
