"""What the errors of SQLite mean to a store or a bus."""

from __future__ import annotations

import sqlite3
from typing import Final

from crosswind.errors import StoreError, Throttled, Unreachable

THROTTLED: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_UNREACHABLE: Final = {
    sqlite3.SQLITE_IOERR: "the disk failed",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; does its folder exist, and may you write there?",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it may not be written to",
}
_UNUSABLE: Final = {
    sqlite3.SQLITE_NOTADB: "it is not an SQLite database; name another file",
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore it from a copy",
}


def primary_code(error: sqlite3.Error) -> int:
    """The primary result code; 0 where the error is not of SQLite but of its Python module."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def translated(error: sqlite3.Error, path: str) -> StoreError:
    """The error that is ours, for the file at `path`."""
    code = primary_code(error)
    if code in THROTTLED:
        return Throttled(f"{path}: others kept it locked for too long; try again")
    if code in _UNREACHABLE:
        return Unreachable(f"{path}: {_UNREACHABLE[code]}")
    return StoreError(f"{path}: {_UNUSABLE.get(code, error)}")
