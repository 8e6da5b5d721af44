"""Carries attempts out: a thread for each request under way, and a deadline by the clock.

Where a test moves the time, a worker that is quick would seem slow: an hour passes in no time, and
every deadline within it before the first answer. So time that a test moves waits for workers, each
for as long as a quick one may take.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from crosswind_local.agenda import Agenda
from crosswind_local.clock import Alarm, Clock, SystemClock
from crosswind_local.tasks import limits
from crosswind_local.tasks.exchange import Exchange
from crosswind_local.tasks.requests import Request
from crosswind_local.tasks.tasks import DEADLINE, UNREACHABLE, Outcome

LOG = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds of real time that a quick worker may take."""

MOST_PATIENCE = 10.0
"""Seconds of real time that one alarm waits at most, over all workers."""

Told = Callable[[Outcome], None]


class Carrier:
    """Makes requests, and tells of each how it ended, once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._patience = 0 if isinstance(clock, SystemClock) else PATIENCE
        self._pool = ThreadPoolExecutor(limits.REQUESTS_UNDER_WAY, "local-tasks-request")
        self._lock = threading.Lock()
        self._settled = threading.Condition(self._lock)
        self._under_way: set[_Errand] = set()
        self._deadlines: Agenda[_Errand] = Agenda(lambda when, errand: not errand.ended)
        self._alarm: Alarm | None = None
        self._closed = False

    def carry(self, request: Request, deadline: float, told: Told) -> None:
        """Begin a request; `told` is called from another thread, within `deadline` seconds."""
        now = self._clock.now()
        errand = _Errand(Exchange(request, now), told)
        with self._lock:
            if self._closed:
                return
            self._under_way.add(errand)
            self._deadlines.add(now + deadline, errand)
            self._set_alarm()
            self._pool.submit(self._run, errand)

    def linger(self) -> None:
        """Let workers answer before time goes on, if it is a test that moves it."""
        end = time.monotonic() + MOST_PATIENCE
        with self._settled:
            while self._under_way and (now := time.monotonic()) < end:
                # One that has had its time is not waited for again.
                waits = (each.began + self._patience - now for each in self._under_way)
                longest = max(waits)
                if longest <= 0:
                    return
                self._settled.wait(min(longest, end - now))

    def stop(self) -> None:
        """Break every request off, and begin no more."""
        with self._lock:
            self._closed = True
            errands = list(self._under_way)
            for errand in errands:
                errand.ended = True
            self._under_way.clear()
            self._settled.notify_all()
        for errand in errands:
            errand.exchange.break_off()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, errand: "_Errand") -> None:
        try:
            outcome = errand.exchange.run()
        except Exception:
            # A fault of ours in a thread of a pool would be heard of by nobody.
            LOG.exception("a request failed")
            outcome = UNREACHABLE
        if self._settle(errand):
            errand.told(outcome)
            self._end(errand)

    def _set_alarm(self) -> None:
        """Have the next deadline looked at, called with the lock held."""
        due = self._deadlines.next_due()
        # An alarm that is early is left alone; it finds nothing to do and sets the next one.
        if due is not None and (self._alarm is None or due < self._alarm.when):
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self._clock.call_at(due, self._ring)

    def _ring(self) -> None:
        self.linger()
        with self._lock:
            self._alarm = None
            late = list(self._deadlines.due(self._clock.now()))
            self._set_alarm()
        for errand in late:
            if self._settle(errand):
                errand.exchange.break_off()
                errand.told(DEADLINE)
                self._end(errand)

    def _settle(self, errand: "_Errand") -> bool:
        """Whether the errand was still open; it is not any more."""
        with self._lock:
            if errand.ended:
                return False
            errand.ended = True
            self._deadlines.forget()
        return True

    def _end(self, errand: "_Errand") -> None:
        """Only now, when what follows from it was begun, is it waited for no longer."""
        with self._settled:
            self._under_way.discard(errand)
            self._settled.notify_all()


class _Errand:
    def __init__(self, exchange: Exchange, told: Told) -> None:
        self.exchange = exchange
        self.told = told
        self.began = time.monotonic()
        self.ended = False
