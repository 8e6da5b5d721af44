"""Schedules: every tick comes once, whoever sends it, and what was missed is not made up for."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.lines import Clock
from crosswind.app import App
from crosswind.embedded.memory import MemoryStore
from crosswind.embedded.scheduler import Scheduler
from crosswind.embedded.sqlite_bus import SqliteBus
from crosswind.embedded.worker import Worker
from crosswind.engine.dispatch import Engine
from crosswind.errors import DeclarationError, NotAccepted, Throttled, Unreachable
from crosswind.ports import Message
from crosswind_events import Event, EventData
from crosswind_events.catalogue.schedule import Tick
from unit.embedded.houses import House, opened


class Looked(EventData, type="com.example.looked.v1"):
    at: float


NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC).timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON + 30)


@pytest.fixture(params=["memory", "sqlite"])
def house(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[House]:
    with opened(request.param, tmp_path, clock) as house:
        yield house


def ticking(cron: str | None = None, *, every: float | None = None, tz: str = "UTC") -> App:
    app = App("clock")

    @app.schedule(cron, every=every, tz=tz, name="look")
    def look(event: Event[Tick]) -> None:
        pass

    return app


class Wall:
    """A bus that only keeps what is published, and a schedule of one app that is sent to it."""

    def __init__(self, app: App, clock: Clock) -> None:
        self.app, self.clock = app, clock
        self.messages: list[Message] = []
        self.scheduler = Scheduler(app, self, clock)

    def publish(self, messages: Sequence[Message]) -> None:
        self.messages += messages

    def dues(self, *times: float) -> list[float]:
        """The due times of what is sent when these times have come, seconds after noon."""
        for at in times:
            self.clock.now = NOON + at
            self.scheduler.tick()
        events = [self.app.codec.decode(message.body) for message in self.messages]
        return [event.data.due.timestamp() - NOON for event in events]


def test_every_so_many_seconds(clock: Clock) -> None:
    wall = Wall(ticking(every=60), clock)
    assert wall.dues(59.9, 60, 61, 119, 120.5) == [60, 120]


def test_ticks_fall_on_whole_multiples_whenever_a_worker_begins(clock: Clock) -> None:
    early = Wall(ticking(every=60), clock)
    clock.now = NOON + 45
    late = Wall(ticking(every=60), clock)
    assert early.dues(60) == late.dues(60)
    assert early.messages[0].id == late.messages[0].id


def test_of_what_was_missed_the_latest_is_sent(clock: Clock) -> None:
    wall = Wall(ticking(every=60), clock)
    assert wall.dues(60 * 10 + 5, 60 * 10 + 6) == [600]


def test_by_a_cron_line(clock: Clock) -> None:
    wall = Wall(ticking("*/5 * * * *"), clock)
    assert wall.dues(299, 300, 301, 600) == [300, 600]


def test_of_what_was_missed_by_a_cron_line_the_latest_is_sent(clock: Clock) -> None:
    wall = Wall(ticking("*/5 * * * *"), clock)
    assert wall.dues(3_600 + 7) == [3_600]


def test_by_a_cron_line_of_another_time_zone(clock: Clock) -> None:
    """It stays at two in the morning there when the clocks are put forward."""
    wall = Wall(ticking("0 9 * * *", tz="America/New_York"), clock)
    day = 86_400.0
    # Nine o'clock in New York is 13:00 UTC from 8 March 2026 on.
    assert wall.dues(3_600, day + 3_600) == [3_600, day + 3_600]


def test_a_tick_says_of_which_schedule_it_is(clock: Clock) -> None:
    wall = Wall(ticking(every=60), clock)
    wall.dues(61)
    (message,) = wall.messages
    event = wall.app.codec.decode(message.body)
    assert (event.type, event.subject, event.source) == (
        Tick.event_type,
        "look",
        "//crosswind/clock/schedule",
    )
    assert event.time.timestamp() == NOON + 60, "the time it was set for"
    assert message.id == event.id == message.attributes["id"]
    assert message.attributes["subject"] == "look"


def test_two_workers_send_every_tick_and_it_is_worked_once(house: House, clock: Clock) -> None:
    app, seen = App("clock"), []

    @app.schedule(every=60, name="look")
    def look(event: Event[Tick]) -> Looked:
        return Looked(at=event.data.due.timestamp() - NOON)

    @app.on(name="see")
    def see(event: Event[Looked]) -> None:
        seen.append(event.data.at)

    one, two = house.worker(app), house.worker(app)
    for _ in range(3):
        clock.now += 60
        one.drain()
        two.drain()
    assert seen == [60, 120, 180]


def test_a_worker_may_be_told_to_send_no_ticks(house: House, clock: Clock) -> None:
    worker = house.worker(ticking(every=60), schedules=False)
    clock.now += 120
    assert worker.drain() == 0
    assert worker.scheduler is None


def test_a_cron_line_without_its_library_is_one_clear_sentence(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cronsim", None)
    with pytest.raises(DeclarationError, match=r"pip install 'crosswind\[cli\]'"):
        Wall(ticking("* * * * *"), clock)
    Wall(ticking(every=60), clock)


def test_another_library_that_is_missing_is_not_taken_for_it(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cronsim.py").write_text("import something_that_is_not_there")
    monkeypatch.delitem(sys.modules, "cronsim", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="something_that_is_not_there"):
        Wall(ticking("* * * * *"), clock)


def test_a_tick_is_for_its_own_schedule_alone(house: House, clock: Clock) -> None:
    app, ran = App("clock"), []

    @app.schedule(every=60, name="look")
    def look(event: Event[Tick]) -> None:
        ran.append("look")

    @app.schedule(every=60, name="look-again")
    def look_again(event: Event[Tick]) -> None:
        ran.append("look-again")

    worker = house.worker(app)
    clock.now += 60
    worker.drain()
    assert sorted(ran) == ["look", "look-again"]


def test_a_tick_that_was_not_accepted_is_sent_when_it_can_be(clock: Clock) -> None:
    wall = Wall(ticking(every=60), clock)
    accept, publish = [False, True], wall.publish

    def moody(messages: Sequence[Message]) -> None:
        if not accept.pop(0):
            raise NotAccepted(messages, "the file is locked")
        publish(messages)

    wall.publish = moody  # type: ignore[method-assign]  # the bus refuses once
    assert wall.dues(61) == []
    assert wall.dues(62) == [60]


def test_a_busy_file_does_not_end_a_worker_that_sends_ticks(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "state.sqlite"
    with SqliteBus(path, clock=clock, timeout=0.01) as bus:
        worker = Worker(Engine(ticking(every=60), MemoryStore(), bus, clock=clock), bus)
        other = sqlite3.connect(path)
        try:
            other.execute("BEGIN IMMEDIATE")
            clock.now += 60
            # What the worker's own loop takes for a busy file, and tries again.
            with suppress(Throttled, Unreachable):
                worker.step()
        finally:
            other.close()
        assert worker.drain() == 1
