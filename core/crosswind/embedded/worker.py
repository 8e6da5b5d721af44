"""The worker of the embedded default: receives, lets the engine work, acknowledges.

Any number of workers, in one process or several, share one file. A worker that is killed loses
nothing: what it had received is received again by another when its visibility lapses.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from crosswind.buses import routing
from crosswind.buses.routing import Binding
from crosswind.embedded.consumer import Consumer, Received
from crosswind.embedded.scheduler import Scheduler
from crosswind.engine.dispatch import Again, Engine
from crosswind.errors import StoreError, Throttled, Unreachable

BATCH = 16
POLL = 0.05
"""Seconds between two looks at an empty queue: what another process publishes is not announced."""

HOUSEKEEPING = 3_600.0
"""Seconds between two removals of what has expired."""


class Worked(NamedTuple):
    """One delivery as it was worked; `again` says why it has to come once more, if it has."""

    group: str
    message: str
    body: bytes
    again: Again | None
    dead: bool


class Worker:
    """Works the groups of an app.

    Args:
        engine: decides.
        bus: from which is received; the engine publishes to the same.
        groups: which groups of the app; all unless given.
        batch: how many deliveries are received at a time.
        report: is told of every delivery worked.
        trouble: is told when the file does not answer, each time before it is tried again.
        schedules: whether it also sends the ticks of the app's schedules.
    """

    def __init__(
        self,
        engine: Engine,
        bus: Consumer,
        groups: Iterable[str] | None = None,
        *,
        batch: int = BATCH,
        report: Callable[[Worked], None] | None = None,
        trouble: Callable[[StoreError], None] | None = None,
        schedules: bool = True,
    ) -> None:
        self.engine = engine
        self.bus = bus
        self.groups = tuple(engine.app.groups if groups is None else groups)
        self.batch = batch
        self.report = report
        self.trouble = trouble
        self.scheduler = Scheduler(engine.app, bus, engine.clock) if schedules else None
        settings = engine.settings
        self._house_kept = engine.clock()
        self.visibility = settings.lease * 1.5 + settings.skew
        self.bind()

    def bind(self) -> None:
        """Tell the bus which events the groups want."""
        for group in self.groups:
            self.bus.bind(group, bindings(self.engine, group))

    def step(self) -> int:
        """Work what is due now, at most one batch for each group; returns how many it was.

        Raises:
            StoreError: the file does not answer.
        """
        if self.scheduler is not None:
            self.scheduler.tick()
        worked = 0
        for group in self.groups:
            received = self.bus.receive(group, self.batch, self.visibility)
            if received:
                worked += len(received)
                self._work(group, received)
            dead = self.bus.receive_dead(group, self.batch, self.visibility)
            for one in dead:
                worked += 1
                self._finish(group, one, self.engine.bury(one.delivery, group), dead=True)
        return worked

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; what is in hand then is finished first.

        A file that does not answer is tried again with growing patience. About once an hour what
        has expired is removed from it.

        Raises:
            StoreError: the file is damaged, or of a newer release.
        """
        patience = POLL
        while not stop.is_set():
            try:
                worked = self.step()
            except (Throttled, Unreachable) as error:
                if self.trouble is not None:
                    self.trouble(error)
                # Nothing is lost: what was received comes again when its visibility lapses.
                patience = min(patience * 2, 5.0)
                stop.wait(patience)
                continue
            patience = POLL
            self._keep_house()
            if not worked:
                stop.wait(self._pause())

    def drain(self, seconds: float = 10.0) -> int:
        """Work what is due until nothing is, for at most so many seconds; returns how many."""
        end, total = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            worked = self.step()
            total += worked
            if not worked:
                break
        return total

    def _work(self, group: str, received: list[Received]) -> None:
        # What cannot be started while it is still ours alone is handed back unstarted.
        until = self.engine.clock() + self.visibility - self.engine.settings.lease
        deliveries = [one.delivery for one in received]
        again = self.engine.handle_batch(deliveries, group, until)
        done = [one for one in received if one.delivery.id not in again]
        if done:
            self.bus.ack(*done)
        for one in received:
            outcome = again.get(one.delivery.id)
            if outcome is not None:
                self.bus.hand_back(one, outcome.after)
            self._tell(group, one, outcome, dead=False)

    def _finish(self, group: str, one: Received, outcome: Again | None, *, dead: bool) -> None:
        if outcome is None:
            self.bus.ack(one)
        else:
            self.bus.hand_back(one, outcome.after)
        self._tell(group, one, outcome, dead=dead)

    def _tell(self, group: str, one: Received, outcome: Again | None, *, dead: bool) -> None:
        if self.report is not None:
            self.report(Worked(group, one.delivery.id, one.delivery.body, outcome, dead))

    def _keep_house(self) -> None:
        now = self.engine.clock()
        purge = getattr(self.engine.ledger.store, "purge", None)
        if purge is not None and now >= self._house_kept + HOUSEKEEPING:
            self._house_kept = now
            purge(now)

    def _pause(self) -> float:
        """Seconds until it is worth looking again."""
        now = self.engine.clock()
        dues = [due for group in self.groups if (due := self.bus.next_due(group)) is not None]
        rest = min(dues, default=now + POLL) - now
        return min(max(rest, 0.001), POLL)


def bindings(engine: Engine, group: str) -> list[Binding]:
    """Which events a group of an app wants."""
    return list(
        dict.fromkeys(binding for name, binding in routing.bindings(engine.app) if name == group)
    )
