"""What SQLite does for a statement: its plan, and how many steps of its machine it takes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from crosswind.embedded.database import Database


def plan(database: Database, statement: str, parameters: Any) -> list[str]:
    """The lines of the plan of a statement."""
    with database.connection() as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [str(row[3]) for row in rows]


def steps(database: Database, work: Callable[[], object]) -> int:
    """Steps that SQLite's virtual machine takes for `work`: its cost, whatever else runs."""
    count = 0

    def tick() -> None:
        nonlocal count
        count += 1

    connection: sqlite3.Connection
    with database.connection() as connection:
        connection.set_progress_handler(tick, 1)
    # The connection just given back is the one that comes next.
    work()
    with database.connection() as connection:
        connection.set_progress_handler(None, 0)
    return count
