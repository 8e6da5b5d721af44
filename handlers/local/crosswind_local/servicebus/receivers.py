"""Who receives from a queue or subscription: receivers with credit, and those who await a session.

"AMQP 1.0 protocol guide", section "Flow control": credit is remembered in the order in which it
arrived, and messages are locked and transferred as they become available, to use it up.
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from crosswind_local.servicebus.backlog import Backlog
from crosswind_local.servicebus.conditions import Refused, no_session, session_lock_lost
from crosswind_local.servicebus.entries import Entry, Lock, SessionLock


class Consumer(Protocol):
    """The far end of a receiver. None of its methods may come back to the backlog."""

    def room(self) -> bool:
        """Whether one more message can be sent now: there is credit, and the wire is not full."""
        ...

    def deliver(self, entry: Entry, lock: Lock | None) -> None:
        """Send a message; with no lock it is gone from the backlog."""
        ...

    def session_accepted(self, session: SessionLock) -> None:
        """The session that was asked for is held."""
        ...

    def ended(self, because: Refused) -> None:
        """It receives no more: the session was lost or never granted, or the entity is gone."""
        ...


@dataclass(eq=False, slots=True)
class Receiver:
    """One open receiver."""

    consumer: Consumer
    deletes: bool = False
    """Whether messages are removed as they are delivered."""
    session: SessionLock | None = None
    awaits: float | None = field(default=None)
    """Until when it waits for the next session, if it does."""


class Receivers:
    """All receivers of one backlog."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self._open: set[Receiver] = set()
        self._eager: dict[Receiver, None] = {}
        """Those that may have room, in the order in which their credit arrived."""
        self._awaiting: dict[Receiver, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def join(self, receiver: Receiver) -> None:
        """A receiver is open; where sessions are asked for, it has one."""
        self._open.add(receiver)

    def join_session(
        self, receiver: Receiver, session: str | None, until: float, now: float
    ) -> None:
        """A receiver asks for a session, or with None for the next one, and waits until a time.

        Raises:
            Refused: somebody else holds the session.
        """
        self._open.add(receiver)
        try:
            if not self._grant(receiver, session, now):
                receiver.awaits = until
                self._awaiting[receiver] = None
        except Refused:
            self._open.discard(receiver)
            raise

    def leave(self, receiver: Receiver, now: float) -> None:
        """A receiver is closed. Its session is given back; other locks stay until they end."""
        self._forget(receiver)
        if receiver.session is not None:
            self._backlog.sessions.give_back(receiver.session, now)

    def ready(self, receiver: Receiver) -> None:
        """A receiver has room, perhaps."""
        if receiver in self._open:
            self._eager.setdefault(receiver)

    def pump(self, now: float) -> None:
        """Grant sessions and deliver messages, as far as both are there."""
        self._end_waits(now)
        while self._awaiting:
            receiver = next(iter(self._awaiting))
            if not self._grant(receiver, None, now):
                break
            del self._awaiting[receiver]
            receiver.awaits = None
        for receiver in list(self._eager):
            if not self._serve(receiver, now):
                del self._eager[receiver]
            elif receiver.session is None:
                # It would take more, so there is nothing left for those behind it either.
                return

    def next_due(self) -> float | None:
        """When the next receiver gives up waiting for a session."""
        return min(
            (receiver.awaits for receiver in self._awaiting if receiver.awaits is not None),
            default=None,
        )

    def close(self, because: Refused) -> None:
        """End all receivers."""
        for receiver in list(self._open):
            self._forget(receiver)
            receiver.consumer.ended(because)

    def _serve(self, receiver: Receiver, now: float) -> bool:
        """Deliver what a receiver has room for; returns whether it has room for more."""
        while receiver.consumer.room():
            if receiver.deletes:
                entry = self._backlog.take_away(now, receiver.session)
                if entry is None:
                    return True
                receiver.consumer.deliver(entry, None)
            else:
                lock = self._backlog.take(now, receiver.session)
                if lock is None:
                    return True
                receiver.consumer.deliver(lock.entry, lock)
        return False

    def _grant(self, receiver: Receiver, session: str | None, now: float) -> bool:
        def lost() -> None:
            self._forget(receiver)
            held = receiver.session
            receiver.consumer.ended(session_lock_lost(None if held is None else held.id))

        lock = self._backlog.sessions.accept(session, now, lost)
        if lock is None:
            return False
        receiver.session = lock
        receiver.consumer.session_accepted(lock)
        return True

    def _end_waits(self, now: float) -> None:
        for receiver in list(self._late(now)):
            self._forget(receiver)
            receiver.consumer.ended(no_session())

    def _late(self, now: float) -> Iterator[Receiver]:
        for receiver in self._awaiting:
            if receiver.awaits is not None and receiver.awaits <= now:
                yield receiver

    def _forget(self, receiver: Receiver) -> None:
        self._open.discard(receiver)
        self._eager.pop(receiver, None)
        self._awaiting.pop(receiver, None)
