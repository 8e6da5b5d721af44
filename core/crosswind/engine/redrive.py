"""Redrive: a person lets a failed run be tried again.

The chain takes its lock again, its head is opened again, and the run is marked, the last two in
one write. Results and keys of what was done are kept: nothing is done twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crosswind.engine import emit
from crosswind.engine.deadlines import deadline_event
from crosswind.engine.flights import Flights
from crosswind.engine.outbox import publish
from crosswind.errors import Conflict, CrosswindError, Returned
from crosswind.ports import Change, Delete, Put
from crosswind.records.head import Head
from crosswind.records.identity import HEAD, RUN, chain_partition
from crosswind.records.joins import member_key
from crosswind.records.record import Outgoing, Record

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.engine.runtime import Runtime
    from crosswind.ports import Bus

_TURNS = 5


class NotRedrivable(CrosswindError, LookupError):
    """There is no such run, or it has not failed."""


class Redrive:
    """Redrives failed runs of an app."""

    def __init__(self, app: App, runtime: Runtime, bus: Bus, flights: Flights) -> None:
        self.app = app
        self.runtime = runtime
        self.bus = bus
        self.flights = flights

    def run(self, chain: str, run: str) -> Record:
        """Let one failed run be tried again, with as many attempts as before.

        Raises:
            NotRedrivable: there is no such run, or it has not failed.
            Returned: another open chain holds the target of this one.
        """
        for _ in range(_TURNS):
            try:
                record = self._mark(chain, run)
            except Conflict:
                continue
            wake = emit.resume(
                self.app,
                handler=record.handler,
                group=record.group,
                chain=chain,
                run=run,
                turn=record.turn,
                now=self.runtime.clock(),
                due=None,
                again=f"redrive-{record.redrives}",
            )
            publish(self.bus, [*self._deadline(record), wake])
            return record
        raise Returned("the chain is contended", 1.0)

    def _deadline(self, record: Record) -> list[Outgoing]:
        """The timer of a chain that was opened again, where it has one."""
        item = self.runtime.ledger.read(chain_partition(record.chain), HEAD)
        head = None if item is None else Head.decode(item.value)
        if head is None or not head.open or head.deadline is None or head.reopened_at is None:
            return []
        return [
            deadline_event(
                self.app,
                record.group,
                record.chain,
                head.reopened_at,
                head.deadline,
                head.generation,
            )
        ]

    def _mark(self, chain: str, run: str) -> Record:
        partition, ledger = chain_partition(chain), self.runtime.ledger
        item = ledger.read(partition, RUN + run)
        if item is None:
            raise NotRedrivable(f"chain {chain} has no run {run}")
        record = Record.decode(item.value)
        if record.state not in ("failed", "redriven"):
            raise NotRedrivable(f"run {run} is {record.state}, not failed")
        if record.state == "redriven":
            return record
        now = self.runtime.clock()
        expires = self.runtime.expires(now)
        changes: list[Change] = []
        head_item = ledger.read(partition, HEAD)
        if head_item is not None:
            head = Head.decode(head_item.value)
            if not head.open:
                lock = head.lock
                if lock is not None:
                    until = head.reopened(lock, now).deadline or now
                    until = max(until + self.runtime.settings.lease, now + 3_600)
                    lock = self.flights.relock(lock, chain, until, now)
                    # Read again: whoever is to take the lock from this chain has sealed it first.
                    head_item = ledger.read(partition, HEAD)
                    assert head_item is not None
                    head = Head.decode(head_item.value)
                    if head.open or head.sealed >= lock.epoch:
                        raise Conflict({HEAD: head_item})
                reopened = head.reopened(lock, now).encode()
                changes.append(Put(HEAD, reopened, head_item.version, expires))
        changes += self._member(partition, record)
        record.state, record.why = "redriven", ""
        record.turn += 1
        record.redrives += 1
        record.forgiven = len(record.fails)
        record.settled, record.ended, record.out = False, None, []
        ledger.write(partition, [Put(RUN + run, record.encode(), item.version, expires), *changes])
        return record

    def _member(self, partition: str, record: Record) -> list[Change]:
        """Take back that the run's branch has failed, where its join is not decided yet."""
        event = self.app.codec.decode(record.event)
        if "branch" not in event.extensions:
            return []
        join, member = emit.branch_path(event.extensions)[-1]
        if self.runtime.ledger.read(partition, member_key(join, "").rsplit(":m:")[0] + ":outcome"):
            return []
        item = self.runtime.ledger.read(partition, member_key(join, member))
        if item is None or b'"failed"' not in item.value:
            return []
        return [Delete(item.key, item.version)]
