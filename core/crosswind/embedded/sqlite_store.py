"""The store in an SQLite file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final

from crosswind.embedded.database import Database
from crosswind.errors import Conflict
from crosswind.limits import check_partitions, check_read, check_scan, check_write, span
from crosswind.ports import ABSENT, Change, Delete, Item, Put

READ: Final = """
    SELECT key, value, version, token FROM items WHERE partition = ? AND key = ?"""
SCAN: Final = """
    SELECT key, value, version, token FROM items
    WHERE partition = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?"""
INSERT: Final = """
    INSERT INTO items (partition, key, version, token, expires, value)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
UPDATE: Final = """
    UPDATE items SET version = ?, token = ?, expires = ?, value = ?
    WHERE partition = ? AND key = ? AND version = ?"""
DELETE: Final = """
    DELETE FROM items WHERE partition = ? AND key = ? AND version = ?"""
# One step into the index for each partition, however many items it holds.
PARTITIONS: Final = """
    WITH RECURSIVE found (name) AS (
        SELECT min(partition) FROM items WHERE partition >= :low AND partition < :high
        UNION ALL
        SELECT (SELECT min(partition) FROM items WHERE partition > name AND partition < :high)
        FROM found WHERE name IS NOT NULL LIMIT :limit)
    SELECT name FROM found WHERE name IS NOT NULL"""
PURGE_STEP: Final = """
    SELECT max(number), total(expires <= ?) FROM (
        SELECT rowid AS number, expires FROM items WHERE rowid > ? ORDER BY rowid LIMIT 1000)"""
PURGE: Final = """
    DELETE FROM items WHERE rowid > ? AND rowid <= ? AND expires <= ?"""


class SqliteStore:
    """State in one SQLite file that threads and processes share.

    Args:
        path: the file, which a `SqliteBus` may share; it is created where there is none.
        timeout: seconds to wait for another writer before giving up with `Throttled`.

    Raises:
        StoreError: the file is not ours, damaged, or of a newer release.
        Throttled, Unreachable: it cannot be opened now.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = 5.0) -> None:
        self._database = Database(path, timeout)

    @property
    def database(self) -> Database:
        """The file, for a bus to share."""
        return self._database

    def read(self, partition: str, key: str) -> Item | None:
        """See `Store.read`."""
        check_read(partition, key)
        with self._database.connection() as connection:
            return _read(connection, partition, key)

    def scan(
        self, partition: str, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[Item]:
        """See `Store.scan`; here it is a snapshot too."""
        check_scan(partition, prefix, after, limit)
        with self._database.connection() as connection:
            rows = connection.execute(SCAN, (partition, *span(prefix, after), limit))
            return [Item(*row) for row in rows]

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        """See `Store.write`."""
        check_write(partition, changes, token)
        # A key changes once in a write, so that one version for all of its items never recurs.
        version = self._database.fresh()
        if len(changes) == 1:
            change = changes[0]
            with self._database.connection() as connection:
                if _apply(connection, partition, change, version, token):
                    return {change.key: version}
            # Refused; below is found out what stands there.
        with self._database.transaction() as connection:
            found: dict[str, Item | None] = {}
            for change in changes:
                if found or not _apply(connection, partition, change, version, token):
                    item = _read(connection, partition, change.key)
                    if (item.version if item else ABSENT) != change.expect:
                        found[change.key] = item
            if found:
                raise Conflict(found)
        return {change.key: version for change in changes if isinstance(change, Put)}

    def batch(self) -> AbstractContextManager[None]:
        """See `Batching`; one transaction of SQLite, for which all other writers wait.

        What a bus that shares this store does within is part of it.

        Raises:
            Throttled, Unreachable: try again.
        """
        return self._database.batch()

    def partitions(self, prefix: str = "", after: str = "", limit: int = 100) -> Sequence[str]:
        """Names of the partitions that hold items, as `scan` pages through keys.

        For people who look around on one machine: no cloud's store can do this.

        Raises:
            InvalidRequest: lists every fault.
            Throttled, Unreachable: try again.
        """
        check_partitions(prefix, after, limit)
        low, high = span(prefix, after)
        with self._database.connection() as connection:
            found = connection.execute(PARTITIONS, {"low": low, "high": high, "limit": limit})
            return [name for (name,) in found]

    def purge(self, now: float) -> int:
        """Remove the items that have expired by `now`, seconds since the epoch.

        Walks over all items, a thousand at a time, and keeps writers waiting only where it
        removes some. It is housekeeping, for once an hour rather than once a second.

        Returns:
            How many were removed.

        Raises:
            Throttled, Unreachable: try again; what was removed remains so.
        """
        removed = last = 0
        with self._database.connection() as connection:
            while True:
                end, expired = connection.execute(PURGE_STEP, (now, last)).fetchone()
                if end is None:
                    return removed
                if expired:
                    removed += connection.execute(PURGE, (last, end, now)).rowcount
                last = end

    def close(self) -> None:
        """Close the file; a later call of another method is refused."""
        self._database.close()

    def __enter__(self) -> SqliteStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _read(connection: sqlite3.Connection, partition: str, key: str) -> Item | None:
    row = connection.execute(READ, (partition, key)).fetchone()
    return None if row is None else Item(*row)


def _apply(
    connection: sqlite3.Connection, partition: str, change: Change, version: str, token: str
) -> bool:
    """Make one change if what it demands holds."""
    if isinstance(change, Put):
        if change.expect == ABSENT:
            put = (partition, change.key, version, token, change.expires, change.value)
            return connection.execute(INSERT, put).rowcount == 1
        over = (version, token, change.expires, change.value, partition, change.key, change.expect)
        return connection.execute(UPDATE, over).rowcount == 1
    if isinstance(change, Delete):
        gone = (partition, change.key, change.expect)
        return connection.execute(DELETE, gone).rowcount == 1
    item = _read(connection, partition, change.key)
    return (item.version if item else ABSENT) == change.expect
