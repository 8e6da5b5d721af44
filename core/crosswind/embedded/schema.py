"""The tables of the embedded default, made or recognised in a file."""

from __future__ import annotations

import sqlite3
import time
from typing import Final

from crosswind.embedded.failures import THROTTLED, primary_code
from crosswind.errors import StoreError

SCHEMA_VERSION: Final = 1
"""Version of the tables below; a file with a higher one was written by a newer release."""

# `items` has a rowid: the records of 1 to 4 KB that fill a journal would overflow the pages of a
# table WITHOUT ROWID, at twice the space and half the speed. `expires` stands before `value`, so
# that a purge reads no overflow page, and has no index, so that no write pays for one.
_TABLES: Final = (
    """CREATE TABLE items (
        partition TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, token TEXT NOT NULL,
        expires REAL, value BLOB NOT NULL, PRIMARY KEY (partition, key))""",
    """CREATE TABLE bindings (
        recipient TEXT NOT NULL, type TEXT NOT NULL, filter TEXT NOT NULL,
        PRIMARY KEY (recipient, type, filter)) WITHOUT ROWID""",
    """CREATE TABLE messages (
        number INTEGER PRIMARY KEY, recipient TEXT NOT NULL, dead INTEGER NOT NULL DEFAULT 0,
        due REAL NOT NULL, receipts INTEGER NOT NULL DEFAULT 0, lease TEXT, id TEXT NOT NULL,
        body BLOB NOT NULL, UNIQUE (recipient, dead, id))""",
    "CREATE INDEX messages_due ON messages (recipient, dead, due)",
    "CREATE TABLE crosswind (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT INTO crosswind VALUES ('bindings', 0)",
)


def prepare(connection: sqlite3.Connection, path: str, timeout: float) -> None:
    """Create the tables or recognise them; any number of processes may do so at once."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            while not _recognised(connection, path):
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("BEGIN IMMEDIATE")
                _create(connection)
                connection.execute("COMMIT")
            # Again, because a file restored from a copy may have lost the mode.
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            # A change of the journal's mode fails at once where other statements wait.
            connection.rollback()
            if primary_code(error) not in THROTTLED or time.monotonic() > deadline:
                raise
            time.sleep(0.005)


def _recognised(connection: sqlite3.Connection, path: str) -> bool:
    """Whether the file holds our tables; False where it is empty."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if not tables:
        return False
    if "crosswind" not in tables:
        raise StoreError(f"{path} belongs to another program; name another file")
    (version,) = connection.execute("SELECT value FROM crosswind WHERE name='schema'").fetchone()
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer release (schema {version}, this one knows "
            f"{SCHEMA_VERSION}); upgrade crosswind, or name another file"
        )
    return True


def _create(connection: sqlite3.Connection) -> None:
    if connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None:
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute("INSERT INTO crosswind VALUES ('schema', ?)", (SCHEMA_VERSION,))
