"""Native dead letters: what the bus gave up on enters the engine's own dead letters.

The handler is never run here. A run that stands unfinished is recorded as failed by version; a
committed one that was not published is published; what cannot be placed is parked. A first event
that flies is admitted like any other, and its run failed where it belongs: whoever works the same
event at the same time, or when it comes again, meets that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from crosswind.engine import failures
from crosswind.engine.deadlines import reach_deadline
from crosswind.engine.execution import Execution
from crosswind.engine.flights import (
    Admitted,
    Flights,
    Placed,
    Queued,
    Refused,
    role_key,
)
from crosswind.engine.opening import Continuing, Opening, Unadmitted
from crosswind.engine.outbox import Outbox
from crosswind.engine.runtime import Runtime
from crosswind.engine.turns import AdmitAgain, Overtaken
from crosswind.engine.writer import kept
from crosswind.errors import Returned, RunFailed
from crosswind.ports import Delivery, Item
from crosswind.records.head import Head
from crosswind.records.identity import (
    CHAIN_ID,
    RUN,
    chain_id,
    chain_partition,
    run_key,
)
from crosswind.records.parking import Parking
from crosswind.records.record import FINISHED, WAITING, Record
from crosswind_events import Event, InvalidEvent
from crosswind_events.catalogue.chain import ChainDeadline, RunResume

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.handlers import Handler


class GivenUp(RunFailed):
    """The bus delivered an event too often without the run being finished."""


class Burial:
    """Takes in the native dead letters of an app."""

    def __init__(
        self, app: App, runtime: Runtime, outbox: Outbox, parking: Parking, flights: Flights
    ) -> None:
        self.app = app
        self.runtime = runtime
        self.outbox = outbox
        self.parking = parking
        self.flights = flights

    def bury(self, delivery: Delivery, group: str) -> None:
        """Take in one native dead letter.

        Raises:
            Returned: its run is held by a live lease; it must come again.
        """
        try:
            event = self.app.codec.decode(delivery.body)
        except InvalidEvent as invalid:
            self.parking.park(group, delivery, f"undecodable: {invalid}", None)
            return
        error = GivenUp(f"the bus gave it up after {delivery.receipts} deliveries")
        if event.type == RunResume.event_type:
            self._bury_run(delivery, group, event, event.data.chain, event.data.run, error)
            return
        if event.type == ChainDeadline.event_type and CHAIN_ID.fullmatch(event.data.chain):
            reach_deadline(self.runtime, self.outbox, event)
            return
        handlers = [
            handler
            for handler in self.app.by_type.get(event.type, ())
            if handler.group == group and handler.matches(event)
        ]
        if not handlers:
            self.parking.park(group, delivery, f"{error}; no handler takes it here", event)
            return
        for handler in handlers:
            if "hop" in event.extensions:
                chain = event.extensions.get("correlationid")
                if not isinstance(chain, str) or not CHAIN_ID.fullmatch(chain):
                    self.parking.park(group, delivery, f"{error}; it belongs to no chain", event)
                    continue
            else:
                chain = chain_id(event.source, event.id)
            run = run_key(handler.key_name, event.source, event.id)
            item = self.runtime.ledger.read(chain_partition(chain), RUN + run)
            if item is not None and Record.decode(item.value).state in WAITING:
                # It was worked; what the bus gave up on is that it goes on, which is said again.
                self._publish(Record.decode(item.value))
            elif item is not None:
                self._bury_item(item, error)
            elif handler.flight is not None and "hop" not in event.extensions:
                self._bury_in_flight(handler, event, delivery.body, chain, error)
            else:
                record = self._record(handler, event, delivery.body, chain)
                opening = Opening(head=Head(opened=record.began)) if record.first else Continuing()
                self._fail(Execution(self.runtime, handler, event, record, None, opening), error)

    def _bury_run(
        self,
        delivery: Delivery,
        group: str,
        event: Event[Any],
        chain: str,
        run: str,
        error: GivenUp,
    ) -> None:
        item = None
        if CHAIN_ID.fullmatch(chain):
            item = self.runtime.ledger.read(chain_partition(chain), RUN + run)
        if item is None:
            self.parking.park(group, delivery, f"{error}; its run is not in the store", event)
            return
        record = Record.decode(item.value)
        if record.turn == event.data.turn:
            self._bury_item(item, error)
        elif record.state not in ("claimed", "redriven") and not record.settled:
            self.outbox.publish(record.out)

    def _bury_in_flight(
        self,
        handler: Handler,
        event: Event[Any],
        body: bytes,
        own: str,
        error: GivenUp,
        queued: tuple[Record, str] | None = None,
    ) -> None:
        """Fail the run of a first event that flies, in the chain in which it would be worked.

        Args:
            queued: the record under which it waits in its own chain, and that record's version.
        """
        flight = handler.flight
        assert flight is not None, "only what flies is admitted"
        deadline = handler.deadline or self.runtime.settings.deadline
        try:
            admission = self.flights.admit(handler, event, own, body, deadline)
        except RunFailed as failure:
            admission = Queued(str(failure), 0.0)
        chain, refused, item = own, "", None
        opening: Continuing | None = None
        match admission:
            case Refused(refused):
                pass
            case Queued():
                opening = Unadmitted(role_key=role_key(flight))
            case Placed(chain) if chain != own or queued is None:
                run = RUN + run_key(handler.key_name, event.source, event.id)
                item = self.runtime.ledger.read(chain_partition(chain), run)
            case Admitted(chain, first_write):
                opening = first_write
        own_record, version = queued if queued is not None and chain == own else (None, None)
        record = own_record or self._record(handler, event, body, chain)
        record.queued = isinstance(admission, Queued)
        execution = Execution(self.runtime, handler, event, record, version, opening)
        if item is not None:
            self._bury_item(item, error)
        elif refused:
            self._drop(execution, refused)
        else:
            self._fail(execution, error)
        if queued is not None and chain != own:
            waiting = Execution(self.runtime, handler, event, *queued, None)
            self._drop(waiting, f"it joined chain {chain}")

    def _record(self, handler: Handler, event: Event[Any], body: bytes, chain: str) -> Record:
        return Record(
            state="claimed",
            handler=handler.name,
            group=handler.group,
            code=handler.code,
            chain=chain,
            run=run_key(handler.key_name, event.source, event.id),
            event=body,
            began=self.runtime.clock(),
            first="hop" not in event.extensions,
        )

    def _bury_item(self, item: Item, error: GivenUp) -> None:
        record = Record.decode(item.value)
        if record.state in FINISHED:
            if not record.settled:
                self._publish(record)
                self.outbox.note(chain_partition(record.chain), item.key, item.value, item.version)
            return
        rest = record.lease + self.runtime.settings.skew - self.runtime.clock()
        if record.state == "claimed" and rest > 0:
            raise Returned(f"another holds run {record.run}", rest)
        handler = self.app.handler(record.handler)
        if handler is None:
            raise Returned(f"{record.handler} is not in this app", self.runtime.settings.wait)
        event = self.app.codec.decode(record.event)
        if record.queued:
            self._bury_in_flight(
                handler, event, record.event, record.chain, error, (record, item.version)
            )
            return
        self._fail(Execution(self.runtime, handler, event, record, item.version, None), error)

    def _fail(self, execution: Execution, error: GivenUp) -> None:
        record = execution.record
        record.log = record.kept_after_failure()
        record.out = kept(record)
        self._end(execution, lambda: failures.fail(execution, error))

    def _drop(self, execution: Execution, why: str) -> None:
        self._end(execution, lambda: execution.drop(why))

    def _end(self, execution: Execution, step: Callable[[], None]) -> None:
        try:
            step()
        except (Overtaken, AdmitAgain) as turn:
            raise Returned("its run goes on", self.runtime.settings.wait) from turn
        self.outbox.publish_run(execution.writer)
        record = execution.record
        if record.first:
            self.outbox.list_opened_by(execution.event, record.chain, execution.handler)

    def _publish(self, record: Record) -> None:
        self.outbox.publish(record.out)
        if record.first:
            event = self.app.codec.decode(record.event)
            self.outbox.list_opened_by(event, record.chain, self.app.handler(record.handler))
