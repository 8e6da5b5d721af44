"""The links of a client: to an entity, from one, and to and from a management node.

Settlement: "AMQP 1.0 protocol guide", section "Transfers",
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast
from uuid import UUID, uuid4

import proton
from proton import Condition, Delivery, Terminus

from crosswind_local.servicebus import limits, messages
from crosswind_local.servicebus.amqp.frames import BATCH_FORMAT
from crosswind_local.servicebus.amqp.values import Timestamp
from crosswind_local.servicebus.conditions import (
    VENDOR,
    Refused,
    argument,
    not_implemented,
    too_large,
)
from crosswind_local.servicebus.deliveries import delivered
from crosswind_local.servicebus.entries import Entry, Lock, SessionLock
from crosswind_local.servicebus.holders import Holder
from crosswind_local.servicebus.queues import Queue
from crosswind_local.servicebus.receivers import Receiver
from crosswind_local.servicebus.topics import Topic
from crosswind_local.servicebus.wire.record import Record

if TYPE_CHECKING:
    from crosswind_local.servicebus.wire.connection import Connection

CREDIT = 500
"""Transfers that a client may send ahead on one link."""

_TRANSACTIONAL = 0x34
"""The delivery state of what belongs to a transaction."""
_NET_EPOCH = 621_355_968_000_000_000
"""1970, in the ticks of 100 nanoseconds since the year 1 that .NET counts."""


class Link(Protocol):
    """Our end of a client's link."""

    link: proton.Link

    def delivery(self, delivery: Delivery, form: int) -> None:
        """A delivery has changed; `form` is the message format of one that was completed."""
        ...

    def flow(self) -> None:
        """The credit of the link has changed, or the wire has room again."""
        ...

    def left(self) -> None:
        """The client is gone from the link."""
        ...


def refuse(link: proton.Link, because: Refused) -> None:
    """Refuse a link: attach without source or target, then detach with the error.

    AMQP 1.0, part 2, section 2.6.3.
    """
    (link.source if link.is_sender else link.target).type = Terminus.UNSPECIFIED
    link.open()
    end(link, because)


def end(link: proton.Link, because: Refused) -> None:
    """Detach a link with an error."""
    link.condition = told(because)
    link.close()


def told(because: Refused) -> Condition:
    """A refusal as it is told to a client."""
    # The SDK takes for granted that an error has an info map, and the engine leaves out one that
    # is empty; so it is told who refuses.
    info: dict[Any, Any] = {proton.symbol(VENDOR + "server"): "crosswind-local"}
    return Condition(because.condition, because.message, info)


class Incoming:
    """What is received on a link, whole deliveries of bounded size."""

    def __init__(self, link: proton.Link, most: int) -> None:
        self.link = link
        self._receiver = cast(proton.Receiver, link)
        self._most = most
        link.max_message_size = most
        link.open()
        self._receiver.flow(CREDIT)

    def whole(self, delivery: Delivery) -> bytes | None:
        """The bytes of a delivery that is complete; None when it is not, or was dealt with.

        One that is too large is rejected as soon as it is; what follows of it is passed over.
        """
        if delivery.aborted:
            delivery.settle()
            return None
        if not delivery.readable:
            return None
        if delivery.pending > self._most:
            reject(delivery, too_large(delivery.pending, self._most))
            delivery.settle()
            self._grant()
            return None
        if delivery.partial:
            return None
        raw = self._receiver.recv(delivery.pending) or b""
        self._receiver.advance()
        self._grant()
        return bytes(raw)

    def _grant(self) -> None:
        if self._receiver.credit <= CREDIT // 2:
            self._receiver.flow(CREDIT - self._receiver.credit)


class Inbox:
    """A client sends to a queue or topic."""

    def __init__(self, connection: "Connection", link: proton.Link, node: Queue | Topic) -> None:
        self.link = link
        self._node = node
        self._record = Record(connection.service, node.path)
        self._incoming = Incoming(link, limits.MESSAGE_BYTES)

    def delivery(self, delivery: Delivery, form: int) -> None:
        raw = self._incoming.whole(delivery)
        if raw is None:
            return
        with self._record.call("Send") as call:
            if delivery.remote_state == _TRANSACTIONAL:
                raise not_implemented("transactions")
            batch = form == BATCH_FORMAT
            self._node.send(messages.batch(raw) if batch else [messages.read(raw)])
        if call.refused is None:
            delivery.update(Delivery.ACCEPTED)
        else:
            reject(delivery, call.refused)
        delivery.settle()

    def flow(self) -> None:
        return

    def left(self) -> None:
        return


class Outbox:
    """A client receives from a queue, a subscription, or the dead letters of either."""

    def __init__(self, connection: "Connection", link: proton.Link, node: Holder) -> None:
        self.link = link
        self.session = link.session
        self.receiver = Receiver(self, deletes=link.remote_snd_settle_mode == link.SND_SETTLED)
        self._connection = connection
        self._sender = cast(proton.Sender, link)
        self._node = node
        self._record = Record(connection.service, node.path)
        self._out: dict[Delivery, bytes] = {}

    # A Consumer of the core

    def room(self) -> bool:
        return self.link.credit > 0 and self._connection.has_room(self)

    def deliver(self, entry: Entry, lock: Lock | None) -> None:
        # The engine takes bytes for a tag, though its annotation says str.
        tag = cast(str, uuid4().bytes_le if lock is None else lock.token)
        delivery = self._sender.delivery(tag)
        self._sender.stream(delivered(entry, lock))
        self._sender.advance()
        if lock is None:
            delivery.settle()
        else:
            self._out[delivery] = lock.token
        self._connection.touch()

    def session_accepted(self, session: SessionLock) -> None:
        link = self.link
        wanted = link.source.filter
        wanted.clear()
        wanted.put_dict({proton.symbol(VENDOR + "session-filter"): session.id})
        until = int(session.until * 10_000_000) + _NET_EPOCH
        link.properties = {proton.symbol(VENDOR + "locked-until-utc"): until}
        link.open()
        self._connection.touch()

    def ended(self, because: Refused) -> None:
        if self.link.state & proton.Endpoint.LOCAL_UNINIT:
            refuse(self.link, because)
        else:
            end(self.link, because)
        self._connection.touch()

    # A link of the wire

    def delivery(self, delivery: Delivery, form: int) -> None:
        token = self._out.get(delivery)
        state = delivery.remote_state
        if token is None or not (delivery.settled or _is_outcome(state)):
            return
        del self._out[delivery]
        with self._record.call(_SETTLED.get(int(state), "Release")) as call:
            self._settle(token, delivery, int(state))
        if call.refused is not None:
            reject(delivery, call.refused)
        elif _is_outcome(state):
            # The service answers with the outcome that it applied.
            delivery.update(state)
        delivery.settle()
        self._node.stir()

    def flow(self) -> None:
        node = self._node
        node.receivers.ready(self.receiver)
        node.stir()
        if self.link.drain_mode and self.link.credit > 0 and self._connection.has_room(self):
            self._sender.drained()

    def left(self) -> None:
        node = self._node
        node.receivers.leave(self.receiver, self._record.now())
        node.stir()
        # The receiver and this refer to each other, so the collector frees them, in any thread;
        # what the engine owns must not wait for that.
        self._out.clear()
        del self.link, self.session, self._sender

    def _settle(self, token: bytes, delivery: Delivery, state: int) -> None:
        backlog, now, remote = self._node.backlog, self._record.now(), delivery.remote
        if state == _TRANSACTIONAL:
            raise not_implemented("transactions")
        if state == Delivery.ACCEPTED:
            backlog.complete(token, now)
        elif state == Delivery.REJECTED:
            said = remote.condition
            info = _properties(None if said is None else said.info)
            reason = info.pop("DeadLetterReason", None)
            description = info.pop("DeadLetterErrorDescription", None)
            if said is not None and said.name != VENDOR + "dead-letter":
                reason, description = reason or said.name, description or said.description
            backlog.dead_letter(token, now, _text(reason), _text(description), info)
        elif state == Delivery.MODIFIED and remote.undeliverable:
            backlog.defer(token, now, _properties(remote.annotations))
        elif state == Delivery.MODIFIED:
            backlog.abandon(token, now, _properties(remote.annotations))
        else:
            backlog.release(token, now)


_SETTLED = {
    int(Delivery.ACCEPTED): "Complete",
    int(Delivery.REJECTED): "DeadLetter",
    int(Delivery.MODIFIED): "Abandon or defer",
    int(Delivery.RELEASED): "Release",
}
"""What the outcomes of deliveries are called in the record of calls."""


def reject(delivery: Delivery, because: Refused) -> None:
    """Answer a delivery, or its settlement, with an error."""
    delivery.local.condition = told(because)
    delivery.update(Delivery.REJECTED)


def _is_outcome(state: int) -> bool:
    return int(state) in _SETTLED or state == _TRANSACTIONAL


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _properties(given: object) -> dict[str, object]:
    """Properties that travel with a settlement, as plain values."""
    if not isinstance(given, Mapping):
        return {}
    return {str(name): plain(value) for name, value in given.items()}


def plain(value: object) -> object:
    """A value of the engine as one of ours.

    Raises:
        Refused: an application property cannot be of that type.
    """
    if value is None or isinstance(value, (bool, UUID)):
        return value
    if isinstance(value, proton.timestamp):
        return Timestamp(value)
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, (bytes, memoryview)):
        return bytes(value)
    raise argument(f"A property cannot be a {type(value).__name__}.")
