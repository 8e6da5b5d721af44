"""A receiver for tests of entities: it keeps what it is given instead of sending it anywhere."""

from crosswind_local.servicebus.conditions import Refused
from crosswind_local.servicebus.entries import Entry, Lock, SessionLock
from crosswind_local.servicebus.holders import Holder
from crosswind_local.servicebus.receivers import Receiver


class Inbox:
    """The far end of a receiver, with credit of its own."""

    def __init__(self, holder: Holder, credit: int = 100, *, deletes: bool = False) -> None:
        self.credit = credit
        self.entries: list[Entry] = []
        self.locks: list[Lock] = []
        self.session: SessionLock | None = None
        self.refused: Refused | None = None
        self.receiver = Receiver(self, deletes=deletes)
        self._holder = holder

    def join(self) -> "Inbox":
        """Begin to receive."""
        self._holder.receivers.join(self.receiver)
        return self.more(0)

    def join_session(self, session: str | None, wait: float = 60) -> "Inbox":
        """Ask for a session and then receive from it."""
        now = self._holder.surroundings.now()
        self._holder.receivers.join_session(self.receiver, session, now + wait, now)
        return self.more(0)

    def more(self, credit: int) -> "Inbox":
        """Grant more credit."""
        self.credit += credit
        self._holder.receivers.ready(self.receiver)
        self._holder.stir()
        return self

    def leave(self) -> None:
        """Close the receiver."""
        self._holder.receivers.leave(self.receiver, self._holder.surroundings.now())
        self._holder.stir()

    def texts(self) -> list[str | None]:
        """The ids of the messages received so far."""
        return [entry.message.message_id for entry in self.entries]

    def room(self) -> bool:
        return self.credit > 0

    def deliver(self, entry: Entry, lock: Lock | None) -> None:
        self.credit -= 1
        self.entries.append(entry)
        if lock is not None:
            self.locks.append(lock)

    def session_accepted(self, session: SessionLock) -> None:
        self.session = session

    def ended(self, because: Refused) -> None:
        self.refused = because


def dead(holder: Holder) -> Inbox:
    """A receiver of the dead letters."""
    assert holder.dead_letters is not None
    return Inbox(holder.dead_letters).join()
