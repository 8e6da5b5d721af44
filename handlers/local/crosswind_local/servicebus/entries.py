"""The nouns of delivery: an entry of a backlog, the lock on it, and the lock on a session."""

import math
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from heapq import heappop, heappush

from crosswind_local.servicebus.messages import Message


class State(IntEnum):
    """What is to become of an entry; the numbers are those of `x-opt-message-state`."""

    ACTIVE = 0
    DEFERRED = 1
    SCHEDULED = 2


class Entry:
    """A message's place in one queue or subscription. Times are seconds since 1970."""

    __slots__ = (
        "due",
        "enqueued",
        "expires",
        "failures",
        "gone",
        "lock",
        "message",
        "number",
        "session",
        "state",
        "ttl",
        "waiting",
    )

    def __init__(self, number: int, message: Message, enqueued: float, session: str) -> None:
        self.number = number
        self.message = message
        self.enqueued = enqueued
        self.session = session
        """The session it belongs to; "" where sessions are not asked for."""
        self.state = State.ACTIVE
        self.ttl = math.inf
        self.expires = math.inf
        self.due = 0.0
        """When it becomes active, if it is scheduled."""
        self.failures = 0
        """Deliveries that ended in failure."""
        self.lock: Lock | None = None
        self.waiting = False
        """Whether it stands in a line, to be delivered."""
        self.gone = False


class Lock:
    """One delivery of an entry, open until it is settled or lost."""

    __slots__ = ("entry", "open", "session", "token", "until")

    def __init__(
        self, token: bytes, entry: Entry, until: float, session: "SessionLock | None"
    ) -> None:
        self.token = token
        """The lock token: a UUID, its bytes in the order that delivery tags have."""
        self.entry = entry
        self.until = until
        """When it is lost; under a session it is lost with the session instead."""
        self.session = session
        self.open = True


class SessionLock:
    """A session that is held by one receiver, with all that is out under it."""

    __slots__ = ("id", "locks", "on_lost", "open", "until")

    def __init__(self, id: str, until: float, on_lost: Callable[[], None]) -> None:
        self.id = id
        self.until = until
        self.on_lost = on_lost
        """What is called when it expires; not when it is given back."""
        self.open = True
        self.locks: dict[bytes, Lock] = {}


class Line:
    """Entries of one session, or of none, in the order of their numbers.

    New ones come in order and are cheap; those that come back go into a heap. An entry that
    expires while it stands here is passed over, and swept out once half of the line is such.
    """

    __slots__ = ("_back", "_fresh", "_stale")

    def __init__(self) -> None:
        self._fresh: deque[Entry] = deque()
        self._back: list[tuple[int, Entry]] = []
        self._stale = 0

    def add(self, entry: Entry) -> None:
        """Stand an entry in its place."""
        entry.waiting = True
        if not self._fresh or entry.number > self._fresh[-1].number:
            self._fresh.append(entry)
        else:
            heappush(self._back, (entry.number, entry))

    def first(self) -> Entry | None:
        """The entry that is next."""
        fresh, back = self._fresh, self._back
        while fresh and not fresh[0].waiting:
            fresh.popleft()
            self._stale -= 1
        while back and not back[0][1].waiting:
            heappop(back)
            self._stale -= 1
        if back and (not fresh or back[0][0] < fresh[0].number):
            return back[0][1]
        return fresh[0] if fresh else None

    def take(self) -> Entry | None:
        """Take out the entry that is next."""
        entry = self.first()
        if entry is None:
            return None
        if self._fresh and self._fresh[0] is entry:
            self._fresh.popleft()
        else:
            heappop(self._back)
        entry.waiting = False
        return entry

    def drop(self, entry: Entry) -> None:
        """An entry that stands here is to be delivered no longer."""
        entry.waiting = False
        self._stale += 1
        if self._stale > 64 and self._stale * 2 > len(self._fresh) + len(self._back):
            self._fresh = deque(other for other in self._fresh if other.waiting)
            self._back = [item for item in self._back if item[1].waiting]
            # What is left of a heap by removal is in heap order only once it is made so again.
            self._back.sort()
            self._stale = 0
