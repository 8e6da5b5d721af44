"""The backlog of one queue or subscription: what it holds, what is locked, what becomes of it.

Nothing here knows of AMQP, threads or clocks: every method is told the time, in seconds since
1970. Every operation costs the same whatever the backlog holds, but for peeking at one session.

Sources, all under https://learn.microsoft.com/azure/service-bus-messaging/:
"Message transfers, locks, and settlement" (message-transfers-locks-settlement), "Message
expiration" (message-expiration), "Message deferral" (message-deferral), "Message sequencing and
timestamps" (message-sequencing), "Message browsing" (message-browsing), "Dead-letter queues"
(service-bus-dead-letter-queues).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from uuid import uuid4

from crosswind_local.agenda import Agenda
from crosswind_local.memory import Memory
from crosswind_local.servicebus import limits
from crosswind_local.servicebus.conditions import (
    Refused,
    message_lock_lost,
    message_not_found,
    not_allowed,
    session_lock_lost,
    too_large,
)
from crosswind_local.servicebus.entries import Entry, Lock, SessionLock, State
from crosswind_local.servicebus.messages import Message
from crosswind_local.servicebus.sessions import Sessions
from crosswind_local.servicebus.settings import SubscriptionSettings
from crosswind_local.servicebus.shelf import Shelf

Properties = Mapping[str, object]
"""Application properties to set when a delivery is settled."""

_NOTHING: Properties = {}


class DeadLetter(NamedTuple):
    """An entry that leaves for the dead-letter queue, and why."""

    entry: Entry
    reason: str | None
    description: str | None


class Backlog:
    """The messages of one queue or subscription that are not done with."""

    def __init__(
        self,
        settings: SubscriptionSettings,
        memory: Memory,
        dead_letter: Callable[[DeadLetter], None] | None,
        *,
        token: Callable[[], bytes] = lambda: uuid4().bytes_le,
    ) -> None:
        """`dead_letter` takes what is dead-lettered; None makes this a dead-letter queue itself.

        In a dead-letter queue nothing expires and deliveries are not bounded. `token` makes lock
        tokens.
        """
        self.settings = settings
        self._shelf = Shelf(memory)
        self._dead_letter = dead_letter
        self._token = token
        self.sessions = Sessions(
            settings.requires_session, settings.lock_duration, self._lose_session
        )
        self._locks: dict[bytes, Lock] = {}
        self._deferred = 0
        """How many are deferred and not locked."""
        self._ahead = 0
        """How many are scheduled."""
        self._scheduled: Agenda[Entry] = Agenda(
            lambda at, entry: entry.state is State.SCHEDULED and not entry.gone
        )
        self._expiries: Agenda[Entry] = Agenda(lambda at, entry: not entry.gone)
        self._lock_ends: Agenda[Lock] = Agenda(lambda at, lock: lock.open and lock.until == at)

    # What is held

    @property
    def size(self) -> int:
        """Bytes of messages held, session states included."""
        return self._shelf.size

    def counts(self) -> dict[str, int]:
        """How many messages are active, locked, deferred and scheduled."""
        locked = len(self._locks)
        return {
            "active": len(self._shelf) - locked - self._deferred - self._ahead,
            "locked": locked,
            "deferred": self._deferred,
            "scheduled": self._ahead,
        }

    def peek(self, start: int, most: int, session: str | None = None) -> list[Entry]:
        """Entries from a number on, in any state, in the order of their numbers.

        Raises:
            Refused: `most` is not positive.
        """
        if most < 1:
            raise not_allowed(f"message-count must be positive, not {most}.")
        return self._shelf.peek(start, most, session)

    # What comes in

    def add(self, message: Message, now: float) -> int:
        """Take in a message, to be delivered at once; returns its number."""
        entry = self._keep(message, now)
        self._activate(entry, now)
        return entry.number

    def schedule(self, message: Message, due: float, now: float) -> int:
        """Take in a message that becomes active later; returns the number it has until then."""
        entry = self._keep(message, now)
        entry.state, entry.due = State.SCHEDULED, due
        self._scheduled.add(due, entry)
        self._ahead += 1
        return entry.number

    def cancel(self, numbers: Sequence[int]) -> None:
        """Remove scheduled messages, all of them or none.

        Raises:
            Refused: one is not there or not scheduled any longer.
        """
        entries = [self._shelf.get(number) for number in numbers]
        for number, entry in zip(numbers, entries, strict=True):
            if entry is None or entry.state is not State.SCHEDULED:
                raise message_not_found(number)
        for entry in entries:
            if entry is not None and not entry.gone:
                self._remove(entry)
                self._scheduled.forget()
                self._ahead -= 1

    def refuse(self, message: Message, now: float, reason: str, description: str) -> None:
        """Take in a message only to dead-letter it."""
        self._bury(self._keep(message, now), reason, description)

    def bury(self, dead: Entry, message: Message) -> None:
        """Take in a dead letter; it keeps its number, its time and its count of failures."""
        entry = self._keep(message, dead.enqueued, dead.number)
        entry.failures, entry.ttl = dead.failures, dead.ttl
        self.sessions.add(entry)

    # What goes out

    def take(self, now: float, session: SessionLock | None = None) -> Lock | None:
        """Lock the next message, of a session that is held where sessions are asked for."""
        self.run(now)
        entry = self.sessions.take(session)
        return None if entry is None else self._lock(entry, now, session)

    def take_away(self, now: float, session: SessionLock | None = None) -> Entry | None:
        """Remove the next message and hand it out: receive and delete."""
        self.run(now)
        entry = self.sessions.take(session)
        if entry is not None:
            self._remove(entry)
        return entry

    def has_waiting(self, session: SessionLock | None = None) -> bool:
        """Whether `take` would find a message."""
        return self.sessions.has_waiting(session)

    def receive_deferred(
        self, numbers: Sequence[int], now: float, session: SessionLock | None = None
    ) -> list[Lock]:
        """Lock deferred messages by their numbers, all of them or none.

        Raises:
            Refused: one is not there, not deferred, locked, or of another session.
        """
        return [
            self._lock(entry, now, session) for entry in self._deferred_entries(numbers, session)
        ]

    def take_deferred(
        self, numbers: Sequence[int], session: SessionLock | None = None
    ) -> list[Entry]:
        """Remove deferred messages by their numbers, all of them or none.

        Raises:
            Refused: one is not there, not deferred, locked, or of another session.
        """
        entries = self._deferred_entries(numbers, session)
        for entry in entries:
            self._deferred -= 1
            self._remove(entry)
        return entries

    # What becomes of it

    def complete(self, token: bytes, now: float) -> None:
        """The message is done with.

        Raises:
            Refused: the lock is lost, as for each of the methods that settle; where these take
                properties, one cannot be written.
        """
        self._remove(self._settled(token, now))

    def abandon(self, token: bytes, now: float, properties: Properties = _NOTHING) -> None:
        """The message is given back, which counts as a failed delivery."""
        self._fail(self._settled(token, now, properties), now)

    def release(self, token: bytes, now: float) -> None:
        """The message is given back as if it had not been delivered."""
        self._give_back(self._settled(token, now), now)

    def defer(self, token: bytes, now: float, properties: Properties = _NOTHING) -> None:
        """The message is put aside, to be received by its number only."""
        entry = self._settled(token, now, properties)
        entry.state = State.DEFERRED
        self._deferred += 1

    def dead_letter(
        self,
        token: bytes,
        now: float,
        reason: str | None = None,
        description: str | None = None,
        properties: Properties = _NOTHING,
    ) -> None:
        """The message is moved to the dead-letter queue.

        Raises:
            Refused: the lock is lost, or this is a dead-letter queue.
        """
        if self._dead_letter is None:
            raise not_allowed("A message cannot be dead-lettered from a dead-letter queue.")
        self._bury(self._settled(token, now, properties), reason, description)

    def renew(self, tokens: Sequence[bytes], now: float) -> list[float]:
        """Move the ends of locks on; returns them. All of them are renewed or none.

        Raises:
            Refused: a lock is lost.
        """
        self.run(now)
        locks = [self._held(token) for token in tokens]
        for lock in locks:
            if lock.session is None:
                lock.until = now + self.settings.lock_duration
                self._lock_ends.forget()
                self._lock_ends.add(lock.until, lock)
        return [lock.until if lock.session is None else lock.session.until for lock in locks]

    def set_session_state(self, session: str, data: bytes | None, now: float) -> None:
        """Store something for a session, or with None nothing.

        Raises:
            Refused: it is too large.
        """
        if data is not None and len(data) > limits.SESSION_STATE_BYTES:
            raise too_large(len(data), limits.SESSION_STATE_BYTES)
        growth = self.sessions.set_state(session, data, now)
        self._shelf.weigh(growth, growth)

    # Time

    def run(self, now: float) -> None:
        """Do what has become due, each at its own moment: locks, expiries, schedules."""
        while (due := self.next_due()) is not None and due <= now:
            for lock in self._lock_ends.due(due):
                self._close(lock)
                self._fail(lock.entry, due)
            self.sessions.run(due)
            for entry in self._expiries.due(due):
                # One that is locked or deferred is looked at again when it comes back.
                if entry.waiting:
                    self.sessions.drop(entry)
                    self._expire(entry)
            for entry in self._scheduled.due(due):
                self._ahead -= 1
                self._shelf.renumber(entry)
                self._activate(entry, due)

    def next_due(self) -> float | None:
        """When `run` has something to do next."""
        dues = (
            self._lock_ends.next_due(),
            self._expiries.next_due(),
            self._scheduled.next_due(),
            self.sessions.next_due(),
        )
        return min((due for due in dues if due is not None), default=None)

    def clear(self) -> None:
        """Forget everything."""
        for entry in self._shelf.entries():
            if entry.lock is not None:
                self._close(entry.lock)
            if entry.waiting:
                self.sessions.drop(entry)
            self._remove(entry)
        self._expiries.clear()
        self._scheduled.clear()
        self._deferred = self._ahead = 0
        freed = self.sessions.clear()
        self._shelf.weigh(-freed, -freed)

    def _keep(self, message: Message, enqueued: float, number: int | None = None) -> Entry:
        session = (message.session_id or "") if self.sessions.required else ""
        return self._shelf.add(message, enqueued, session, number)

    def _remove(self, entry: Entry) -> None:
        self._shelf.remove(entry)
        if entry.expires < math.inf:
            self._expiries.forget()

    def _activate(self, entry: Entry, now: float) -> None:
        entry.state, entry.enqueued = State.ACTIVE, now
        ttl = self.settings.default_time_to_live
        entry.ttl = ttl if entry.message.ttl is None else min(ttl, entry.message.ttl)
        entry.expires = now + entry.ttl
        if entry.expires < math.inf:
            self._expiries.add(entry.expires, entry)
        self.sessions.add(entry)

    def _lock(self, entry: Entry, now: float, session: SessionLock | None) -> Lock:
        until = now + self.settings.lock_duration
        lock = Lock(self._token(), entry, until, session)
        entry.lock = self._locks[lock.token] = lock
        if entry.state is State.DEFERRED:
            self._deferred -= 1
        if session is None:
            self._lock_ends.add(until, lock)
        else:
            session.locks[lock.token] = lock
        return lock

    def _deferred_entries(self, numbers: Sequence[int], session: SessionLock | None) -> list[Entry]:
        entries = []
        for number in dict.fromkeys(numbers):
            entry = self._shelf.get(number)
            if entry is None or entry.state is not State.DEFERRED or entry.lock is not None:
                raise message_not_found(number)
            if entry.session != ("" if session is None else session.id):
                raise message_not_found(number)
            entries.append(entry)
        return entries

    def _held(self, token: bytes) -> Lock:
        lock = self._locks.get(token)
        if lock is None:
            raise self._lock_lost()
        return lock

    def _lock_lost(self) -> Refused:
        return session_lock_lost() if self.sessions.required else message_lock_lost()

    def _settled(self, token: bytes, now: float, properties: Properties = _NOTHING) -> Entry:
        """Close the lock of a token; the caller then acts on its entry, changed as is asked for.

        Raises:
            Refused: the lock is lost, or a property cannot be written; then nothing has happened.
        """
        self.run(now)
        lock = self._held(token)
        message = lock.entry.message.with_application(properties)
        self._close(lock)
        self._shelf.replace(lock.entry, message)
        return lock.entry

    def _close(self, lock: Lock) -> None:
        lock.open = False
        lock.entry.lock = None
        del self._locks[lock.token]
        if lock.session is None:
            self._lock_ends.forget()
        else:
            del lock.session.locks[lock.token]

    def _fail(self, entry: Entry, now: float) -> None:
        """A delivery has failed: it was abandoned, or its lock was lost."""
        entry.failures += 1
        most = self.settings.max_delivery_count
        if self._dead_letter is not None and entry.failures >= most:
            self._bury(
                entry,
                "MaxDeliveryCountExceeded",
                f"Message could not be consumed after {most} delivery attempts.",
            )
        else:
            self._give_back(entry, now)

    def _give_back(self, entry: Entry, now: float) -> None:
        if entry.state is State.DEFERRED:
            self._deferred += 1
        elif entry.expires <= now:
            self._expire(entry)
        else:
            self.sessions.add(entry)

    def _lose_session(self, session: SessionLock, now: float, failed: bool) -> None:
        for lock in list(session.locks.values()):
            self._close(lock)
            if failed:
                self._fail(lock.entry, now)
            else:
                self._give_back(lock.entry, now)

    def _expire(self, entry: Entry) -> None:
        if self.settings.dead_letter_on_expiration:
            self._bury(entry, "TTLExpiredException", "The message expired and was dead lettered.")
        else:
            self._remove(entry)

    def _bury(self, entry: Entry, reason: str | None, description: str | None) -> None:
        self._remove(entry)
        if self._dead_letter is not None:
            self._dead_letter(DeadLetter(entry, reason, description))
