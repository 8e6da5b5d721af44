"""A stage: plays an app in one process, step by step, with a clock that the test moves.

say        publish a first event, and play
play       deliver everything that is due, in order
pass_time  let time pass from timer to timer
record, records, head, said   look at what has come of it
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from crosswind.actions import Performer
from crosswind.app import App
from crosswind.embedded.memory import MemoryStore
from crosswind.engine.dispatch import Engine
from crosswind.engine.settings import Settings
from crosswind.fleet.declaration import Fleet
from crosswind.ports import Message
from crosswind.records.head import Head
from crosswind.records.identity import HEAD, RUN, chain_id, chain_partition
from crosswind.records.record import Record
from crosswind.testing.faults import FaultPlan, Faults, Killed
from crosswind.testing.ports import FaultyBus, FaultyPerformer, FaultyStore
from crosswind.testing.post import Letter, Post
from crosswind_events import Event, EventData

SOURCE: Final = "//stage.example.com/tests"
START: Final = 1_800_000_000.0
"""Seconds since the epoch at which a stage begins unless told otherwise: in January 2027."""

_STEPS: Final = 10_000


class Stage:
    """Plays an app.

    A process that a fault kills is replaced at once; what it had in hand comes again when its
    visibility has lapsed, as on a real bus.

    Args:
        app: the reactions.
        fleet: without one, every action is only observed.
        performers: who carries out actions and answers queries.
        settings: bounds and times.
        faults: what happens to the calls of store, bus and performers; nothing unless given.
        store: where state is kept, to look into it or to go on with another stage's.
        now: where the clock begins, seconds since the epoch.
    """

    def __init__(
        self,
        app: App,
        *,
        fleet: Fleet | None = None,
        performers: Iterable[Performer] = (),
        settings: Settings | None = None,
        faults: Faults | None = None,
        store: MemoryStore | None = None,
        now: float = START,
    ) -> None:
        self.app = app
        self.now = now
        self.faults = faults or FaultPlan()
        self.store = store or MemoryStore()
        self.settings = settings or Settings()
        self.post = Post([app], lambda: self.now)
        self.kills = 0
        self.chain = ""
        self._fleet = fleet
        self._performers = tuple(performers)
        self.engine = self._engine()

    def event(
        self,
        data: EventData,
        *,
        event_id: str = "1",
        source: str = SOURCE,
        ago: float = 0.0,
        subject: str | None = None,
        extensions: Mapping[str, str | int | bool] | None = None,
    ) -> Event[Any]:
        """An event as an observer would send it, `ago` seconds ago."""
        return Event.of(
            data,
            id=event_id,
            source=source,
            time=datetime.fromtimestamp(self.now - ago, UTC),
            subject=subject,
            extensions=extensions,
        )

    def say(self, data: EventData, **how: Any) -> str:
        """Publish a first event and play; returns the chain that it opens.

        Args:
            how: see `event`.
        """
        event = self.event(data, **how)
        attributes: dict[str, str | int | bool] = {
            "id": event.id,
            "source": event.source,
            "type": event.type,
            **event.extensions,
        }
        if event.subject is not None:
            attributes["subject"] = event.subject
        self.post.publish([Message(event.id, self.app.codec.encode(event), attributes)])
        self.chain = chain_id(event.source, event.id)
        self.play()
        return self.chain

    def play(self) -> None:
        """Deliver everything that is due, the longest due first.

        Raises:
            AssertionError: it does not come to rest.
        """
        for _ in range(_STEPS):
            due = self.post.due()
            if not due:
                return
            self.deliver(due[0])
        raise AssertionError(f"after {_STEPS} deliveries there is still something due")

    def deliver(self, letter: Letter) -> None:
        """Deliver one letter; it takes a millisecond."""
        self.now += 0.001
        delivery = self.post.take(letter, self.settings.lease * 1.5 + self.settings.skew)
        work = self.engine.bury if letter.dead else self.engine.handle
        try:
            again = work(delivery, letter.group)
        except Killed:
            self.kills += 1
            self.engine = self._engine()
            return
        if again is None:
            self.post.acknowledge(letter)
        else:
            # Never at once, or a stage would not come to rest.
            self.post.hand_back(letter, max(again.after, 0.001))

    def pass_time(self, seconds: float) -> None:
        """Let time pass from timer to timer, and play what becomes due."""
        end = self.now + seconds
        while (due := self.post.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.play()
        self.now = max(self.now, end)

    def records(self, chain: str | None = None) -> list[Record]:
        """The runs of a chain, in the order in which they began; the last one said unless given."""
        items = self.store.scan(chain_partition(chain or self.chain), RUN, limit=10_000)
        return sorted((Record.decode(item.value) for item in items), key=lambda run: run.began)

    def record(self, handler: str, chain: str | None = None) -> Record:
        """The one run of a handler, named by the end of its name.

        Raises:
            LookupError: there is none, or there are several.
        """
        found = [run for run in self.records(chain) if run.handler.endswith(handler)]
        if len(found) != 1:
            raise LookupError(
                f"{len(found)} runs of {handler!r} in this chain, which has "
                f"{[run.handler for run in self.records(chain)]}"
            )
        return found[0]

    def head(self, chain: str | None = None) -> Head | None:
        """Whether a chain is open, and under which lock; None where nothing was written yet."""
        item = self.store.read(chain_partition(chain or self.chain), HEAD)
        return None if item is None else Head.decode(item.value)

    def said(self, data: type[EventData]) -> list[Event[Any]]:
        """The events of a type that were published, duplicates left out."""
        found = {
            message.attributes["id"]: self.app.codec.decode(message.body)
            for message in self.post.published
            if message.attributes["type"] == data.event_type
        }
        return list(found.values())

    def _engine(self) -> Engine:
        return Engine(
            self.app,
            FaultyStore(self.store, self.faults),
            FaultyBus(self.post, self.faults),
            fleet=self._fleet,
            performers=[FaultyPerformer(one, self.faults) for one in self._performers],
            settings=self.settings,
            clock=lambda: self.now,
        )
