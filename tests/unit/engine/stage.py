"""A stage for the engine: a memory store, a bus whose order the test decides, a clock it moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crosswind.actions import Performer
from crosswind.app import App
from crosswind.embedded.memory import MemoryStore
from crosswind.engine.dispatch import Again, Engine
from crosswind.engine.settings import Settings
from crosswind.fleet.declaration import Fleet
from crosswind.ports import Change, Delivery, Item, Message
from crosswind.records.head import Head
from crosswind.records.identity import HEAD, RUN, chain_id, chain_partition
from crosswind.records.record import Record
from crosswind_events import Event, EventData

SOURCE = "//probes.example.com/a"
START = 1_800_000_000.0


class CountingStore(MemoryStore):
    """Counts the calls that reach it."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = self.scans = self.writes = 0

    def read(self, partition: str, key: str) -> Item | None:
        self.reads += 1
        return super().read(partition, key)

    def scan(
        self, partition: str, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[Item]:
        self.scans += 1
        return super().scan(partition, prefix, after, limit)

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        self.writes += 1
        return super().write(partition, changes, token)


@dataclass
class StageBus:
    """Keeps what is published until the test delivers it."""

    waiting: list[Message] = field(default_factory=list)
    published: list[Message] = field(default_factory=list)

    def publish(self, messages: Sequence[Message]) -> None:
        self.waiting += messages
        self.published += messages


class Stage:
    """Plays an app: `say` an event, `play` until nothing is due, `pass_time`, look at records."""

    def __init__(
        self,
        app: App,
        *,
        fleet: Fleet | None = None,
        performers: Iterable[Performer] = (),
        settings: Settings | None = None,
        store: MemoryStore | None = None,
    ) -> None:
        self.app = app
        self.now = START
        self.store = store or CountingStore()
        self.bus = StageBus()
        self.engine = Engine(
            app,
            self.store,
            self.bus,
            fleet=fleet,
            performers=performers,
            settings=settings,
            clock=lambda: self.now,
        )
        self.again: list[Again] = []
        self.chain = ""

    def event(
        self,
        data: EventData,
        *,
        id: str = "1",
        source: str = SOURCE,
        ago: float = 0.0,
        subject: str | None = None,
        extensions: Mapping[str, str | int | bool] | None = None,
    ) -> Event[Any]:
        return Event.of(
            data,
            id=id,
            source=source,
            time=datetime.fromtimestamp(self.now - ago, UTC),
            subject=subject,
            extensions=extensions,
        )

    def say(self, data: EventData, **how: Any) -> str:
        """Deliver a first event and play; returns its chain."""
        event = self.event(data, **how)
        self.chain = chain_id(event.source, event.id)
        self.deliver(self.app.codec.encode(event), event.id)
        self.play()
        return self.chain

    def deliver(self, body: bytes, id: str = "m", group: str | None = None) -> Again | None:
        """Deliver a body to a group, as a bus would; it takes a millisecond."""
        self.now += 0.001
        outcome = self.engine.handle(Delivery(id, body), group or self.app.groups[0])
        if outcome is not None:
            self.again.append(outcome)
        return outcome

    def play(self, *, limit: int = 500) -> None:
        """Deliver everything that is due, in the order of publication."""
        for _ in range(limit):
            due = next((m for m in self.bus.waiting if m.due is None or m.due <= self.now), None)
            if due is None:
                return
            self.bus.waiting.remove(due)
            for group in self._groups(due):
                if self.deliver(due.body, due.id, group) is not None:
                    self.bus.waiting.append(due._replace(due=self.now + self.again[-1].after))
        raise AssertionError("the stage does not come to rest")

    def _groups(self, message: Message) -> list[str]:
        group = message.attributes.get("group")
        if group is not None:
            return [str(group)]
        handlers = self.app.by_type.get(str(message.attributes["type"]), ())
        event = self.app.codec.decode(message.body)
        return list(dict.fromkeys(h.group for h in handlers if h.matches(event)))

    def pass_time(self, seconds: float) -> None:
        """Let time pass in steps from timer to timer, playing what becomes due."""
        end = self.now + seconds
        while True:
            dues = [m.due for m in self.bus.waiting if m.due is not None and m.due <= end]
            if not dues:
                break
            self.now = max(self.now, min(dues))
            self.play()
        self.now = end
        self.play()

    def records(self, chain: str | None = None) -> list[Record]:
        """The runs of a chain, in the order in which they began."""
        items = self.store.scan(chain_partition(chain or self.chain), RUN, limit=1000)
        return sorted((Record.decode(item.value) for item in items), key=lambda r: r.began)

    def record(self, handler: str, chain: str | None = None) -> Record:
        """The one run of a handler, named by the end of its name."""
        (found,) = [r for r in self.records(chain) if r.handler.endswith(handler)]
        return found

    def head(self, chain: str | None = None) -> Head | None:
        item = self.store.read(chain_partition(chain or self.chain), HEAD)
        return None if item is None else Head.decode(item.value)

    def said(self, data: type[EventData]) -> list[Event[Any]]:
        """The published events of a type, duplicates left out."""
        found = {
            m.attributes["id"]: self.app.codec.decode(m.body)
            for m in self.bus.published
            if m.attributes["type"] == data.event_type
        }
        return list(found.values())
