"""A decision through the whole engine: body bytes in, one event out, journaled."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count as counter
from pathlib import Path

from bench.ours.reaction import GROUP, SINK, RoomWanted, app
from bench.samples import bodies
from bench.serve import Prepare, Run
from crosswind.buses.routing import Binding
from crosswind.embedded.memory import MemoryStore
from crosswind.embedded.memory_bus import MemoryBus
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.engine.dispatch import Engine
from crosswind.ports import Delivery, Message, Store


class Counting:
    """A bus that takes everything and keeps nothing but count."""

    def __init__(self) -> None:
        self.said = 0

    def publish(self, messages: Sequence[Message]) -> None:
        """See `Bus.publish`."""
        self.said += len(messages)


@contextmanager
def make(durable: bool = False, settle: bool = True) -> Iterator[Prepare]:
    """An engine on a store, with a bus in memory on which one group wants what it says.

    Args:
        durable: whether the store is an SQLite file rather than memory.
        settle: whether each decision is also settled and listed, or only made and published, to a
            bus that but counts: the bus of the file would write to the file as well.
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
            counting = Counting()
            engine = Engine(reacting, store, bus if settle else counting)
            step = engine.handle if settle else engine.work
            events = bodies(next(numbers) * 1_000_000, count)
            deliveries = [Delivery(str(n), body) for n, body in enumerate(events)]

            def run() -> None:
                for delivery in deliveries:
                    if (again := step(delivery, GROUP)) is not None:
                        raise RuntimeError(again.reason)
                said = bus.depth(SINK) if settle else counting.said
                if said != count:
                    raise RuntimeError(f"{said} of {count} events came out")

            return run

        yield prepare
