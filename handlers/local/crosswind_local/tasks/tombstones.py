"""Names that were in use recently, and cannot be used again yet.

CreateTask, https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2, for tasks: up
to 24 hours. DeleteQueue, in the same place, for queues: up to 3 days. Here it is the whole time.
"""

from collections import OrderedDict

from crosswind_local.memory import Memory

OVERHEAD = 150
"""Bytes that a name is reckoned to need beside its letters."""


class Tombstones:
    """Names of what is gone, each for the same time."""

    def __init__(self, window: float, memory: Memory, most: int | None = None) -> None:
        """Keep each name for `window` seconds, and the `most` last ones where that is given."""
        self._window = window
        self._memory = memory
        self._most = most
        self._until: OrderedDict[str, float] = OrderedDict()

    def add(self, name: str, now: float) -> None:
        """`name` has gone out of use."""
        self.forget_old(now)
        self._drop(name)
        self._until[name] = now + self._window
        # Not refused when memory is full: what took its place in memory until now is gone.
        self._memory.used += len(name) + OVERHEAD
        if self._most is not None and len(self._until) > self._most:
            self._drop(next(iter(self._until)))

    def holds(self, name: str, now: float) -> bool:
        """Whether `name` was in use too recently."""
        until = self._until.get(name)
        return until is not None and now < until

    def forget_old(self, now: float) -> None:
        """Drop the names whose time is over."""
        while self._until:
            name, until = next(iter(self._until.items()))
            if now < until:
                return
            self._drop(name)

    def forget(self, prefix: str = "") -> None:
        """Drop every name that begins so."""
        for name in [name for name in self._until if name.startswith(prefix)]:
            self._drop(name)

    def _drop(self, name: str) -> None:
        if self._until.pop(name, None) is not None:
            self._memory.used -= len(name) + OVERHEAD
