"""The worker of an app, one at a time: where it ends, another takes its place."""

import threading
from collections.abc import Callable
from typing import Any

from crosswind_local.errors import StartFailed
from crosswind_local.functions_host.journal import Journal
from crosswind_local.functions_host.process import WorkerLost, WorkerProcess

PAUSES = (0.1, 0.5, 2.0, 5.0, 15.0, 30.0)
"""Seconds before the worker is begun anew, after its first end, its second, and so on."""

PATIENCE = 60.0
"""Seconds that a call waits for a worker."""

Spawn = Callable[[Callable[[WorkerProcess, int], None]], WorkerProcess]


class Workers:
    """Keeps one worker running. The pauses between two begin anew once a call has succeeded."""

    def __init__(self, spawn: Spawn, journal: Journal) -> None:
        self._spawn = spawn
        self._journal = journal
        self._changed = threading.Condition()
        self._current: WorkerProcess | None = None
        self._ends = 0
        self._stopping = False
        self.restarts = 0
        """How many workers have followed the first one."""

    @property
    def pid(self) -> int | None:
        """The process id of the worker; None while there is none."""
        worker = self._running()
        return None if worker is None else worker.process.pid

    def start(self) -> dict[str, Any]:
        """Begin the first; what it tells of the app.

        Raises:
            StartFailed: the app cannot be indexed.
        """
        worker = self._spawn(self._ended)
        try:
            told = worker.init()
        except BaseException:  # an interrupt as well: the process is not left behind
            worker.stop()
            raise
        if not self._installed(worker):
            raise StartFailed("the worker ended as soon as the app was indexed")
        return told

    def current(self) -> WorkerProcess:
        """The worker that runs; waits for one.

        Raises:
            WorkerLost: there is none within a minute, or the host stops.
        """
        with self._changed:
            # Callers learn that a worker is lost a little sooner than this does.
            self._changed.wait_for(lambda: self._running() or self._stopping, PATIENCE)
            if self._stopping:
                raise WorkerLost("the host stops")
            worker = self._running()
            if worker is None:
                raise WorkerLost("no worker can be begun")
            return worker

    def succeeded(self) -> None:
        """A call was answered: the next end is a first one again."""
        self._ends = 0

    def kill(self, reason: str) -> None:
        """Kill the worker; another follows."""
        worker = self._current
        if worker is not None:
            worker.kill(reason)

    def stop(self) -> None:
        """End the worker and let no other follow."""
        with self._changed:
            self._stopping = True
            worker, self._current = self._current, None
            self._changed.notify_all()
        if worker is not None:
            worker.stop()

    def _running(self) -> WorkerProcess | None:
        worker = self._current
        return worker if worker is not None and worker.alive else None

    def _ended(self, worker: WorkerProcess, status: int) -> None:
        """Called in the thread of the worker that ended."""
        with self._changed:
            if self._stopping or self._current is not worker:
                return
            self._current = None
        self._journal.tell(f"[error] the worker ended with status {status}; another is begun")
        threading.Thread(target=self._renew, name="functions-renew", daemon=True).start()

    def _renew(self) -> None:
        while True:
            pause = PAUSES[min(self._ends, len(PAUSES) - 1)]
            self._ends += 1
            with self._changed:
                if self._changed.wait_for(lambda: self._stopping, pause):
                    return
            worker = self._spawn(self._ended)
            try:
                worker.init()
            except StartFailed as error:
                worker.stop()
                self._journal.tell(f"[error] {error}")
                continue
            if self._installed(worker):
                self.restarts += 1
                return

    def _installed(self, worker: WorkerProcess) -> bool:
        """Make a worker the current one; False where it has ended meanwhile."""
        with self._changed:
            if not self._stopping:
                # Told of its end while it was not the current one, `_ended` has passed it over.
                if not worker.alive:
                    return False
                self._current = worker
                self._changed.notify_all()
                return True
        worker.stop()
        return True
