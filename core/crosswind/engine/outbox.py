"""Publish, then settle: how what a decision says reaches the bus.

A decision is durable before anything of it is published; it is published before its delivery is
acknowledged. That it was published is noted afterwards, off the path of the next hop, so that a
duplicate early in a chain does not publish the whole chain again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import to_json

from crosswind.engine.writer import RunWriter
from crosswind.errors import Conflict, NotAccepted, Returned, Throttled, Unreachable
from crosswind.ports import ABSENT, Bus, Message, Put
from crosswind.records.identity import RUN, index_partition
from crosswind.records.ledger import Ledger
from crosswind.records.record import WAITING, Outgoing, settled

if TYPE_CHECKING:
    from crosswind.handlers import Handler
    from crosswind_events import Event

_TRIES = 3
_REMEMBERED = 1_000


def publish(bus: Bus, out: Sequence[Outgoing]) -> None:
    """Publish events; those not accepted are tried again.

    Raises:
        Returned: the bus does not take them now.
    """
    messages = [Message(o.message_id, o.body, o.attributes, o.due) for o in out]
    reason = ""
    for _ in range(_TRIES):
        if not messages:
            return
        try:
            bus.publish(messages)
        except NotAccepted as error:
            messages, reason = list(error.messages), error.reason
            continue
        return
    raise Returned(f"the bus did not accept {len(messages)} event(s): {reason}", 1.0)


class Unsettled(NamedTuple):
    """A record whose outbox was published and is not yet marked so."""

    partition: str
    key: str
    value: bytes
    version: str
    expires: float


class Outbox:
    """Publishes outboxes and remembers which of them have to be settled.

    Args:
        expires: until when what is written now has to be kept, seconds since the epoch.
    """

    def __init__(self, bus: Bus, ledger: Ledger, expires: Callable[[], float]) -> None:
        self.bus = bus
        self.ledger = ledger
        self.expires = expires
        self._unsettled: list[Unsettled] = []
        self._unlisted: dict[str, tuple[str, bytes]] = {}
        self._listed: dict[str, None] = {}

    def publish(self, out: Sequence[Outgoing]) -> None:
        """Publish events; those not accepted are tried again.

        Raises:
            Returned: the bus does not take them now; the outbox stays and is published again.
        """
        publish(self.bus, out)

    def publish_run(self, writer: RunWriter) -> None:
        """Publish what a run says, and remember to settle it.

        Raises:
            Returned: the bus does not take it now.
        """
        record = writer.record
        if record.out:
            self.publish(record.out)
        # A waiting run is not settled: its resume event may be worked already, and would find the
        # record changed under its hands.
        if writer.version is not None and not record.settled and record.state not in WAITING:
            self.note(writer.partition, RUN + record.run, writer.written, writer.version)

    def note(self, partition: str, key: str, value: bytes, version: str) -> None:
        """Remember a published record, to be settled later."""
        self._unsettled.append(Unsettled(partition, key, value, version, self.expires()))

    def list_chain(self, chain: str, opened: float, about: Callable[[], dict[str, object]]) -> None:
        """Remember a chain, to be listed in the index of its day later.

        Args:
            about: what is said of it there; asked only where the chain is not known to be listed.
        """
        if chain not in self._listed and chain not in self._unlisted:
            self._unlisted[chain] = index_partition(chain, opened), to_json(about())

    def list_opened_by(self, event: Event[Any], chain: str, handler: Handler | None) -> None:
        """Remember the chain that a first event opened or joined, to be listed later."""
        opened = event.time.timestamp()

        def about() -> dict[str, object]:
            flight = None if handler is None else handler.flight
            return {
                "source": event.source,
                "type": event.type,
                "subject": event.subject,
                "time": opened,
                "handler": None if handler is None else handler.name,
                "flight": None if flight is None else flight.name,
            }

        self.list_chain(chain, opened, about)

    @property
    def unlisted(self) -> bool:
        """Whether a chain is yet to be listed."""
        return bool(self._unlisted)

    def flush(self) -> None:
        """List chains and mark records as settled.

        Raises:
            Throttled, Unreachable: the store does not answer; all is kept, for writing once more
                what was written does no harm.
        """
        unlisted, unsettled = self._unlisted, self._unsettled
        if not unlisted and not unsettled:
            return
        self._unlisted, self._unsettled = {}, []
        try:
            with self.ledger.batch():
                for chain, (partition, about) in unlisted.items():
                    self._put(partition, Put(chain, about, ABSENT, self.expires()))
                for partition, key, value, version, expires in unsettled:
                    self._put(partition, Put(key, settled(value), version, expires))
        except (Throttled, Unreachable):
            self._unlisted = {**unlisted, **self._unlisted}
            self._unsettled = [*unsettled, *self._unsettled]
            raise
        self._listed.update(dict.fromkeys(unlisted))
        while len(self._listed) > _REMEMBERED:
            del self._listed[next(iter(self._listed))]

    def _put(self, partition: str, put: Put) -> None:
        try:
            self.ledger.write(partition, [put])
        except Conflict:
            pass  # it is listed already; the run went on, or another has settled it

    def forget(self) -> None:
        """Drop what could not be written; a later delivery of the same events settles them."""
        self._unsettled.clear()
        self._unlisted.clear()
