"""A decision through the whole engine: body bytes in, one event out, journaled."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count as counter
from pathlib import Path

from bench.ours.reaction import GROUP, SINK, RoomWanted, app
from bench.samples import bodies
from bench.serve import Prepare, Run
from crosswind.embedded.memory import MemoryStore
from crosswind.embedded.memory_bus import MemoryBus
from crosswind.embedded.routing import Binding
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.engine.dispatch import Engine
from crosswind.ports import Delivery, Store


@contextmanager
def make(durable: bool = False, settle: bool = True) -> Iterator[Prepare]:
    """An engine on a store, with a bus in memory on which one group wants what it says.

    Args:
        durable: whether the store is an SQLite file rather than memory.
        settle: whether each decision is also settled, or only made and published.
    """
    reacting = app()
    numbers = counter(1)
    with ExitStack() as stack:
        file: SqliteStore | None = None
        if durable:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="crosswind-bench-"))
            file = stack.enter_context(SqliteStore(Path(folder) / "store.sqlite"))

        def prepare(count: int) -> Run:
            store: Store = file or MemoryStore()
            bus = MemoryBus()
            bus.bind(SINK, [Binding(RoomWanted.event_type)])
            engine = Engine(reacting, store, bus)
            step = engine.handle if settle else engine.work
            events = bodies(next(numbers) * 1_000_000, count)
            deliveries = [Delivery(str(n), body) for n, body in enumerate(events)]

            def run() -> None:
                for delivery in deliveries:
                    if (again := step(delivery, GROUP)) is not None:
                        raise RuntimeError(again.reason)
                if bus.depth(SINK) != count:
                    raise RuntimeError(f"{bus.depth(SINK)} of {count} events came out")

            return run

        yield prepare
