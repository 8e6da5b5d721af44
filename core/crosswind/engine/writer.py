"""The writes of one run: its record, and with it all that has to be written together.

The first write also carries what the run's opening owes (head, evidence, conditions); the last
one may close the chain's head. A conflict is answered by looking again where that is enough, else
by a turn of the protocol.
"""

from __future__ import annotations

from crosswind.engine.log import Log
from crosswind.engine.opening import Continuing, Joining, Leading, Opening
from crosswind.engine.runtime import Runtime
from crosswind.engine.turns import Drop, Overtaken, RunAgain
from crosswind.errors import Conflict, Returned, RunFailed, TooLarge
from crosswind.ports import (
    ABSENT,
    FAILURE_RESERVE_BYTES,
    MAX_ITEM_BYTES,
    Change,
    Item,
    Put,
)
from crosswind.records.head import Head
from crosswind.records.identity import HEAD, RUN, chain_partition, safe
from crosswind.records.ledger import fresh_token
from crosswind.records.record import Outgoing, Record, State

NOTHING, DONE = "nothing-to-do", "done"
"""Outcomes of a chain whose first run emits nothing, without and with an action."""

_TURNS = 16

_ROOM = MAX_ITEM_BYTES - FAILURE_RESERVE_BYTES
_FAILURES = ("retrying", "failed", "dropped")
"""States that a record must always be able to take."""


class RunWriter:
    """Writes one run.

    Attributes:
        version: of the record as it stands, None before the first write.
        written: the record as it was written last.
        durable: how many entries of its log that holds.
        opening: what the first write owes, None once it is made.
        idle: the chain would end because its first run emits nothing, not by an ending event.
        accompanied: others have joined the chain, so that this run alone must not end it.
    """

    def __init__(
        self, runtime: Runtime, record: Record, version: str | None, opening: Continuing | None
    ) -> None:
        self.runtime = runtime
        self.record = record
        self.version = version
        self.opening = opening
        self.partition = chain_partition(record.chain)
        self.written = b""
        self.durable = 0 if version is None else len(record.log)
        self.accompanied = False
        self.idle = False
        self._head: tuple[Head, str] | None = None
        self._cancels: list[str] = []

    def begin(self) -> None:
        """Forget what an attempt has seen and wants, before the handler runs again."""
        self._head = None
        self._cancels = []

    def cancel(self, scope: str) -> None:
        """Cancel a scope with the next write."""
        key = f"scope:{safe(scope)}"
        if key not in self._cancels:
            self._cancels.append(key)

    def read_head(self) -> tuple[Head, str] | None:
        """The chain's head as it stands, with its version."""
        item = self.runtime.ledger.read(self.partition, HEAD)
        return None if item is None else (Head.decode(item.value), item.version)

    def witness_head(self) -> None:
        """Look at the head, so that the chain is closed only if nothing was said to it since."""
        item = self.runtime.ledger.read(self.partition, HEAD)
        if item is None:
            return
        if not isinstance(self.opening, Opening):
            self._head = Head.decode(item.value), item.version
        elif not isinstance(self.opening, Leading):
            self.opening.mend({HEAD: item})

    def unsee_head(self) -> None:
        """An action follows: what was seen of the head before it closes nothing."""
        self._head = None

    def claim(self) -> None:
        """Hold the run, durably, with all that was observed and done so far."""
        record = self.record
        if not record.owner or record.state != "claimed":
            record.owner = fresh_token()
        record.lease = self.runtime.clock() + self.runtime.settings.lease
        self.save("claimed")

    def time_left(self) -> float:
        """Seconds for which a call may last: a holder stops before its lease is over."""
        settings = self.runtime.settings
        if self.record.state != "claimed" or not self.record.lease:
            return settings.lease - settings.skew
        return self.record.lease - settings.skew - self.runtime.clock()

    def save(self, state: State, closing: str | None = None) -> None:
        """Write the record in a state.

        Args:
            closing: the outcome with which the same write closes the chain's head.

        Raises:
            Overtaken: another has written the run.
            Drop: the chain is closed, or the timer was cancelled.
            RunAgain: evidence came in that the handler has not seen.
            AdmitAgain: the conditions of the admission no longer hold.
            Returned: the chain is contended.
        """
        record, now = self.record, self.runtime.clock()
        record.state = state
        key = RUN + record.run
        expires = self.runtime.expires(now)
        for _ in range(_TURNS):
            head, version = (None, None) if closing is None else self._closing(closing, now)
            self.written = record.encode()
            if state not in _FAILURES and len(self.written) > _ROOM:
                raise TooLarge(
                    f"the run's record would have {len(self.written)} bytes, at most {_ROOM} are "
                    "allowed; observe less, or emit less"
                )
            changes: list[Change] = [
                Put(key, self.written, self.version or ABSENT, expires),
                *(Put(scope, b"{}", ABSENT, expires) for scope in self._cancels),
            ]
            if self.opening is not None:
                owed = self.opening.changes(head, version, expires)
                changes += [change for change in owed if change.key not in self._cancels]
            elif head is not None and version is not None:
                changes.append(Put(HEAD, head.encode(), version, expires))
            try:
                versions = self.runtime.ledger.write(self.partition, changes)
            except Conflict as conflict:
                self._mend(key, dict(conflict.found), closing)
                continue
            if key not in versions:
                # It had landed, its answer was lost, and another has gone on from it since.
                raise Overtaken(self.runtime.ledger.read(self.partition, key))
            self.version = versions[key]
            self.durable = len(record.log)
            self.opening = None
            return
        raise Returned("the chain is contended", self.runtime.settings.wait)

    def forgo_opening(self) -> None:
        """A run that is dropped makes no demands on its chain."""
        if type(self.opening) is Continuing:
            self.opening = None
        self._cancels = []

    def _closing(self, outcome: str, now: float) -> tuple[Head, str]:
        """The head as it will be closed, and the version on which that is conditional."""
        if isinstance(self.opening, Opening):
            head, version = self.opening.head, self.opening.version or ABSENT
        else:
            seen = self._head or self.read_head()
            if seen is None:
                raise RunFailed(f"chain {self.record.chain} has no head; was its store emptied?")
            head, version = seen
        if not head.open:
            raise Drop(f"the chain is closed: {head.outcome}")
        if self.idle and head.evidence > 1:
            # Others joined while this run was retried or waited: it is not its own to end.
            self.accompanied = True
            raise RunAgain
        return head.closed(outcome, now), version

    def _mend(self, key: str, found: dict[str, Item | None], closing: str | None) -> None:
        """Answer a conflict."""
        if key in found:
            raise Overtaken(found[key])
        self._cancels = [scope for scope in self._cancels if scope not in found]
        if self.opening is not None and self.opening.scope in found:
            raise Drop("its timer was cancelled")
        item = found.get(HEAD)
        if closing is not None and item is not None:
            self._mend_closing(item, closing)
        if self.opening is not None:
            self.opening.mend(found)

    def _mend_closing(self, item: Item, closing: str) -> None:
        """The head moved while the chain was to be closed: more was said to it, or it is over."""
        head = Head.decode(item.value)
        if not head.open and not isinstance(self.opening, (Leading, Joining)):
            raise Drop(f"the chain is closed: {head.outcome}")
        log = Log(self.record, self.runtime.settings.observation_bytes)
        if log.forget_evidence():
            raise RunAgain
        if self.idle:
            self.accompanied = True
            raise RunAgain
        self._head = head, item.version


def kept(record: Record) -> list[Outgoing]:
    """What of an outbox is still to be published when a run goes on."""
    return [] if record.settled else [out for out in record.out if not out.resume]
