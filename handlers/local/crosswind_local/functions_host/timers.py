"""Timer triggers: functions called by the clock.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-timer and
Azure/azure-webjobs-sdk-extensions, `Timers/Listener/TimerListener.cs`.
"""

import json
import threading
from dataclasses import dataclass
from pathlib import Path

from crosswind_local.clock import Alarm, Clock
from crosswind_local.errors import StartFailed
from crosswind_local.functions_host.functions import Function, TimerTrigger
from crosswind_local.functions_host.invoker import Invoker
from crosswind_local.functions_host.moments import moment, with_zone
from crosswind_local.functions_host.process import Value

FREQUENT = 60.0
"""Seconds: a timer that is due more often is not monitored."""

_NEVER = "0001-01-01T00:00:00"


class Monitor:
    """When each timer was last called, which tells a new start what it has missed.

    The cloud keeps it in a blob; here it is a file, or only in memory.
    """

    def __init__(self, path: Path | None) -> None:
        """Read the file, if there is one.

        Raises:
            StartFailed: it is not one of these.
        """
        self._path = path
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        if path is not None and path.exists():
            try:
                content = json.loads(path.read_text())
                self._last = {str(name): float(last) for name, last in content.items()}
            except (OSError, ValueError, TypeError, AttributeError) as error:
                raise StartFailed(
                    f"{path} does not hold when timers were called: {error}; remove it"
                ) from error

    def last(self, function: str) -> float | None:
        """When a function was last called, in seconds since 1970; None where it never was."""
        with self._lock:
            return self._last.get(function)

    def called(self, function: str, when: float) -> None:
        """Note a call."""
        with self._lock:
            self._last[function] = when
            if self._path is not None:
                aside = self._path.with_suffix(".new")
                aside.write_text(json.dumps(self._last))
                aside.replace(self._path)


@dataclass(frozen=True, slots=True)
class Status:
    """When a timer was last due and will be next, in seconds since 1970."""

    last: float | None
    next: float


class Timer:
    """One timer. It never runs twice at a time: what falls due meanwhile is called right after."""

    def __init__(
        self,
        function: Function,
        trigger: TimerTrigger,
        invoker: Invoker,
        clock: Clock,
        monitor: Monitor,
    ) -> None:
        self._function = function
        self._trigger = trigger
        self._invoker = invoker
        self._clock = clock
        self._monitor = monitor
        now = clock.now()
        first = trigger.schedule.after(now)
        self._monitored = trigger.monitored and trigger.schedule.after(first) - first >= FREQUENT
        self._status = Status(None, first)
        self._alarm: Alarm | None = None
        self._armed: object | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def start(self) -> None:
        """Call it now where it was missed, or wants to be called at the start; else wait."""
        now = self._clock.now()
        last = self._monitor.last(self._function.name) if self._monitored else None
        if last is not None:
            self._status = Status(last, self._trigger.schedule.after(last))
        if last is not None and self._status.next <= now:
            self._begin("missed while the host was not running", past_due=True)
        elif self._trigger.run_on_startup:
            self._begin("at the start of the host")
        elif not self._arm():
            self._begin("due")

    def stop(self) -> None:
        """Call it no more."""
        self._stopped = True
        if self._alarm is not None:
            self._alarm.cancel()

    def report(self) -> dict[str, object]:
        """When it is due next."""
        return {
            "schedule": self._trigger.schedule.expression,
            "next": with_zone(moment(self._status.next)),
        }

    def value(self, past_due: bool) -> Value:
        """What the function is told."""
        status = self._status
        last = _NEVER if status.last is None else with_zone(moment(status.last))
        told = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": {
                "Last": last,
                "LastUpdated": last,
                "Next": with_zone(moment(status.next)),
            }
            if self._monitored
            else None,
            "IsPastDue": past_due,
        }
        return {"json": json.dumps(told)}

    def _arm(self) -> bool:
        """Have the clock call it when it is due; False where it is due already."""
        token = object()
        due = self._status.next
        with self._lock:
            self._armed = token
        self._alarm = self._clock.call_at(due, lambda: self._due(token))
        # A clock that is moved by hand may have been moved past it meanwhile.
        return due > self._clock.now() or not self._claim(token)

    def _due(self, token: object) -> None:
        if self._claim(token):
            self._begin("due")

    def _claim(self, token: object) -> bool:
        """Whether it is still to be called as was arranged; only one is told so."""
        with self._lock:
            mine = self._armed is token
            if mine:
                self._armed = None
            return mine and not self._stopped

    def _begin(self, reason: str, past_due: bool = False) -> None:
        """Call it in a thread of its own: an alarm must be brief."""
        threading.Thread(
            target=self._call,
            args=(reason, past_due, self._clock.now()),
            name="functions-timer",
            daemon=True,
        ).start()

    def _call(self, reason: str, past_due: bool, when: float) -> None:
        while not self._stopped:
            self._invoker.invoke(self._function, self.value(past_due), {}, f"timer, {reason}")
            # What was due meanwhile is due still: the next is counted from then, not from now.
            when = self._status.next if reason == "due" else when
            self._status = Status(when, self._trigger.schedule.after(when))
            if self._monitored:
                self._monitor.called(self._function.name, when)
            if self._arm():
                return
            reason, past_due = "due", False
