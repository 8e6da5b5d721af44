"""What SQLite itself asks for a decision: same tables, pragmas, statements, rows and bytes.

The rows are those that the engine has just written through a store that takes note of them; only
their names differ from time to time, and are as long.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import count as counter
from pathlib import Path
from typing import NamedTuple

from bench.ours.reaction import GROUP, app
from bench.samples import bodies, name
from bench.serve import Prepare, Run
from crosswind.embedded.database import PRAGMAS
from crosswind.embedded.memory import MemoryStore
from crosswind.embedded.memory_bus import MemoryBus
from crosswind.embedded.sqlite_store import INSERT, UPDATE, SqliteStore
from crosswind.engine.dispatch import Engine
from crosswind.ports import ABSENT, Change, Delivery, Put


class Write(NamedTuple):
    """One write that the engine asked for; those of one batch have its number."""

    partition: str
    puts: list[Put]
    token: str
    batch: int


class Noting(MemoryStore):
    """A store that takes note of what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[Write] = []
        self._batches = 0
        self._batching = False

    @contextmanager
    def batch(self) -> Iterator[None]:
        """See `Batching`."""
        self._batches += 1
        self._batching = True
        yield
        self._batching = False

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        """See `Store.write`."""
        if not self._batching:
            self._batches += 1
        puts = [c for c in changes if isinstance(c, Put)]
        self.writes.append(Write(partition, puts, token, self._batches))
        return super().write(partition, changes, token)


def written(settle: bool) -> list[Write]:
    """What one decision writes."""
    store = Noting()
    engine = Engine(app(), store, MemoryBus())
    (body,) = bodies(1, 1)
    (engine.handle if settle else engine.work)(Delivery("1", body), GROUP)
    return store.writes


Statement = tuple[str, tuple[object, ...]]


def transactions(writes: list[Write], number: int) -> list[list[Statement]]:
    """The statements of these writes under names of their own, one list a transaction.

    Those of a batch are in one, as in `SqliteStore`.
    """
    mark = name(number)  # scattered as ids are: rows in order would be cheaper to insert
    rename = {write.partition: write.partition[:-36] + mark for write in writes}
    made: dict[int, list[Statement]] = {}
    versions: dict[tuple[str, str], str] = {}
    for partition, puts, token, batch in writes:
        version = os.urandom(16).hex()
        statements = made.setdefault(batch, [])
        listing = partition.startswith("index:")
        for put in puts:
            where = partition if listing else rename[partition]
            key = mark if listing else put.key
            row = (where, key)
            if put.expect == ABSENT:
                given = (*row, version, token, put.expires, put.value)
                statements.append((INSERT, given))
            else:
                over = (version, token, put.expires, put.value, *row, versions[row])
                statements.append((UPDATE, over))
            versions[row] = version
    return list(made.values())


@contextmanager
def make(settle: bool = False) -> Iterator[Prepare]:
    """A connection as bare as it can be, to a file made by `SqliteStore`.

    Args:
        settle: whether the rows of settling and listing are written too.
    """
    writes = written(settle)
    numbers = counter(1)
    with tempfile.TemporaryDirectory(prefix="crosswind-bench-") as folder:
        path = Path(folder) / "store.sqlite"
        SqliteStore(path).close()
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for pragma in PRAGMAS:
                connection.execute(pragma)

            def prepare(count: int) -> Run:
                work = [
                    statements
                    for _ in range(count)
                    for statements in transactions(writes, next(numbers))
                ]

                def run() -> None:
                    execute = connection.execute
                    for statements in work:
                        if len(statements) == 1:
                            execute(*statements[0])
                            continue
                        execute("BEGIN IMMEDIATE")
                        for statement in statements:
                            execute(*statement)
                        execute("COMMIT")

                return run

            yield prepare
