"""One SQLite file, shared by threads and processes: connections, transactions, forks.

It is kept as a write-ahead log with `synchronous=NORMAL`: a committed transaction survives the
death of every process. After a loss of power the last ones may be missing, but always all from
some moment on, so that store and bus in one file still agree with each other.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import get_ident
from types import TracebackType
from typing import Final
from weakref import WeakSet

from crosswind.embedded.failures import translated
from crosswind.embedded.schema import prepare
from crosswind.errors import StoreError

BEGIN: Final = "BEGIN IMMEDIATE"
PRAGMAS: Final = (
    "PRAGMA synchronous=NORMAL",
    # Every 16 MB of log instead of every 4: a checkpoint waits for the disk.
    "PRAGMA wal_autocheckpoint=4000",
)
"""What each connection is told."""


class Database:
    """Connections to one file, each used by one thread at a time and none across a fork.

    SQLite keeps part of a file's locks in the memory of the process, so not even an idle
    connection may be there when the process forks: a fork waits for the operations under way and
    closes every connection, and afterwards parent and child open their own.

    Args:
        path: the file; it is created where there is none.
        timeout: seconds to wait for another writer before giving up with `Throttled`.

    Raises:
        StoreError: the file is not ours, damaged, or of a newer release.
        Throttled, Unreachable: it cannot be opened now.
    """

    def __init__(self, path: str | os.PathLike[str], timeout: float) -> None:
        # Absolute, so that a later change of the working folder does not lead to a second file.
        self.path = os.path.abspath(path)
        self._timeout = timeout
        self._idle: list[sqlite3.Connection] = []
        self._in_use = 0
        self._batches: dict[int, _Batch] = {}
        self._halted = self._closed = False
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        with _forking:
            try:
                with self.connection() as connection:
                    prepare(connection, self.path, timeout)
            except BaseException:  # an interrupt as well: no connection is left open
                self.close()
                raise
            _databases.add(self)

    def connection(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection on which every statement is a transaction of its own.

        Raises:
            StoreError: or one of its kinds, in place of the error of SQLite and caused by it.
        """
        batch = self._batches.get(get_ident()) if self._batches else None
        return _Lent(self, None) if batch is None else _Shared(batch, savepoint=False)

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection in the midst of a write transaction, which is undone if the block raises.

        Raises:
            StoreError: as `connection` does.
        """
        batch = self._batches.get(get_ident()) if self._batches else None
        return _Lent(self, BEGIN) if batch is None else _Shared(batch, savepoint=True)

    @staticmethod
    def fresh() -> str:
        """A name that nothing else has: of this process, since it was forked, and of its count."""
        return f"{_prefix}{next(_counter):08x}"

    @contextmanager
    def batch(self) -> Iterator[None]:
        """One write transaction for all that this thread does within.

        What it would do in transactions of their own is still done or undone each by itself, and
        lasts from the end of the batch on. An error that leaves the batch undoes all of it, and
        an error of SQLite spoils it: whatever else is tried in it raises that error again.

        Raises:
            StoreError: as `connection` does.
        """
        me = get_ident()
        if me in self._batches:
            yield
            return
        lent = _Lent(self, BEGIN)
        with lent as connection:
            batch = self._batches[me] = _Batch(connection, self.path)
            try:
                yield
                if batch.spoiled is not None:
                    raise batch.spoiled
            finally:
                lent.spoiled = batch.spoiled is not None
                del self._batches[me]

    def close(self) -> None:
        """Close all connections, those in use as soon as they are given back."""
        with self._lock:
            self._closed = True
            self._close_idle()

    def halt(self) -> None:
        """Wait for what is under way, close everything, and let nothing start before `resume`."""
        self._lock.acquire()
        self._halted = True
        self._changed.wait_for(lambda: not self._in_use)
        self._close_idle()

    def resume(self) -> None:
        """End a halt, in the process that halted or in its child."""
        self._halted = False
        self._changed.notify_all()
        self._lock.release()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        for pragma in PRAGMAS:
            connection.execute(pragma)
        return connection

    def _take(self) -> sqlite3.Connection | None:
        with self._lock:
            while self._halted:
                self._changed.wait()
            if self._closed:
                raise StoreError(f"{self.path} has been closed")
            self._in_use += 1
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: sqlite3.Connection | None) -> None:
        with self._lock:
            self._in_use -= 1
            if connection is not None:
                self._idle.append(connection)
            if self._closed:
                self._close_idle()
            if self._halted:
                self._changed.notify_all()

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()


class _Lent:
    """A connection for the time of one block; with `begin`, in a transaction of its own.

    A class, because a generator for each of these would cost a tenth of a decision.
    """

    __slots__ = ("_begin", "_connection", "_database", "spoiled")

    def __init__(self, database: Database, begin: str | None) -> None:
        self._database = database
        self._begin = begin
        self.spoiled = False

    def __enter__(self) -> sqlite3.Connection:
        database = self._database
        connection = database._take()
        try:
            if connection is None:
                connection = database._open()
            if self._begin is not None:
                connection.execute(self._begin)
        except BaseException as error:
            self._end(connection, error)
            raise
        self._connection = connection
        return connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None and self._begin is not None:
            try:
                self._connection.execute("COMMIT")
            except BaseException as failed:
                self._end(self._connection, failed)
                raise
        self._end(self._connection, error)

    def _end(self, connection: sqlite3.Connection | None, error: BaseException | None) -> None:
        """Give the connection back, or close it where SQLite has failed, and say so in our words.

        What has failed once is not trusted again.
        """
        kept: sqlite3.Connection | None = None
        try:
            if connection is not None and error is not None:
                try:
                    connection.rollback()
                except sqlite3.Error as worse:
                    error = worse
            failed = isinstance(error, sqlite3.Error)
            if connection is not None and (failed or self.spoiled):
                connection.close()
            else:
                kept = connection
            if isinstance(error, sqlite3.Error):
                raise translated(error, self._database.path) from error
        finally:
            self._database._give_back(kept)


@dataclass(slots=True)
class _Batch:
    """The transaction that a thread is in; `spoiled` is what SQLite failed with in it."""

    connection: sqlite3.Connection
    path: str
    spoiled: StoreError | None = None

    def spoil(self, error: sqlite3.Error) -> StoreError:
        """Note the error, after which SQLite may have ended the transaction, and give our own."""
        self.spoiled = translated(error, self.path)
        return self.spoiled


class _Shared:
    """A batch's connection for the time of one block, which a savepoint may undo by itself."""

    __slots__ = ("_batch", "_savepoint")

    def __init__(self, batch: _Batch, *, savepoint: bool) -> None:
        self._batch = batch
        self._savepoint = savepoint

    def __enter__(self) -> sqlite3.Connection:
        batch = self._batch
        if batch.spoiled is not None:
            raise batch.spoiled
        if self._savepoint:
            try:
                batch.connection.execute("SAVEPOINT part")
            except sqlite3.Error as error:
                raise batch.spoil(error) from error
        return batch.connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        batch = self._batch
        try:
            if self._savepoint and not isinstance(error, sqlite3.Error):
                if error is not None:
                    batch.connection.execute("ROLLBACK TO part")
                batch.connection.execute("RELEASE part")
        except sqlite3.Error as failed:
            error = failed
        if isinstance(error, sqlite3.Error):
            raise batch.spoil(error) from error


_databases: Final[WeakSet[Database]] = WeakSet()
_stopped: Final[list[Database]] = []
_forking: Final = threading.Lock()
_counter: Final = itertools.count(1)
_prefix = os.urandom(12).hex()


def _before_fork() -> None:
    _forking.acquire()
    for database in _databases:
        _stopped.append(database)
        database.halt()


def _after_fork() -> None:
    global _prefix
    _prefix = os.urandom(12).hex()
    while _stopped:
        _stopped.pop().resume()
    _forking.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
