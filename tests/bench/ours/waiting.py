"""The embedded default at work while events wait and a journal lies behind: what one event costs.

Received, decoded, decided, published, settled, acknowledged, by `Worker` on one SQLite file.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count as counter
from pathlib import Path

from bench.ours.reaction import GROUP, SINK, RoomWanted, app
from bench.samples import SOURCE, TYPE, bodies, name
from bench.serve import Prepare, Run
from crosswind.buses.routing import Binding
from crosswind.embedded.memory import MemoryStore
from crosswind.embedded.sqlite_bus import SqliteBus
from crosswind.embedded.sqlite_store import INSERT, SqliteStore
from crosswind.embedded.worker import Worker
from crosswind.engine.dispatch import Engine
from crosswind.ports import Delivery, Message
from crosswind.records.identity import RUN, chain_id, chain_partition

BATCH = 8
_CHUNK = 2_000


@contextmanager
def make(waiting: int = 10, journal: int = 0) -> Iterator[Prepare]:
    """A worker on a file in which so many events wait and so many runs are journaled.

    Args:
        waiting: events in the queue whenever work begins; no less than are worked in a round.
    """
    numbers = counter(1)
    with tempfile.TemporaryDirectory(prefix="crosswind-bench-") as folder:
        path = Path(folder) / "crosswind.sqlite"
        with SqliteStore(path) as store, SqliteBus(store) as bus:
            if journal:
                write_journal(path, journal)
            worker = Worker(Engine(app(), store, bus), bus, batch=BATCH, schedules=False)
            bus.bind(SINK, [Binding(RoomWanted.event_type)])

            def prepare(count: int) -> Run:
                fill(bus, numbers, waiting - bus.depth(GROUP))
                while said := bus.receive(SINK, 100):
                    bus.ack(*said)

                def run() -> None:
                    worked = 0
                    while worked < count:
                        worked += worker.step()

                return run

            yield prepare


def fill(bus: SqliteBus, numbers: Iterator[int], count: int) -> None:
    """Publish so many samples."""
    for start in range(0, count, _CHUNK):
        size = min(_CHUNK, count - start)
        first = next(numbers)
        for _ in range(size - 1):
            next(numbers)
        # A message is named by its event, and so as scattered as ids are.
        names = [name(first + n) for n in range(size)]
        bus.publish(
            [
                Message(id_, body, {"id": id_, "source": SOURCE, "type": TYPE})
                for id_, body in zip(names, bodies(first, size), strict=True)
            ]
        )


def write_journal(path: Path, runs: int) -> None:
    """Put so many settled runs into the file, each in a chain of its own, as the engine would.

    The rows go in by the order of their partitions, which is quicker; those of the engine itself
    then fall between them at random, as they would have.
    """
    kept = MemoryStore()
    (body,) = bodies(1, 1)
    Engine(app(), kept, _Nowhere()).handle(Delivery("1", body), GROUP)
    (chain,) = kept.partitions("chain:")
    (item,) = kept.scan(chain, RUN)
    expires = time.time() + 30 * 86_400.0
    tail = chain_partition(chain_id(SOURCE, "1"))[len("chain:") + 8 :]
    rows = (
        (
            f"chain:{number * 2**32 // runs:08x}{tail}",
            item.key,
            f"{number:032x}",
            item.token,
            expires,
            item.value,
        )
        for number in range(runs)
    )
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        connection.executemany(INSERT, rows)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class _Nowhere:
    """A bus that takes everything and keeps nothing."""

    def publish(self, messages: object) -> None:
        """Take them."""
