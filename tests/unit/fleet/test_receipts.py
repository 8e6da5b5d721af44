"""Receipts: an action takes effect once, however often it is asked for."""

from __future__ import annotations

import pytest

from crosswind.actions import Call
from crosswind.embedded.memory import MemoryStore
from crosswind.errors import Diverged
from crosswind.fleet.register import Accepted, RegisterPerformer, ReleasePlan
from unit.fleet.chains import NOON, Clock, Desk, evacuation
from unit.fleet.fleets import CENTRAL, EAST, fleet
from unit.fleet.weather import Storm


@pytest.fixture
def desk() -> Desk:
    return Desk(MemoryStore(), fleet())


def test_a_repeated_key_gets_the_result_of_the_first_time(desk: Desk) -> None:
    first = desk.accept(key="one")
    desk.advance({EAST: 0.25, CENTRAL: 0.75}, 1, 2)
    assert desk.accept(key="one") == first
    assert desk.workload().epoch == 2


def test_a_refusal_has_a_receipt_too(desk: Desk) -> None:
    desk.accept(plan="plan-0")
    refused = desk.accept(key="one", priority="budget")
    desk.advance({CENTRAL: 1.0}, plan="plan-0")
    assert desk.accept(key="one", priority="budget") == refused
    assert desk.accept(key="two", priority="budget").accepted


def test_a_key_stands_for_one_action(desk: Desk) -> None:
    desk.accept(key="one")
    with pytest.raises(Diverged, match=r"receipt of a register\.accept with other arguments"):
        desk.accept(key="one", plan="plan-2")
    with pytest.raises(Diverged, match=r"the key of this register\.release"):
        desk.perform(ReleasePlan(workload="chat", plan="plan-1"), "one")


def test_receipts_are_kept_for_as_long_as_they_may_be_asked_for() -> None:
    store, clock = MemoryStore(), Clock()
    desk = Desk(store, fleet(), clock)
    desk.accept(key="one")
    store.purge(NOON + desk.performer.receipts.keep - 1)
    assert desk.accept(key="one").epoch == 1
    assert desk.workload().epoch == 1
    assert store.purge(NOON + desk.performer.receipts.keep + 1) == 1
    assert desk.workload().epoch == 1


def test_any_text_may_be_the_key_of_a_call(desk: Desk) -> None:
    first = desk.performer.perform(evacuation(), Call("a/b#c", 1.0))
    assert desk.performer.perform(evacuation(), Call("a/b#c", 1.0)) == first
    assert desk.workload().epoch == 1


def test_the_waits_of_an_action_are_drawn_from_growing_ranges() -> None:
    storm, clock = Storm(), Clock()
    ranges: list[tuple[float, float]] = []

    def longest(low: float, high: float) -> float:
        ranges.append((low, high))
        return high

    performer = RegisterPerformer(storm, fleet(), clock=clock, pause=clock.wait, draw=longest)
    storm.forecast("throttled", "lost", "throttled")

    assert isinstance(performer.perform(evacuation(), Call("one", 5.0)), Accepted)
    assert storm.landed == 1

    assert ranges == [(0.0, 0.04), (0.0, 0.08), (0.0, 0.16)]
    assert clock.waits == [0.04, 0.08, 0.16]
