"""How a commit waits for the transactions that stand in its way."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from crosswind_local.clock import Alarm, Clock
from crosswind_local.firestore.refusals import waited_too_long


class Caller(Protocol):
    """Who waits for an answer, as gRPC tells of it."""

    def is_active(self) -> bool:
        """Whether anyone still waits."""
        ...

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Have `callback` called once no one does; False when that is so already."""
        ...


class Waiting:
    """One wait, bounded by the clock and by its caller's patience; begun only when it is needed.

    The condition's lock is held throughout, but for the wait itself.
    """

    def __init__(
        self, changed: threading.Condition, clock: Clock, seconds: float, caller: Caller
    ) -> None:
        self._changed = changed
        self._clock = clock
        self._until = clock.now() + seconds
        self._caller = caller
        self._alarm: Alarm | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._alarm is not None:
            self._alarm.cancel()

    def once(self) -> None:
        """Let others go on until something has changed.

        Raises:
            Contention: it has waited for long enough, or its caller has gone (ABORTED).
        """
        if self._alarm is None:
            self._alarm = self._clock.call_at(self._until, self._stir)
            self._caller.add_callback(self._stir)
        if self._clock.now() >= self._until or not self._caller.is_active():
            raise waited_too_long()
        self._changed.wait()

    def _stir(self) -> None:
        with self._changed:
            self._changed.notify_all()
