"""One alarm that is always set for the earliest thing that is due."""

from collections.abc import Callable

from crosswind_local.clock import Alarm


class Timer:
    """Rings when something is due, and then has to be set anew."""

    def __init__(
        self, alarm: Callable[[float, Callable[[], None]], Alarm], ring: Callable[[], None]
    ) -> None:
        """`alarm(when, action)` has an action called; `ring` is what it calls."""
        self._alarm_at = alarm
        self._ring = ring
        self._alarm: Alarm | None = None

    def set(self, due: float | None) -> None:
        """Ring by then. An alarm that is early is left alone: it finds nothing to do."""
        if due is not None and (self._alarm is None or due < self._alarm.when):
            self.cancel()
            self._alarm = self._alarm_at(due, self._rang)

    def cancel(self) -> None:
        """Do not ring."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _rang(self) -> None:
        self._alarm = None
        self._ring()


def earliest(*dues: float | None) -> float | None:
    """The earliest of some times, of which any may be missing."""
    return min((due for due in dues if due is not None), default=None)
