"""The bus in an SQLite file: a queue for each group, with due times, leases and dead letters."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Final

from crosswind.buses.promises import MAX_RECEIPTS, accepted
from crosswind.buses.routing import Binding, Routes
from crosswind.embedded.consumer import Received, check_receive
from crosswind.embedded.database import Database
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.errors import NotAccepted, StoreError
from crosswind.ports import Delivery, Message

GENERATION: Final = "SELECT value FROM crosswind WHERE name = 'bindings'"
BINDINGS: Final = "SELECT recipient, type, filter FROM bindings"
BINDINGS_OF: Final = "SELECT recipient, type, filter FROM bindings WHERE recipient = ?"
PUBLISH: Final = """
    INSERT INTO messages (recipient, id, due, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"""
DUE: Final = """
    SELECT number, id, body, receipts FROM messages
    WHERE recipient = ? AND dead = ? AND due <= ? ORDER BY due, number LIMIT ?"""
NEXT_DUE: Final = "SELECT min(due) FROM messages WHERE recipient = ? AND dead = ?"
LEASE: Final = "UPDATE messages SET due = ?, lease = ?, receipts = receipts + 1 WHERE number = ?"
# An older dead letter of the same id gives way to the newer.
BURY: Final = "UPDATE OR REPLACE messages SET dead = 1, due = ?, lease = NULL WHERE number = ?"
ACK: Final = "DELETE FROM messages WHERE number = ? AND lease = ?"
HAND_BACK: Final = "UPDATE messages SET due = ?, lease = NULL WHERE number = ? AND lease = ?"
DEPTH: Final = "SELECT count(*) FROM messages WHERE recipient = ? AND dead = 0"
DEAD_LETTERS: Final = """
    SELECT id, body, receipts FROM messages
    WHERE recipient = ? AND dead = 1 ORDER BY due, number LIMIT ?"""


class SqliteBus:
    """Events in one SQLite file that threads and processes share; see `Consumer` for its promises.

    Args:
        path: the file, which is created where there is none; or a store, whose file and
            connections it then shares until that is closed. That is quicker: what one connection
            has written, another has to read anew.
        clock: seconds since the epoch; all who share the file read the same one.
        max_receipts: how often a message is received before it is a dead letter.
        timeout: seconds to wait for another writer before giving up with `Throttled`, or with
            `NotAccepted` when publishing; that of the store, where it shares one.

    Raises:
        StoreError: the file is not ours, damaged, or of a newer release.
        Throttled, Unreachable: it cannot be opened now.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | SqliteStore,
        *,
        clock: Callable[[], float] = time.time,
        max_receipts: int = MAX_RECEIPTS,
        timeout: float = 5.0,
    ) -> None:
        self._shares = isinstance(path, SqliteStore)
        self._database = path.database if isinstance(path, SqliteStore) else Database(path, timeout)
        self._clock = clock
        self._max_receipts = max_receipts
        self._routes = (-1, Routes(()))

    def publish(self, messages: Sequence[Message]) -> None:
        """See `Bus.publish`; all that are taken are taken in one transaction."""
        taken, refused = accepted(messages)
        if taken:
            try:
                self._enqueue(taken)
            except StoreError as error:
                raise NotAccepted(messages, str(error)) from error
        if refused:
            raise refused

    def bind(self, group: str, bindings: Iterable[Binding]) -> None:
        """See `Consumer.bind`."""
        wanted = {(group, binding.type, binding.filter()) for binding in bindings}
        with self._database.transaction() as connection:
            if set(connection.execute(BINDINGS_OF, (group,))) == wanted:
                return
            connection.execute("DELETE FROM bindings WHERE recipient = ?", (group,))
            connection.executemany("INSERT INTO bindings VALUES (?, ?, ?)", wanted)
            connection.execute("UPDATE crosswind SET value = value + 1 WHERE name = 'bindings'")

    def receive(self, group: str, limit: int = 10, visibility: float = 120.0) -> list[Received]:
        """See `Consumer.receive`.

        Raises:
            Throttled, Unreachable: try again.
        """
        return self._lease(group, False, limit, visibility)

    def receive_dead(
        self, group: str, limit: int = 10, visibility: float = 120.0
    ) -> list[Received]:
        """See `Consumer.receive_dead`.

        Raises:
            Throttled, Unreachable: try again.
        """
        return self._lease(group, True, limit, visibility)

    def ack(self, *received: Received) -> None:
        """See `Consumer.ack`; one transaction for all of them.

        Raises:
            Throttled, Unreachable: try again.
        """
        with self._database.transaction() as connection:
            connection.executemany(ACK, [item.receipt for item in received])

    def hand_back(self, received: Received, after: float = 0.0) -> None:
        """See `Consumer.hand_back`.

        Raises:
            Throttled, Unreachable: try again.
        """
        with self._database.connection() as connection:
            connection.execute(HAND_BACK, (self._clock() + after, *received.receipt))

    def dead_letters(self, group: str, limit: int = 100) -> list[Delivery]:
        """See `Consumer.dead_letters`.

        Raises:
            Throttled, Unreachable: try again.
        """
        with self._database.connection() as connection:
            return [Delivery(*row) for row in connection.execute(DEAD_LETTERS, (group, limit))]

    def depth(self, group: str) -> int:
        """See `Consumer.depth`; counts them one by one.

        Raises:
            Throttled, Unreachable: try again.
        """
        with self._database.connection() as connection:
            waiting: int = connection.execute(DEPTH, (group,)).fetchone()[0]
            return waiting

    def next_due(self, group: str) -> float | None:
        """See `Consumer.next_due`.

        Raises:
            Throttled, Unreachable: try again.
        """
        with self._database.connection() as connection:
            return _next_due(connection, group, False)

    def close(self) -> None:
        """Close the file, unless it is a store's; a later call of another method is refused."""
        if not self._shares:
            self._database.close()

    def __enter__(self) -> SqliteBus:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _enqueue(self, messages: Iterable[Message]) -> None:
        now = self._clock()
        with self._database.transaction() as connection:
            routes = self._current_routes(connection)
            connection.executemany(
                PUBLISH,
                [
                    (group, message.id, max(now, message.due or now), message.body)
                    for message in messages
                    for group in routes.groups(message.attributes)
                ],
            )

    def _current_routes(self, connection: sqlite3.Connection) -> Routes:
        """The routes as of this transaction; read again only where somebody has bound anew."""
        generation, routes = self._routes
        (current,) = connection.execute(GENERATION).fetchone()
        if current != generation:
            rows = connection.execute(BINDINGS)
            routes = Routes((group, Binding.of(*binding)) for group, *binding in rows)
            self._routes = (current, routes)
        return routes

    def _lease(self, group: str, dead: bool, limit: int, visibility: float) -> list[Received]:
        check_receive(limit, visibility)
        now = self._clock()
        with self._database.connection() as connection:
            # Looked up without the lock that writers wait for, as an idle worker asks often.
            due = _next_due(connection, group, dead)
        if due is None or due > now:
            return []
        lease = self._database.fresh()
        received: list[Received] = []
        with self._database.transaction() as connection:
            buried = True
            while buried and len(received) < limit:
                buried = False
                rest = (group, dead, now, limit - len(received))
                for number, name, body, receipts in connection.execute(DUE, rest).fetchall():
                    if receipts >= self._max_receipts and not dead:
                        connection.execute(BURY, (now, number))
                        buried = True
                    else:
                        connection.execute(LEASE, (now + visibility, lease, number))
                        delivery = Delivery(name, body, receipts + 1)
                        received.append(Received(delivery, (number, lease)))
        return received


def _next_due(connection: sqlite3.Connection, group: str, dead: bool) -> float | None:
    due: float | None = connection.execute(NEXT_DUE, (group, dead)).fetchone()[0]
    return due
