"""Publish, then settle: how what a decision says reaches the bus.

A decision is durable before anything of it is published; it is published before its delivery is
acknowledged. That it was published is noted afterwards, off the path of the next hop, so that a
duplicate early in a chain does not publish the whole chain again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pydantic_core import to_json

from crosswind.engine.writer import RunWriter
from crosswind.errors import Conflict, NotAccepted, Returned
from crosswind.ports import ABSENT, Bus, Message, Put
from crosswind.records.identity import RUN, index_partition
from crosswind.records.ledger import Ledger
from crosswind.records.record import Outgoing, settled

_TRIES = 3


class Unsettled(NamedTuple):
    """A record whose outbox was published and is not yet marked so."""

    partition: str
    key: str
    value: bytes
    version: str


class Outbox:
    """Publishes outboxes and remembers which of them have to be settled."""

    def __init__(self, bus: Bus, ledger: Ledger) -> None:
        self.bus = bus
        self.ledger = ledger
        self._unsettled: list[Unsettled] = []
        self._unlisted: list[tuple[str, str, bytes]] = []

    def publish(self, out: Sequence[Outgoing]) -> None:
        """Publish events; those not accepted are tried again.

        Raises:
            Returned: the bus does not take them now; the outbox stays and is published again.
        """
        messages = [Message(o.message_id, o.body, o.attributes, o.due) for o in out]
        reason = ""
        for _ in range(_TRIES):
            if not messages:
                return
            try:
                self.bus.publish(messages)
            except NotAccepted as error:
                messages, reason = list(error.messages), error.reason
                continue
            return
        raise Returned(f"the bus did not accept {len(messages)} event(s): {reason}", 1.0)

    def publish_run(self, writer: RunWriter) -> None:
        """Publish what a run says, and remember to settle it.

        Raises:
            Returned: the bus does not take it now.
        """
        record = writer.record
        if record.out:
            self.publish(record.out)
        if writer.version is not None and not record.settled:
            self.note(writer.partition, RUN + record.run, writer.written, writer.version)

    def note(self, partition: str, key: str, value: bytes, version: str) -> None:
        """Remember a published record, to be settled later."""
        self._unsettled.append(Unsettled(partition, key, value, version))

    def list_chain(self, chain: str, opened: float, about: dict[str, object]) -> None:
        """Remember a chain, to be listed in the index of its day later."""
        self._unlisted.append((index_partition(chain, opened), chain, to_json(about)))

    def flush(self) -> None:
        """List chains and mark records as settled.

        Raises:
            Throttled, Unreachable: the store does not answer; what was not written is kept.
        """
        while self._unlisted:
            partition, chain, about = self._unlisted[-1]
            list_chain(self.ledger, partition, chain, about)
            self._unlisted.pop()
        while self._unsettled:
            partition, key, value, version = self._unsettled[-1]
            try:
                self.ledger.write(partition, [Put(key, settled(value), version)])
            except Conflict:
                pass  # the run went on, or another has settled it
            self._unsettled.pop()

    def forget(self) -> None:
        """Drop what could not be written; a later delivery of the same events settles them."""
        self._unsettled.clear()
        self._unlisted.clear()


def list_chain(ledger: Ledger, partition: str, chain: str, about: bytes) -> None:
    """Put a chain into the index of its day, once."""
    try:
        ledger.write(partition, [Put(chain, about, ABSENT)])
    except Conflict:
        pass  # it is listed already
