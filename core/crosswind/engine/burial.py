"""Native dead letters: what the bus gave up on enters the engine's own dead letters.

The handler is never run here. A run that stands unfinished is recorded as failed by version; a
committed one that was not published is published; what cannot be placed is parked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crosswind.engine import failures
from crosswind.engine.deadlines import reach_deadline
from crosswind.engine.execution import Execution
from crosswind.engine.flights import Role
from crosswind.engine.opening import Continuing, Opening
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
    safe,
)
from crosswind.records.parking import Parking
from crosswind.records.record import FINISHED, Record
from crosswind_events import Event, InvalidEvent
from crosswind_events.catalogue.chain import ChainDeadline, RunResume

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.handlers import Handler


class GivenUp(RunFailed):
    """The bus delivered an event too often without the run being finished."""


class Burial:
    """Takes in the native dead letters of an app."""

    def __init__(self, app: App, runtime: Runtime, outbox: Outbox, parking: Parking) -> None:
        self.app = app
        self.runtime = runtime
        self.outbox = outbox
        self.parking = parking

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
            chain = self._chain(handler, event)
            if chain is None:
                self.parking.park(group, delivery, f"{error}; it belongs to no chain", event)
                continue
            run = run_key(handler.key_name, event.source, event.id)
            item = self.runtime.ledger.read(chain_partition(chain), RUN + run)
            if item is None:
                self._bury_unseen(delivery, handler, event, chain, error)
            else:
                self._bury_item(item, error)

    def _chain(self, handler: Handler, event: Event[Any]) -> str | None:
        if "hop" in event.extensions:
            chain = event.extensions.get("correlationid")
            return chain if isinstance(chain, str) and CHAIN_ID.fullmatch(chain) else None
        own = chain_id(event.source, event.id)
        if handler.flight is not None:
            key = "role:" + safe(handler.flight.name)
            item = self.runtime.ledger.read(chain_partition(own), key)
            role = None if item is None else Role.decode(item.value)
            if role is not None and role.joined is not None:
                return role.joined
        return own

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

    def _bury_unseen(
        self,
        delivery: Delivery,
        handler: Handler,
        event: Event[Any],
        chain: str,
        error: GivenUp,
    ) -> None:
        now = self.runtime.clock()
        first = "hop" not in event.extensions
        record = Record(
            state="claimed",
            handler=handler.name,
            group=handler.group,
            code=handler.code,
            chain=chain,
            run=run_key(handler.key_name, event.source, event.id),
            event=delivery.body,
            began=now,
            first=first,
        )
        opening = Opening(head=Head(opened=now)) if first else Continuing()
        self._fail(Execution(self.runtime, handler, event, record, None, opening), error)

    def _bury_item(self, item: Item, error: GivenUp) -> None:
        record = Record.decode(item.value)
        if record.state in FINISHED:
            if not record.settled:
                self.outbox.publish(record.out)
                if record.first:
                    event = self.app.codec.decode(record.event)
                    handler = self.app.handler(record.handler)
                    self.outbox.list_opened_by(event, record.chain, handler)
                self.outbox.note(chain_partition(record.chain), item.key, item.value, item.version)
            return
        rest = record.lease + self.runtime.settings.skew - self.runtime.clock()
        if record.state == "claimed" and rest > 0:
            raise Returned(f"another holds run {record.run}", rest)
        handler = self.app.handler(record.handler)
        if handler is None:
            raise Returned(f"{record.handler} is not in this app", self.runtime.settings.wait)
        event = self.app.codec.decode(record.event)
        self._fail(Execution(self.runtime, handler, event, record, item.version, None), error)

    def _fail(self, execution: Execution, error: GivenUp) -> None:
        record = execution.record
        record.log = record.kept_after_failure()
        record.out = kept(record)
        try:
            failures.fail(execution, error)
        except (Overtaken, AdmitAgain) as turn:
            raise Returned("its run goes on", self.runtime.settings.wait) from turn
        self.outbox.publish_run(execution.writer)
        if record.first:
            self.outbox.list_opened_by(execution.event, record.chain, execution.handler)
