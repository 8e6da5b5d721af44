"""The lines of a backlog, one for each session, and who holds which session.

"Message sessions", https://learn.microsoft.com/azure/service-bus-messaging/message-sessions. Where
sessions are not asked for there is one line, which nobody holds.
"""

from collections.abc import Callable
from dataclasses import dataclass

from crosswind_local.agenda import Agenda
from crosswind_local.servicebus.conditions import session_cannot_be_locked, session_lock_lost
from crosswind_local.servicebus.entries import Entry, Line, SessionLock


@dataclass(frozen=True, slots=True)
class SessionState:
    """What was stored for a session, and when (seconds since 1970)."""

    data: bytes
    updated: float


class Sessions:
    """Lines by session, and session locks."""

    def __init__(
        self,
        required: bool,
        lock_duration: float,
        lose: Callable[[SessionLock, float, bool], None],
    ) -> None:
        """`lose(lock, now, failed)` deals with what is out under a lock that ends."""
        self.required = required
        self._lock_duration = lock_duration
        self._lose = lose
        self._lines: dict[str, Line] = {}
        self._available: dict[str, None] = {}
        """Sessions that may have messages and are not held, those that wait longest first."""
        self._held: dict[str, SessionLock] = {}
        self._states: dict[str, SessionState] = {}
        self._ends: Agenda[SessionLock] = Agenda(lambda at, lock: lock.open and lock.until == at)

    # Lines

    def add(self, entry: Entry) -> None:
        """Stand an entry in the line of its session."""
        line = self._lines.get(entry.session)
        if line is None:
            line = self._lines[entry.session] = Line()
        line.add(entry)
        if self.required and entry.session not in self._held:
            self._available.setdefault(entry.session)

    def drop(self, entry: Entry) -> None:
        """An entry that stands in a line is to be delivered no longer."""
        self._lines[entry.session].drop(entry)
        self._tidy(entry.session)

    def take(self, lock: SessionLock | None) -> Entry | None:
        """Take out the next entry of the session that is held."""
        if self.required and (lock is None or not lock.open):
            return None
        session = "" if lock is None else lock.id
        line = self._lines.get(session)
        if line is None:
            return None
        entry = line.take()
        self._tidy(session)
        return entry

    def has_waiting(self, lock: SessionLock | None) -> bool:
        """Whether `take` would find an entry."""
        if self.required and (lock is None or not lock.open):
            return False
        line = self._lines.get("" if lock is None else lock.id)
        return line is not None and line.first() is not None

    def _tidy(self, session: str) -> None:
        line = self._lines[session]
        if line.first() is None:
            del self._lines[session]
            self._available.pop(session, None)

    # Holding sessions

    def accept(
        self, session: str | None, now: float, on_lost: Callable[[], None]
    ) -> SessionLock | None:
        """Hold a session, or with None the next one that has messages; None if there is none.

        Raises:
            Refused: the session is held already.
        """
        if session is None:
            session = next(iter(self._available), None)
            if session is None:
                return None
        elif session in self._held:
            raise session_cannot_be_locked(session)
        self._available.pop(session, None)
        lock = SessionLock(session, now + self._lock_duration, on_lost)
        self._held[session] = lock
        self._ends.add(lock.until, lock)
        return lock

    def held(self, session: str) -> SessionLock:
        """The lock on a session.

        Raises:
            Refused: nobody holds it.
        """
        lock = self._held.get(session)
        if lock is None:
            raise session_lock_lost(session)
        return lock

    def renew(self, lock: SessionLock, now: float) -> float:
        """Move the end of a session lock on; returns it.

        Raises:
            Refused: it is lost.
        """
        if not lock.open:
            raise session_lock_lost(lock.id)
        lock.until = now + self._lock_duration
        self._ends.forget()
        self._ends.add(lock.until, lock)
        return lock.until

    def give_back(self, lock: SessionLock, now: float) -> None:
        """A receiver closes its session; deliveries under it do not count as failed."""
        if lock.open:
            self._end(lock, now, failed=False)
            self._ends.forget()

    def run(self, now: float) -> None:
        """End the locks that are over; deliveries under them count as failed."""
        for lock in self._ends.due(now):
            self._end(lock, now, failed=True)
            lock.on_lost()

    def next_due(self) -> float | None:
        """When the next session lock is over."""
        return self._ends.next_due()

    def _end(self, lock: SessionLock, now: float, *, failed: bool) -> None:
        lock.open = False
        del self._held[lock.id]
        self._lose(lock, now, failed)
        if lock.id in self._lines:
            self._available.setdefault(lock.id)

    # Session state

    def state(self, session: str) -> SessionState | None:
        """What was stored for a session."""
        return self._states.get(session)

    def set_state(self, session: str, data: bytes | None, now: float) -> int:
        """Store something for a session, or with None nothing; returns the bytes that it adds."""
        before = self._states.pop(session, None)
        if data is not None:
            self._states[session] = SessionState(data, now)
        return len(data or b"") - (0 if before is None else len(before.data))

    def listed(self, updated_after: float | None) -> list[str]:
        """Sessions with messages or state, or those whose state was stored after a time."""
        if updated_after is None:
            out = {lock.id for lock in self._held.values() if lock.locks}
            return sorted(self._lines.keys() | self._states.keys() | out)
        return sorted(
            session for session, state in self._states.items() if state.updated > updated_after
        )

    def clear(self) -> int:
        """Forget everything; whoever holds a session loses it. Returns the bytes of all states."""
        freed = sum(len(state.data) for state in self._states.values())
        for lock in list(self._held.values()):
            lock.open = False
            lock.on_lost()
        self._held.clear()
        self._lines.clear()
        self._available.clear()
        self._states.clear()
        self._ends.clear()
        return freed
