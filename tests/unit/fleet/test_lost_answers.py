"""Whatever befalls a write, an action takes effect once and its caller learns the truth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crosswind.actions import Call
from crosswind.context import Lock
from crosswind.errors import Conflict, Throttled, Unreachable
from crosswind.fleet import keys
from crosswind.fleet.register import Accepted
from crosswind.ports import Change
from unit.fleet.chains import Clock, Desk, evacuation
from unit.fleet.fleets import CENTRAL, EAST, fleet
from unit.fleet.weather import Storm, Weather

PARTITION = "fleet:test"


def receipts(storm: Storm) -> dict[str, dict[str, object]]:
    """What the receipts say, by action key."""
    return {
        item.key.removeprefix("receipt:"): json.loads(item.value)["result"]
        for item in storm.store.scan(PARTITION, "receipt:")
    }


@pytest.fixture
def storm() -> Storm:
    return Storm()


@pytest.fixture
def desk(storm: Storm) -> Desk:
    return Desk(storm, fleet())


def test_an_answer_lost_after_the_write_landed_is_found_in_the_receipt(
    storm: Storm, desk: Desk
) -> None:
    storm.forecast("landed")
    assert desk.accept().epoch == 1
    assert storm.landed == 1
    assert desk.workload().epoch == 1


def test_a_write_that_was_lost_is_made_again(storm: Storm, desk: Desk) -> None:
    storm.forecast("lost", "lost")
    assert desk.accept().epoch == 1
    assert storm.writes == 3
    assert desk.workload().epoch == 1


def test_a_write_that_lands_late_changes_nothing_more(storm: Storm, desk: Desk) -> None:
    storm.forecast("late")
    assert desk.accept().epoch == 1
    assert storm.calm() == 0
    assert desk.workload().epoch == 1


def test_a_write_that_lands_before_it_is_repeated_is_recognised(storm: Storm, desk: Desk) -> None:
    storm.late_by = 1
    storm.forecast("late")
    assert desk.accept().epoch == 1
    assert storm.writes == 1
    assert storm.landed == 1


def test_a_write_that_lands_between_reading_the_receipt_and_writing_again_is_recognised(
    storm: Storm, desk: Desk
) -> None:
    storm.late_by = 2
    storm.forecast("late")
    assert desk.accept().epoch == 1
    assert (storm.writes, storm.landed) == (2, 1)
    assert desk.workload().epoch == 1


def test_a_late_write_of_a_plan_that_was_overtaken_never_lands(storm: Storm, desk: Desk) -> None:
    storm.forecast("late", "lost", "lost")
    with pytest.raises(Unreachable):
        desk.perform(evacuation(), "one", timeout=0.0)
    assert desk.accept(plan="plan-2").accepted
    assert storm.calm() == 0
    assert desk.workload().plan == "plan-2"


def test_when_the_time_is_up_the_caller_hears_that_the_answer_is_not_known(
    storm: Storm, desk: Desk
) -> None:
    storm.forecast("landed")
    with pytest.raises(Unreachable):
        desk.perform(evacuation(), "one", timeout=0.0)
    assert desk.perform(evacuation(), "one").epoch == 1
    assert storm.writes == 1


def test_a_store_that_asks_for_patience_gets_it_within_the_time_of_the_call(storm: Storm) -> None:
    clock = Clock()
    desk = Desk(storm, fleet(), clock)
    storm.forecast("throttled", "throttled", "throttled", "lost", reading=["throttled", "lost"])
    assert desk.accept().accepted
    assert len(clock.waits) == 6
    assert sum(clock.waits) < 5.0


@pytest.mark.parametrize(("weather", "error"), [("throttled", Throttled), ("lost", Unreachable)])
def test_a_store_that_stays_away_is_given_up_within_the_time_of_the_call(
    storm: Storm, weather: Weather, error: type[Exception]
) -> None:
    clock = Clock()
    desk = Desk(storm, fleet(), clock)
    storm.weather.extend([weather] * 1000)
    began = clock.now
    with pytest.raises(error):
        desk.accept()
    assert 3.0 < clock.now - began <= 5.0
    assert max(clock.waits) <= 1.0


class Restless(Storm):
    """Another chain touches the workload before every write."""

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        other = f"other-{self.writes}"
        Desk(self.store, fleet()).perform(evacuation(plan=other), other)
        return super().write(partition, changes, token)


def test_a_race_that_is_lost_all_the_time_is_given_up() -> None:
    clock = Clock()
    with pytest.raises(Conflict):
        Desk(Restless(), fleet(), clock).accept(key="ours")
    assert sum(clock.waits) <= 5.0


def test_two_holders_of_one_key_get_one_result(storm: Storm) -> None:
    """The first is slow to write; whoever took the run over has decided meanwhile."""
    first, second = Desk(storm, fleet()), Desk(storm, fleet())
    storm.forecast("late")
    storm.late_by = 5
    answers = [
        second.perform(evacuation(), "one"),
        first.perform(evacuation(), "one"),
    ]
    assert answers[0] == answers[1]
    storm.calm()
    assert first.workload().epoch == 1
    assert storm.landed == 1


def test_a_receipt_and_the_highest_lock_come_with_the_effect(storm: Storm, desk: Desk) -> None:
    desk.accept(key="one", lock=Lock("region", EAST, 3))
    assert receipts(storm)["one"] == {
        "accepted": True,
        "epoch": 1,
        "reason": "",
        "changed": [],
    }
    item = storm.store.read(PARTITION, keys.target("region", EAST))
    assert item is not None
    assert json.loads(item.value) == {"epoch": 3}


WEATHER = st.lists(st.sampled_from(["fine", "landed", "lost", "late", "throttled"]), max_size=6)
READING = st.lists(st.sampled_from(["fine", "fine", "lost", "throttled"]), max_size=10)


@settings(deadline=None)
@given(WEATHER, READING, st.integers(0, 8), st.lists(st.floats(0, 0.2), min_size=1, max_size=4))
@example(["late"], [], 2, [0.0, 0.0])  # it lands between the last look and the last write
def test_in_any_weather_an_action_takes_effect_once_and_is_answered_truthfully(
    weather: list[Weather], reading: list[Weather], late_by: int, timeouts: list[float]
) -> None:
    storm = Storm(late_by=late_by)
    storm.forecast(*weather, reading=reading)
    desk = Desk(storm, fleet())
    answers = []
    # An engine that is told nothing asks again with the same key.
    for timeout in (*timeouts, 60.0):
        try:
            answers.append(desk.performer.perform(evacuation(), Call("one", timeout)))
        except (Throttled, Unreachable):
            continue
    storm.calm()
    storm.weather.clear()
    storm.reading.clear()
    assert answers
    assert set(map(repr, answers)) == {repr(Accepted(accepted=True, epoch=1))}
    assert storm.landed == 1
    assert desk.workload().epoch == 1
    assert receipts(storm) == {"one": answers[0].model_dump(mode="json")}


@pytest.mark.parametrize(("first", "second"), list(product(["landed", "lost", "late"], repeat=2)))
def test_a_step_after_a_lost_answer_moves_the_traffic_once(first: Weather, second: Weather) -> None:
    storm = Storm()
    desk = Desk(storm, fleet())
    storm.forecast(first)
    desk.accept()
    storm.forecast(second)
    assert desk.advance({EAST: 0.25, CENTRAL: 0.75}, 1, 2).epoch == 2
    storm.calm()
    state = desk.workload()
    assert (state.epoch, state.weights) == (2, {EAST: 0.25, CENTRAL: 0.75})
