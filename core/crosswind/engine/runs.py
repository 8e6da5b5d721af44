"""Runs: a handler and an event, brought to a durable state by what is met in the store.

start    as if the run had never been; what stands there already is obeyed
resume   at a turn, from the record
obey     by the state of the record:

| record                          | do                                                  |
|---------------------------------|-----------------------------------------------------|
| committed, dropped, failed      | publish the outbox again if not settled             |
| claimed, lease live             | return the delivery                                 |
| claimed, lease lapsed; redriven | take over by version, continue from the record      |
| suspended, retrying             | publish its resume event again if not settled       |
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from crosswind.engine.execution import Execution
from crosswind.engine.opening import Continuing, Opening
from crosswind.engine.outbox import Outbox
from crosswind.engine.runtime import Runtime
from crosswind.engine.turns import AdmitAgain, Overtaken, Suspend
from crosswind.errors import Returned, RunFailed, Throttled, Unreachable
from crosswind.handlers import Handler
from crosswind.ports import Item
from crosswind.records.head import Head
from crosswind.records.identity import (
    CHAIN_ID,
    HEAD,
    RUN,
    chain_id,
    chain_partition,
    run_key,
    safe,
)
from crosswind.records.record import WAITING, Outgoing, Record
from crosswind_events import Event, InvalidEvent
from crosswind_events.catalogue.chain import RunResume

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.engine.flights import Flights

_TURNS = 8


class Runs:
    """Brings runs of an app to a durable state and publishes what they say."""

    def __init__(self, app: App, runtime: Runtime, outbox: Outbox) -> None:
        self.app = app
        self.runtime = runtime
        self.outbox = outbox

    @cached_property
    def flights(self) -> Flights:
        """Who holds what; made for the first handler that flies, so that a start need not wait."""
        from crosswind.engine.flights import Flights

        return Flights(self.runtime.ledger, self.runtime.settings, self.runtime.clock)

    def start(self, handler: Handler, event: Event[Any], body: bytes, now: float) -> None:
        """Run a handler for an event as if it had never been, and obey what is met."""
        extensions = event.extensions
        expiry = extensions.get("expirytime")
        if "hop" in extensions:
            chain = str(extensions["correlationid"])
            scope = extensions.get("scope")
            opening = Continuing(None if scope is None else f"scope:{safe(str(scope))}")
            record = self._record(handler, event, body, chain, now)
            if expiry is not None and self._expired(str(expiry), now):
                self._drop(record, event, handler, f"it expired at {expiry}")
            elif "timer" in extensions and self._closed(chain):
                self._drop(record, event, handler, "its timer outlived the chain")
            else:
                self._execute(Execution(self.runtime, handler, event, record, None, opening))
            return
        own = chain_id(event.source, event.id)
        if expiry is not None and self._expired(str(expiry), now):
            record = self._record(handler, event, body, own, now, first=True)
            self._drop(record, event, handler, f"it expired at {expiry}")
            return
        if handler.flight is not None:
            self._run_in_flight(handler, event, body, own, now)
            return
        self._open(handler, event, body, own, now, None, None)

    def _open(
        self,
        handler: Handler,
        event: Event[Any],
        body: bytes,
        chain: str,
        now: float,
        record: Record | None,
        version: str | None,
    ) -> None:
        """Run a handler of a first event without a flight."""
        record = record or self._record(handler, event, body, chain, now, first=True)
        deadline = self._deadline(handler)
        head = Head(opened=now, deadline=None if deadline is None else now + deadline)
        if deadline is not None:
            from crosswind.engine.deadlines import deadline_event

            record.out.append(deadline_event(self.app, handler.group, chain, now, now + deadline))
        self._execute(Execution(self.runtime, handler, event, record, version, Opening(head=head)))

    def _run_in_flight(
        self,
        handler: Handler,
        event: Event[Any],
        body: bytes,
        own: str,
        now: float,
        queued: tuple[Record, str] | None = None,
    ) -> None:
        """Run a handler of a first event that flies: admit it, then run it where it belongs.

        Args:
            queued: the record under which it waited in its own chain, and that record's version.
        """
        from crosswind.engine.deadlines import deadline_event
        from crosswind.engine.flights import Admitted, Placed, Queued, Refused

        deadline = self._deadline(handler) or self.runtime.settings.deadline
        for _ in range(_TURNS):
            try:
                admission = self.flights.admit(handler, event, own, body, deadline)
            except RunFailed as error:
                record = self._record(handler, event, body, own, now, first=True)
                execution = Execution(self.runtime, handler, event, record, None, None)
                self._failed(execution, error)
                return
            match admission:
                case Placed(chain) | Admitted(chain, _) if chain != own and queued is None:
                    item = self._waiting(handler, event, own)
                    if item is not None:
                        waiting = Record.decode(item.value)
                        if waiting.state == "failed":
                            # The bus gave it up before it was admitted.
                            self.obey(item)
                            return
                        queued = waiting, item.version
            match admission:
                case Refused(why):
                    record, version = queued or (
                        self._record(handler, event, body, own, now, first=True),
                        None,
                    )
                    self._drop(record, event, handler, why, version)
                    return
                case Placed(chain):
                    if queued is not None and chain == own:
                        why = "its chain was closed before it could be worked"
                        self._drop(queued[0], event, handler, why, queued[1])
                        return
                    self._placed(handler, event, body, chain, now)
                case Queued(why, after):
                    self._queue(handler, event, body, own, now, why, after, queued)
                    return
                case Admitted(chain, opening):
                    leads = chain == own
                    record, version = (
                        queued
                        if queued is not None and leads
                        else (self._record(handler, event, body, chain, now, first=True), None)
                    )
                    if leads:
                        self._announce(event, own, opening.head, handler)
                        if opening.head.deadline is not None and opening.evidence_key:
                            record.out = [
                                deadline_event(
                                    self.app, handler.group, own, now, opening.head.deadline
                                )
                            ]
                    try:
                        self._execute(
                            Execution(self.runtime, handler, event, record, version, opening)
                        )
                    except AdmitAgain:
                        record.log.clear()
                        record.out = []
                        continue
            if queued is not None and admission[0] != own:
                why = f"it joined chain {admission[0]}"
                self._drop(queued[0], event, handler, why, queued[1])
            return
        raise Returned("its flight is contended", self.runtime.settings.wait)

    def _waiting(self, handler: Handler, event: Event[Any], own: str) -> Item | None:
        """The record under which an event waits in its own chain, or was given up there."""
        key = run_key(handler.key_name, event.source, event.id)
        item = self.runtime.ledger.read(chain_partition(own), RUN + key)
        if item is None:
            return None
        record = Record.decode(item.value)
        return item if record.queued and record.state != "dropped" else None

    def _placed(
        self, handler: Handler, event: Event[Any], body: bytes, chain: str, now: float
    ) -> None:
        """Obey the record of a run in the chain in which it was decided."""
        key = run_key(handler.key_name, event.source, event.id)
        item = self.runtime.ledger.read(chain_partition(chain), RUN + key)
        if item is not None:
            self.obey(item)
            return
        record = self._record(handler, event, body, chain, now, first=True)
        self._drop(record, event, handler, "its chain was closed before it could be worked")

    def _queue(
        self,
        handler: Handler,
        event: Event[Any],
        body: bytes,
        own: str,
        now: float,
        why: str,
        after: float,
        queued: tuple[Record, str] | None,
    ) -> None:
        """Suspend a run whose target is not free; it is admitted again when it is resumed."""
        record, version = queued or (
            self._record(handler, event, body, own, now, first=True),
            None,
        )
        record.queued = True
        execution = Execution(self.runtime, handler, event, record, version, None)
        try:
            execution.suspend(Suspend(now + after, f"queued: {why}", []))
        except Overtaken as turn:
            self._obey_found(turn.item)
            return
        self._publish(execution)

    def _execute(self, execution: Execution) -> None:
        """Bring an execution to a durable state and publish what it says."""
        try:
            execution.run()
        except Overtaken as turn:
            self._obey_found(turn.item)
            return
        except (Returned, Throttled, Unreachable):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is recorded, never lost
            self._failed(execution, error)
            return
        self._publish(execution)

    def _failed(self, execution: Execution, error: Exception) -> None:
        from crosswind.engine.failures import record_failure

        attempts = execution.handler.attempts or self.runtime.settings.attempts
        try:
            record_failure(execution, error, attempts)
        except Overtaken as turn:
            self._obey_found(turn.item)
            return
        self._publish(execution)

    def _publish(self, execution: Execution) -> None:
        record = execution.record
        self.outbox.publish_run(execution.writer)
        if record.first and not record.settled:
            self._announce(execution.event, record.chain, None, execution.handler)

    def _drop(
        self,
        record: Record,
        event: Event[Any],
        handler: Handler,
        why: str,
        version: str | None = None,
    ) -> None:
        execution = Execution(self.runtime, handler, event, record, version, None)
        try:
            execution.drop(why)
        except Overtaken as turn:
            self._obey_found(turn.item)
            return
        self._publish(execution)

    # -- records that stand already ---------------------------------------------------------------

    def _obey_found(self, item: Item | None) -> None:
        if item is None:
            raise Returned("its record vanished", self.runtime.settings.wait)
        self.obey(item)

    def obey(self, item: Item) -> None:
        """Do what the state of a record asks for, for an event that is delivered again."""
        record = Record.decode(item.value)
        if record.state == "claimed" or record.state == "redriven":
            self._take_over(record, item.version)
            return
        if record.settled:
            return
        out: Sequence[Outgoing] = record.out
        if record.state in WAITING or out:
            self.outbox.publish(out)
        if record.first:
            event = self.app.codec.decode(record.event)
            self._announce(event, record.chain, None, self.app.handler(record.handler))
        if record.state not in WAITING:
            self.outbox.note(chain_partition(record.chain), item.key, item.value, item.version)

    def _take_over(self, record: Record, version: str) -> None:
        """Continue a run whose holder is gone.

        Raises:
            Returned: its holder may still be at work.
        """
        rest = record.lease + self.runtime.settings.skew - self.runtime.clock()
        if record.state == "claimed" and rest > 0:
            raise Returned(f"another holds run {record.run}", rest)
        self._continue(record, version)

    def resume(self, data: RunResume) -> None:
        """Continue a run at a turn, or forget a turn that has passed."""
        if not CHAIN_ID.fullmatch(data.chain):
            raise Returned(
                f"{data.chain!r:.60} is not the id of a chain", self.runtime.settings.wait
            )
        item = self.runtime.ledger.read(chain_partition(data.chain), RUN + data.run)
        if item is None:
            raise Returned(f"run {data.run} is not in the store", self.runtime.settings.wait)
        record = Record.decode(item.value)
        if data.turn < record.turn:
            # It is past; but whoever went on from it may have died before what follows was out.
            if record.state not in ("claimed", "redriven"):
                self.obey(item)
            return
        if data.turn > record.turn:
            raise Returned(
                f"run {data.run} is at turn {record.turn}, not {data.turn}",
                self.runtime.settings.wait,
            )
        if record.state in WAITING:
            self._continue(record, item.version)
        else:
            self.obey(item)

    def _continue(self, record: Record, version: str) -> None:
        """Claim a record that stands, and run its handler against it."""
        handler = self.app.handler(record.handler)
        try:
            event = self.app.codec.decode(record.event)
        except InvalidEvent as error:
            raise Returned(
                f"the event of run {record.run} cannot be read by this code: {error}",
                self.runtime.settings.wait,
            ) from error
        if handler is None:
            raise Returned(
                f"{record.handler} is not in this app; is an older version deployed?",
                self.runtime.settings.wait,
            )
        if record.queued:
            record.queued = False
            record.code = handler.code
            self._run_in_flight(
                handler, event, record.event, record.chain, self.runtime.clock(), (record, version)
            )
            return
        execution = Execution(self.runtime, handler, event, record, version, None)
        record.code = handler.code
        try:
            execution.writer.claim()
        except Overtaken as turn:
            self._obey_found(turn.item)
            return
        self._execute(execution)

    # -- parts ------------------------------------------------------------------------------------

    def _record(
        self,
        handler: Handler,
        event: Event[Any],
        body: bytes,
        chain: str,
        now: float,
        *,
        first: bool = False,
    ) -> Record:
        return Record(
            state="claimed",
            handler=handler.name,
            group=handler.group,
            code=handler.code,
            chain=chain,
            run=run_key(handler.key_name, event.source, event.id),
            event=body,
            began=now,
            first=first,
        )

    def _deadline(self, handler: Handler) -> float | None:
        """Seconds after which a chain opened by it is declared stalled, if it can end."""
        if handler.deadline is not None:
            return handler.deadline
        return self.runtime.settings.deadline if self.app.can_end(handler) else None

    def _closed(self, chain: str) -> bool:
        item = self.runtime.ledger.read(chain_partition(chain), HEAD)
        return item is not None and not Head.decode(item.value).open

    @staticmethod
    def _expired(expiry: str, now: float) -> bool:
        try:
            return datetime.fromisoformat(expiry).timestamp() < now
        except ValueError:
            return False

    def _announce(
        self, event: Event[Any], chain: str, head: Head | None, handler: Handler | None
    ) -> None:
        """List a chain: at once before the run of a flight, else off the path."""
        self.outbox.list_opened_by(event, chain, handler)
        if head is not None:
            self.outbox.flush()
