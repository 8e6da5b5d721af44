"""A place where things arrive: an app, its engine, and the intake of its one group, in memory.

`Shapes` says how a cloud hands over what arrives, so that the contract of the intake can hand over
the same things in the shapes of each.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from crosswind import App, Context, Event
from crosswind.buses.contents import Content
from crosswind.buses.intake import Arrival, Intake
from crosswind.buses.later import DelayingBus
from crosswind.embedded.memory import MemoryStore
from crosswind.engine.dispatch import Engine
from crosswind.ports import Item
from crosswind.signals import Translated
from crosswind.testing import FaultPlan, FaultyStore
from crosswind_events.catalogue.region import RegionUnhealthy

GROUP: Final = "ops"
NOW: Final = 1_772_366_402.0
SOURCE: Final = "//probes.example.com/eu"


class Shapes(Protocol):
    """How a cloud hands over what arrives, and what it makes of it."""

    def opens(self, body: Any, /) -> list[Content]:
        """What a body of this cloud holds, or the text of a delayed event."""
        ...

    def translate(self, payload: Any, /) -> list[Translated]:
        """What a notification of this cloud means."""
        ...

    def holding(self, *bodies: bytes, name: str, receipts: int = 1) -> Arrival:
        """A message that holds these, in order: events, delayed events, or anything."""
        ...

    def trouble(self, region: str, name: str) -> Arrival:
        """A native notification that a region is in trouble."""
        ...

    def small_talk(self, name: str) -> Arrival:
        """A native notification that says nothing of a region."""
        ...

    def nonsense(self, name: str) -> Arrival:
        """What says that it is a native notification, and cannot be read."""
        ...


class LandingBus(DelayingBus, Protocol):
    """A bus into which a test can look."""

    def refuse(self, reason: str) -> None:
        """Take nothing from now on."""
        ...

    def waiting(self) -> list[Any]:
        """The events that wait for the group and are due."""
        ...

    def delayed(self) -> list[tuple[float, Any]]:
        """What waits and is not due: when it may be looked at again, and what it is then."""
        ...


class BreakingStore(MemoryStore):
    """A store that breaks as nobody has foreseen where it is asked for one chain."""

    breaks: str | None = None

    def read(self, partition: str, key: str) -> Item | None:
        self._meet(partition)
        return super().read(partition, key)

    def write(self, partition: str, *args: Any, **kwargs: Any) -> Any:
        self._meet(partition)
        return super().write(partition, *args, **kwargs)

    def _meet(self, partition: str) -> None:
        if self.breaks is not None and self.breaks in partition:
            raise RecursionError("too deep")


class Place:
    """What the tests look at.

    Args:
        shapes: of the cloud.
        bus: makes the bus of the app.

    Attributes:
        seen: the regions that the handler saw, in order.
        fails: the region at which the handler fails.
        store: into which a test may put faults.
    """

    def __init__(self, shapes: Shapes, bus: Callable[[App], LandingBus]) -> None:
        self.seen: list[str] = []
        self.fails: str | None = None
        self.shapes = shapes
        self.app = App("ops")
        place = self

        @self.app.on(name="note")
        def note(event: Event[RegionUnhealthy], ctx: Context) -> None:
            if event.data.region == place.fails:
                raise MemoryError("as nobody has foreseen")
            place.seen.append(event.data.region)

        self.memory = BreakingStore()
        self.store = FaultyStore(self.memory, FaultPlan())
        self.bus = bus(self.app)
        self.engine = Engine(self.app, self.store, self.bus, clock=lambda: NOW)
        self.intake = Intake(self.engine, self.bus, GROUP, shapes.opens, shapes.translate)

    def event(self, name: str, region: str = "aws/us-east-1") -> bytes:
        """An event that says that a region is in trouble."""
        data = RegionUnhealthy(region=region, evidence="probe", reason="no answers")
        at = datetime.fromtimestamp(NOW - 60, UTC)
        return self.app.codec.encode(Event.of(data, id=name, source=SOURCE, time=at))

    def parked(self) -> dict[str, str]:
        """Why what was parked was, by message."""
        return {one.message: one.reason for one in self.engine.parking.list()}


def changed(event: bytes, **members: Any) -> bytes:
    """An event that says something else."""
    return json.dumps({**json.loads(event), **members}).encode()
