"""Where an app is at home: a store and a bus of one kind, and a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from contract.lines import Clock
from crosswind.app import App
from crosswind.embedded.consumer import Consumer
from crosswind.embedded.memory import MemoryStore
from crosswind.embedded.memory_bus import MemoryBus
from crosswind.embedded.sqlite_bus import SqliteBus
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.embedded.worker import Worker
from crosswind.engine.dispatch import Engine
from crosswind.ports import Message
from crosswind.records.identity import RUN, chain_id, chain_partition
from crosswind.records.record import Record
from crosswind_events import Event, EventData

SOURCE = "//probes.example.com"
MAX_RECEIPTS = 3


@dataclass
class House:
    """A store and a bus for any number of workers."""

    store: MemoryStore | SqliteStore
    bus: Consumer
    clock: Clock

    def engine(self, app: App, **how: Any) -> Engine:
        return Engine(app, self.store, self.bus, clock=self.clock, **how)

    def worker(self, app: App, **how: Any) -> Worker:
        return Worker(self.engine(app), self.bus, **how)

    def say(self, app: App, data: EventData, id: str = "1") -> str:
        """Publish a first event; returns the chain that it opens."""
        at = datetime.fromtimestamp(self.clock.now, UTC)
        event = Event.of(data, id=id, source=SOURCE, time=at)
        attributes: dict[str, str | int | bool] = {
            "id": id,
            "source": SOURCE,
            "type": event.type,
        }
        self.bus.publish([Message(id, app.codec.encode(event), attributes)])
        return chain_id(SOURCE, id)

    def records(self, chain: str) -> list[Record]:
        items = self.store.scan(chain_partition(chain), RUN)
        return sorted((Record.decode(item.value) for item in items), key=lambda run: run.began)


@contextmanager
def opened(kind: Literal["memory", "sqlite"], path: Path, clock: Clock) -> Iterator[House]:
    """A house in memory, or in one file."""
    if kind == "memory":
        yield House(MemoryStore(), MemoryBus(clock=clock, max_receipts=MAX_RECEIPTS), clock)
        return
    file = path / "state.sqlite"
    with SqliteStore(file) as store, SqliteBus(file, clock=clock, max_receipts=MAX_RECEIPTS) as bus:
        yield House(store, bus, clock)
