"""What the embedded buses can do beyond the contract, at what cost, and that they are the same."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from contract.lines import Clock
from crosswind.buses.routing import Binding
from crosswind.embedded import sqlite_bus
from crosswind.embedded.consumer import Consumer, Received
from crosswind.embedded.memory_bus import MemoryBus
from crosswind.embedded.sqlite_bus import SqliteBus
from crosswind.errors import InvalidRequest, NotAccepted
from crosswind.handlers import Where
from crosswind.ports import Message
from unit.embedded.plans import plan, steps

TYPE = "t.v1"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
def bus(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Consumer]:
    if request.param == "memory":
        yield MemoryBus(clock=clock, max_receipts=2)
    else:
        with SqliteBus(tmp_path / "state.sqlite", clock=clock, max_receipts=2) as bus:
            yield bus


@pytest.fixture
def sqlite(tmp_path: Path, clock: Clock) -> Iterator[SqliteBus]:
    with SqliteBus(tmp_path / "state.sqlite", clock=clock, max_receipts=2) as bus:
        yield bus


def message(name: str, due: float | None = None, **attributes: str | int | bool) -> Message:
    return Message(name, name.encode(), {"type": TYPE, **attributes}, due)


def bury(bus: Consumer, clock: Clock, *names: str) -> None:
    """Make dead letters of messages in an otherwise empty queue."""
    bus.bind("ops", [Binding(TYPE)])
    bus.publish([message(name) for name in names])
    for _ in range(2):
        bus.receive("ops", len(names), 1)
        clock.now += 2
    assert bus.receive("ops", len(names), 1) == []


# Looking at a queue


def test_depth_counts_what_waits_what_is_delayed_and_what_is_worked_on(
    bus: Consumer, clock: Clock
) -> None:
    bus.bind("ops", [Binding(TYPE)])
    assert bus.depth("ops") == 0
    bus.publish([message("now"), message("also now"), message("later", clock.now + 60)])
    (received,) = bus.receive("ops", 1)

    assert bus.depth("ops") == 3
    bus.ack(received)
    assert bus.depth("ops") == 2
    assert bus.depth("others") == 0


def test_next_due_says_when_to_look_again(bus: Consumer, clock: Clock) -> None:
    bus.bind("ops", [Binding(TYPE)])
    assert bus.next_due("ops") is None
    bus.publish([message("later", clock.now + 60), message("now")])
    assert bus.next_due("ops") == clock.now

    (received,) = bus.receive("ops", 1, visibility=30)
    assert bus.next_due("ops") == clock.now + 30
    bus.ack(received)
    assert bus.next_due("ops") == clock.now + 60


def test_dead_letters_can_be_looked_at_without_receiving_them(bus: Consumer, clock: Clock) -> None:
    bury(bus, clock, "1", "2", "3")

    assert [d.id for d in bus.dead_letters("ops", 2)] == ["1", "2"]
    assert [(d.id, d.body, d.receipts) for d in bus.dead_letters("ops")] == [
        (name, name.encode(), 2) for name in "123"
    ]
    assert bus.dead_letters("others") == []
    assert [item.delivery.receipts for item in bus.receive_dead("ops")] == [3, 3, 3]
    assert bus.depth("ops") == 0
    assert bus.next_due("ops") is None


def test_dead_letters_in_the_way_do_not_shorten_what_is_received(
    bus: Consumer, clock: Clock
) -> None:
    bus.bind("ops", [Binding(TYPE)])
    bus.publish([message("dead 1"), message("dead 2")])
    for _ in range(2):
        bus.receive("ops", 2, 1)
        clock.now += 2
    bus.publish([message(name) for name in "abc"])

    assert [item.delivery.id for item in bus.receive("ops", 3)] == ["a", "b", "c"]
    assert [d.id for d in bus.dead_letters("ops")] == ["dead 1", "dead 2"]


def test_a_newer_dead_letter_of_the_same_id_takes_the_place_of_the_older(
    bus: Consumer, clock: Clock
) -> None:
    bury(bus, clock, "1")
    (older,) = bus.receive_dead("ops")
    bury(bus, clock, "1")

    bus.ack(older)

    assert [d.id for d in bus.dead_letters("ops")] == ["1"]


def test_who_works_on_a_message_too_long_cannot_acknowledge_its_dead_letter(
    bus: Consumer, clock: Clock
) -> None:
    bus.bind("ops", [Binding(TYPE)])
    bus.publish([message("1")])
    bus.receive("ops", 1, 1)
    clock.now += 2
    (last,) = bus.receive("ops", 1, 1)
    clock.now += 2
    assert bus.receive("ops") == []

    bus.ack(last)
    bus.hand_back(last, 0)

    assert [d.id for d in bus.dead_letters("ops")] == ["1"]


def test_who_is_late_but_not_replaced_may_still_acknowledge_or_hand_back(
    bus: Consumer, clock: Clock
) -> None:
    bus.bind("ops", [Binding(TYPE)])
    bus.publish([message("1"), message("2")])
    one, two = bus.receive("ops", 2, 1)
    clock.now += 5

    bus.ack(one)
    bus.hand_back(two, 60)
    bus.ack(two)

    assert bus.depth("ops") == 1
    assert bus.next_due("ops") == clock.now + 60


@pytest.mark.parametrize("visibility", [0, -1, 1e-9, float("inf"), float("nan")])
def test_receiving_asks_for_something_and_for_a_time_ahead(
    bus: Consumer, visibility: float
) -> None:
    for receive in (bus.receive, bus.receive_dead):
        with pytest.raises(InvalidRequest, match=r"limit 0 .*; visibility"):
            receive("ops", 0, visibility)


def test_threads_share_out_what_waits(bus: Consumer) -> None:
    bus.bind("ops", [Binding(TYPE)])
    names = [f"{n:03}" for n in range(200)]
    together = threading.Barrier(4)

    def drain(_: int) -> list[str]:
        drained: list[str] = []
        together.wait(10)
        while received := bus.receive("ops", 3):
            drained += [item.delivery.id for item in received]
            bus.ack(*received)
        return drained

    bus.publish([message(name) for name in names])
    with ThreadPoolExecutor(4) as pool:
        drained = [name for each in pool.map(drain, range(4)) for name in each]

    assert sorted(drained) == names
    assert bus.depth("ops") == 0


# The two are the same

GROUPS = ("ops", "audit")
bindings = st.lists(
    st.builds(
        Binding,
        st.sampled_from(["t.v1", "t.v2"]),
        st.sampled_from([None, None, Where("aws/"), Where(extensions=(("place", "aws"),))]),
    ),
    max_size=3,
)
messages = st.lists(
    st.builds(
        lambda name, kind, due, more: (name, {"type": kind, **more}, due),
        st.sampled_from("abcd"),
        st.sampled_from(["t.v1", "t.v1", "t.v2", ""]),
        st.sampled_from([None, None, -5.0, 3.5, 60.0]),
        st.sampled_from([{}, {"subject": "aws/x"}, {"place": "aws"}, {"group": "ops"}]),
    ),
    min_size=1,
    max_size=4,
)


class BothBuses(RuleBasedStateMachine):
    """Does the same with a bus in memory and one in a file."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.folder = tempfile.TemporaryDirectory()
        self.file = SqliteBus(f"{self.folder.name}/s", clock=self.clock, max_receipts=2)
        self.memory = MemoryBus(clock=self.clock, max_receipts=2)
        self.received: list[tuple[Received, Received]] = []
        for group in GROUPS:
            self.bind(group, [Binding("t.v1")])

    def teardown(self) -> None:
        self.file.close()
        self.folder.cleanup()

    @rule(group=st.sampled_from(GROUPS), bindings=bindings)
    def bind(self, group: str, bindings: list[Binding]) -> None:
        self.file.bind(group, bindings)
        self.memory.bind(group, bindings)

    @rule(wanted=messages)
    def publish(self, wanted: list[tuple[str, dict[str, Any], float | None]]) -> None:
        batch = [
            Message(name, b"%d" % n, attributes, None if due is None else self.clock.now + due)
            for n, (name, attributes, due) in enumerate(wanted)
        ]
        assert self._outcome(self.file, batch) == self._outcome(self.memory, batch)

    @rule(group=st.sampled_from(GROUPS), limit=st.integers(1, 3), dead=st.booleans())
    def receive(self, group: str, limit: int, dead: bool) -> None:
        way = "receive_dead" if dead else "receive"
        file, memory = (getattr(bus, way)(group, limit, 10.0) for bus in (self.file, self.memory))
        assert [item.delivery for item in file] == [item.delivery for item in memory]
        self.received += zip(file, memory, strict=True)

    @rule(which=st.integers(0, 9), after=st.sampled_from([None, None, 0.0, 5.0]))
    def answer(self, which: int, after: float | None) -> None:
        if not self.received:
            return
        file, memory = self.received[which % len(self.received)]
        if after is None:
            self.file.ack(file)
            self.memory.ack(memory)
        else:
            self.file.hand_back(file, after)
            self.memory.hand_back(memory, after)

    @rule(seconds=st.sampled_from([1.0, 4.0, 11.0, 60.0]))
    def let_pass(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def look_the_same(self) -> None:
        for group in GROUPS:
            assert self.file.depth(group) == self.memory.depth(group)
            assert self.file.next_due(group) == self.memory.next_due(group)
            assert self.file.dead_letters(group) == self.memory.dead_letters(group)

    def _outcome(self, bus: Consumer, batch: list[Message]) -> object:
        try:
            bus.publish(batch)
            return None
        except NotAccepted as error:
            return str(error), error.messages


def test_the_bus_in_memory_and_the_bus_in_a_file_do_the_same() -> None:
    run_state_machine_as_test(
        BothBuses,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


# Cost


def test_every_statement_of_the_bus_finds_its_rows_by_index(sqlite: SqliteBus) -> None:
    by_number = "SEARCH messages USING INTEGER PRIMARY KEY (rowid=?)"
    due = "SEARCH messages USING INDEX messages_due (recipient=? AND dead=?"
    for statement, parameters, expected in (
        (sqlite_bus.DUE, ("ops", 0, 1.0, 10), f"{due} AND due<?)"),
        (sqlite_bus.DEAD_LETTERS, ("ops", 10), f"{due})"),
        (sqlite_bus.NEXT_DUE, ("ops", 0), f"{due})".replace("INDEX", "COVERING INDEX")),
        (sqlite_bus.LEASE, (1.0, "", 1), by_number),
        (sqlite_bus.BURY, (1.0, 1), by_number),
        (sqlite_bus.ACK, (1, ""), by_number),
        (sqlite_bus.HAND_BACK, (1.0, 1, ""), by_number),
    ):
        # One line: no other step, such as a sort, is needed.
        assert plan(sqlite._database, statement, parameters) == [expected]


def test_the_cost_of_a_message_does_not_grow_with_those_that_wait(
    sqlite: SqliteBus, clock: Clock
) -> None:
    sqlite.bind("ops", [Binding(TYPE)])

    def work() -> None:
        sqlite.publish([message("new", place="aws")])
        received = sqlite.receive("ops", 10)
        assert len(received) >= 1
        sqlite.hand_back(received[0], 7200)
        sqlite.ack(*received[1:])
        sqlite.next_due("ops")

    sqlite.publish([message(f"few:{n}") for n in range(20)])
    few = steps(sqlite._database, work)
    for start in range(0, 100_000, 10_000):
        names = range(start, start + 10_000)
        sqlite.publish([message(f"{n}", clock.now + n % 2 * 3600) for n in names])

    assert few > 0
    assert steps(sqlite._database, work) <= few * 1.05
