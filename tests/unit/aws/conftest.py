"""An app, and the intake of its one group, in memory."""

from __future__ import annotations

from typing import ClassVar

import pytest

from crosswind import App, Context, Event
from crosswind.embedded.memory import MemoryStore
from crosswind.embedded.memory_bus import MemoryBus
from crosswind.embedded.routing import Binding
from crosswind.engine.dispatch import Engine
from crosswind_aws.intake import Intake
from crosswind_aws.signals import translate_each
from crosswind_events.catalogue.region import RegionUnhealthy
from unit.aws.payloads import NOW

GROUP = "ops"


class DelayingMemoryBus(MemoryBus):
    """The bus in memory, which can also send to one group later, as the bus of a cloud can."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: NOW)
        self.later: list[tuple[str, str, bytes, float]] = []
        self.refuses: str | None = None

    def send_later(self, group: str, name: str, event: bytes, due: float) -> str | None:
        if self.refuses is None:
            self.later.append((group, name, event, due))
        return self.refuses


class Place:
    """What the tests look at.

    Attributes:
        seen: the regions that the handler saw.
        breaks: the region at which the handler fails as nobody has foreseen.
    """

    tries: ClassVar[int] = 5

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.breaks: str | None = None
        self.app = App("ops")
        place = self

        @self.app.on(name="note")
        def note(event: Event[RegionUnhealthy], ctx: Context) -> None:
            if event.data.region == place.breaks:
                raise MemoryError("as nobody has foreseen")
            place.seen.append(event.data.region)

        self.store = MemoryStore()
        self.bus = DelayingMemoryBus()
        self.bus.bind(GROUP, [Binding(RegionUnhealthy.event_type)])
        self.engine = Engine(self.app, self.store, self.bus, clock=lambda: NOW)
        self.intake = Intake(self.engine, self.bus, GROUP, translate_each)


@pytest.fixture
def place() -> Place:
    return Place()
