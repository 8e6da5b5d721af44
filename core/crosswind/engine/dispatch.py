"""The engine: from a delivery to durable runs.

    decode -> select handlers -> admit -> run -> publish -> settle -> acknowledge
      |          |                 |       |
      parked     returned          |       retried, dead-lettered
                                   joined, queued, dropped

A delivery is done when every one of its runs is committed, dropped, failed, suspended or retrying
and its outbox is published. A conflict on a run's record is answered by the state of that record.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crosswind.engine.outbox import Outbox
from crosswind.engine.runs import Runs
from crosswind.engine.runtime import Runtime
from crosswind.engine.settings import Settings
from crosswind.engine.turns import Turn
from crosswind.errors import Returned, Throttled, Unreachable
from crosswind.ports import Bus, Delivery, Store
from crosswind.records.identity import CHAIN_ID, RUN_KEY
from crosswind.records.parking import Parking
from crosswind_events import Event, InvalidEvent
from crosswind_events.catalogue.chain import ChainDeadline, RunResume

if TYPE_CHECKING:
    from crosswind.actions import Performer
    from crosswind.app import App
    from crosswind.fleet.declaration import Fleet

_TURNS = 8


_OWN = (RunResume.event_type, ChainDeadline.event_type)


@dataclass(frozen=True, slots=True)
class Again:
    """The delivery must come again: it could not be worked, and nothing of it is lost.

    Attributes:
        after: seconds until it is worth trying.
    """

    reason: str
    after: float


Around = Callable[[Delivery], AbstractContextManager[object]]
"""Makes what is entered while a delivery is worked, and left when it has been."""


class Engine:
    """Works deliveries of one app.

    Args:
        app: the handlers.
        store: where state is kept.
        bus: where events go out.
        fleet: the declared fleet; without one every action is only observed.
        performers: who carries out actions and answers queries.
        settings: bounds and times; those of the app, or the defaults, unless given.
        clock: seconds since the epoch.
        pause: waits so many seconds where others write the same.
        draw: draws the jitter of waits between two numbers; `random.uniform` unless given.
    """

    def __init__(
        self,
        app: App,
        store: Store,
        bus: Bus,
        *,
        fleet: Fleet | None = None,
        performers: Iterable[Performer] = (),
        settings: Settings | None = None,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        draw: Callable[[float, float], float] | None = None,
    ) -> None:
        self.app = app
        self.settings = settings or app.settings or Settings()
        self.clock = clock
        self.runtime = Runtime(app, store, fleet, performers, self.settings, clock, pause, draw)
        self.ledger = self.runtime.ledger
        self.outbox = Outbox(bus, self.ledger, lambda: self.runtime.expires(clock()))
        self.runs = Runs(app, self.runtime, self.outbox)
        self.parking = Parking(self.ledger, clock, self.runtime.expires)
        self._decode = app.codec.decode

    # -- deliveries -----------------------------------------------------------------------------

    def handle(self, delivery: Delivery, group: str) -> Again | None:
        """Work one delivery and settle it; None when it may be acknowledged."""
        outcome = self.work(delivery, group)
        return self.flush() or outcome

    def handle_batch(
        self,
        deliveries: Sequence[Delivery],
        group: str,
        until: float | None = None,
        *,
        around: Around | None = None,
    ) -> dict[str, Again]:
        """Work many deliveries in ascending order of receive count, and settle them.

        Args:
            until: seconds since the epoch after which none is started.
            around: entered for each delivery that is worked, so that a platform can renew its
                lock meanwhile, or name it in whatever is logged.

        Returns:
            By message id, those that must come again; all others may be acknowledged.
        """
        again: dict[str, Again] = {}
        for delivery in sorted(deliveries, key=lambda d: d.receipts):
            if until is not None and self.clock() >= until:
                again[delivery.id] = Again("there was no time left to start it", 0.0)
                continue
            if around is None:
                outcome = self.work(delivery, group)
            else:
                with around(delivery):
                    outcome = self.work(delivery, group)
            if outcome is not None:
                again[delivery.id] = outcome
        unlisted = self.flush()
        if unlisted is not None:
            return {delivery.id: again.get(delivery.id, unlisted) for delivery in deliveries}
        return again

    def bury(self, delivery: Delivery, group: str) -> Again | None:
        """Take in a native dead letter: record the failure; never run the handler."""
        # Imported here, as what few deliveries need is elsewhere: a start should not wait for it.
        from crosswind.engine.burial import Burial

        burial = Burial(self.app, self.runtime, self.outbox, self.parking, self.runs.flights)
        outcome = self._guarded(lambda: burial.bury(delivery, group))
        return self.flush() or outcome

    def work(self, delivery: Delivery, group: str) -> Again | None:
        """Work one delivery without settling; `flush` must follow before it is acknowledged.

        Returns:
            None when it may be acknowledged.
        """
        try:
            event = self._decode(delivery.body)
        except InvalidEvent as error:
            reason = f"undecodable: {error}"
            return self._guarded(lambda: self.parking.park(group, delivery, reason, None))
        return self._guarded(lambda: self._place(event, delivery, group))

    def park(
        self, delivery: Delivery, group: str, reason: str, event: Event[Any] | None = None
    ) -> None:
        """Keep a delivery that cannot be worked, with the reason; it may be acknowledged then.

        Args:
            reason: why, for people.
            event: what it holds, where that could be read.

        Raises:
            Throttled, Unreachable: it is not kept; the delivery must come again.
        """
        self.parking.park(group, delivery, reason, event)

    def _guarded(self, step: Callable[[], None]) -> Again | None:
        try:
            step()
        except Returned as error:
            return Again(error.reason, error.after)
        except Throttled as error:
            return Again(f"the store is throttled: {error}", 1.0)
        except Unreachable as error:
            return Again(f"the store is unreachable: {error}", self.settings.wait)
        except Turn as turn:
            # A turn that nobody down there took: others are in motion, and it settles by itself.
            return Again(f"its run is contended ({type(turn).__name__})", self.settings.wait)
        return None

    def flush(self) -> Again | None:
        """Write what the deliveries that were worked still owe: the list of chains, and what is
        settled.

        Returns:
            None when they may be acknowledged; else all that was worked since the last `flush`
            must come again, whatever `work` has said of it.
        """
        try:
            self.outbox.flush()
        except (Throttled, Unreachable) as error:
            unlisted = self.outbox.unlisted
            # Else only the note that they were published is missing: a duplicate publishes again.
            self.outbox.forget()
            if unlisted:
                return Again(f"a chain could not be listed: {error}", 1.0)
        return None

    def _place(self, event: Event[Any], delivery: Delivery, group: str) -> None:
        now = self.clock()
        refused = self._refusal(event, now)
        if refused is not None:
            self.parking.park(group, delivery, refused, event)
            return
        if event.type == RunResume.event_type:
            self.runs.resume(event.data)
            return
        if event.type == ChainDeadline.event_type:
            from crosswind.engine.deadlines import reach_deadline

            reach_deadline(self.runtime, self.outbox, event)
            return
        handlers = [
            handler
            for handler in self.app.by_type.get(event.type, ())
            if handler.group == group and handler.matches(event)
        ]
        if not handlers:
            raise Returned(
                f"group {group} has no handler for {event.type}; is another version deployed?",
                self.settings.wait,
            )
        returned: Returned | None = None
        for handler in handlers:
            try:
                self.runs.start(handler, event, delivery.body, now)
            except Returned as error:
                returned = error
        if returned is not None:
            raise returned

    def _refusal(self, event: Event[Any], now: float) -> str | None:
        """Why an event is not worked at all, if so."""
        at = event.time.timestamp()
        if at > now + self.settings.skew:
            return f"its time lies {at - now:.1f} s in the future"
        if at < now - self.settings.max_age:
            return f"it is older than {self.settings.max_age:g} s"
        extensions = event.extensions
        if event.type in _OWN and not CHAIN_ID.fullmatch(event.data.chain):
            return f"{event.data.chain!r:.60} is not the id of a chain"
        if event.type == RunResume.event_type and not RUN_KEY.fullmatch(event.data.run):
            return f"{event.data.run!r:.60} is not the key of a run"
        if "hop" not in extensions:
            return None
        hop, chain = extensions["hop"], extensions.get("correlationid")
        if not isinstance(hop, int) or isinstance(hop, bool) or hop < 1:
            return f"its hop is {hop!r:.40}; a whole number above 0 is expected"
        if not isinstance(chain, str) or not CHAIN_ID.fullmatch(chain):
            return f"its correlationid is {chain!r:.80}; the id of a chain is expected"
        return None
