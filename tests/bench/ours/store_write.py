"""The one write of a decision through `SqliteStore`, without the engine that asks for it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count as counter
from pathlib import Path

from bench.ours.bare_sqlite import written
from bench.samples import name
from bench.serve import Prepare, Run
from crosswind.embedded.sqlite_store import SqliteStore


@contextmanager
def make() -> Iterator[Prepare]:
    """A store in a fresh file; each write goes to a chain of its own."""
    (write,) = written(settle=False)
    numbers = counter(1)
    with (
        tempfile.TemporaryDirectory(prefix="crosswind-bench-") as folder,
        SqliteStore(Path(folder) / "store.sqlite") as store,
    ):

        def prepare(count: int) -> Run:
            work = [(f"chain:{name(next(numbers))}", os.urandom(12).hex()) for _ in range(count)]

            def run() -> None:
                for partition, token in work:
                    store.write(partition, write.puts, token)

            return run

        yield prepare
