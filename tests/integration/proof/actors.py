"""Those who call ports: each is a thread, of which only the one that holds the baton runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from crosswind.engine.dispatch import Engine
from crosswind.testing import Fault, Killed, PortCall

if TYPE_CHECKING:
    from integration.proof.director import Director


class Actor(threading.Thread):
    """Somebody who calls ports: a worker, or a person.

    Attributes:
        offset: by how much its clock is ahead of the true time, in seconds.
        version: of the code that it runs.
        wake: before this true time it does not move.
        outage: what happens to its next calls, and to how many.
        looked: the number of writes that had been made when it last looked at a key.
        issued, written: the true time and the number of writes at which it made its last call.
        paused: it is in the midst of a job and waits for the baton.
    """

    def __init__(self, director: Director, name: str, offset: float) -> None:
        super().__init__(name=name, daemon=True)
        self.director = director
        self.offset = offset
        self.version = 1
        self.wake = 0.0
        self.outage: tuple[Fault, int] = ("none", 0)
        self.looked: dict[str, int] = {}
        self.issued = 0.0
        self.written = 0
        self.paused = False
        self.job: Callable[[], None] | None = None
        self.engine: Engine | None = None
        self.baton = threading.Lock()
        self.baton.acquire()

    @property
    def idle(self) -> bool:
        return self.job is None and not self.paused

    def run(self) -> None:
        """Do one job after another, each when it is handed the baton."""
        while True:
            self.baton.acquire()
            if self.job is None:
                return
            try:
                self.job()
            except Killed:
                self.engine = None
                self.outage = ("none", 0)
                self.director.tell(f"{self.name} is gone; another takes the name")
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is a finding
                self.engine = None
                self.director.crashed(self, error)
            self.job = None
            self.director.baton.release()

    def pause(self) -> None:
        """Hand the baton back in the midst of a job, and wait until it comes again."""
        self.paused = True
        self.director.baton.release()
        self.baton.acquire()
        self.paused = False
        if self.director.over:
            raise Killed("the play is over")

    # -- what happens to its calls: it is the `Faults` of its own ports --------------------------

    def meet(self, call: PortCall) -> Fault:
        """See `Faults.meet`."""
        return self.director.meet(self, call)

    def hold(self, call: PortCall, effect: Callable[[], object]) -> None:
        """See `Faults.hold`."""
        self.director.late.append((f"{self.name}'s {call}", effect))
