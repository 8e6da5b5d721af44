"""A stage plays an app step by step, and goes on when a process is killed."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.actions import Pending
from crosswind.app import App
from crosswind.embedded.memory import MemoryStore
from crosswind.emissions import Later, later
from crosswind.testing import Fault, FaultPlan, On, Stage
from crosswind_events import Event
from crosswind_events.catalogue.deadletter import DeadLettered
from unit.testing.valve import Asked, Due, Over, Valve, app, fleet


def stage(valve: Valve, *rules: On) -> Stage:
    return Stage(app(), fleet=fleet(), performers=[valve], faults=FaultPlan(*rules))


def test_an_app_is_played_to_its_next_timer_and_on() -> None:
    valve = Valve()
    play = stage(valve)
    chain = play.say(Asked(text="well?"))
    assert play.record("turn").state == "committed"
    assert play.said(Over) == []
    head = play.head()
    assert head is not None
    assert head.open
    play.pass_time(31)
    assert [event.data.text for event in play.said(Over)] == ["well?"]
    assert [run.handler for run in play.records(chain)] == ["turn", "end"]
    head = play.head(chain)
    assert head is not None
    assert head.outcome == "completed"


def test_time_passes_also_where_nothing_is_due() -> None:
    play = stage(Valve())
    before = play.now
    play.pass_time(100)
    assert play.now == before + 100


def test_without_a_fleet_everything_is_only_observed() -> None:
    valve = Valve()
    play = Stage(app(), performers=[valve])
    with pytest.raises(LookupError, match="0 runs of 'nothing'"):
        play.record("nothing")
    play.say(Asked())
    assert valve.keys == []


@pytest.mark.parametrize("fault", ["killed", "killed-after"])
@pytest.mark.parametrize(
    ("method", "nth"),
    [
        *(("write", n) for n in (1, 2, 3, 4, 5)),
        *(("publish", n) for n in (1, 2)),
        *(("perform", n) for n in (1, 2)),
    ],
)
def test_a_process_that_is_killed_is_replaced_and_nothing_is_done_twice(
    method: str, nth: int, fault: Fault
) -> None:
    valve = Valve()
    play = stage(valve, On(method, nth, fault))
    play.say(Asked())
    play.pass_time(600)
    assert play.kills == 1
    assert play.said(Over) != []
    assert len(valve.levels) == 2


def test_an_effect_that_is_late_lands_when_the_test_says_so() -> None:
    valve = Valve()
    faults = FaultPlan(On("perform", fault="late"))
    play = Stage(app(), fleet=fleet(), performers=[valve], faults=faults)
    play.say(Asked())
    assert play.record("turn").state == "retrying"
    assert valve.keys == []
    play.pass_time(60)
    assert play.record("turn").state == "committed"
    assert faults.land() == 1
    assert len(valve.levels) == 2, "it was recognised by its key"
    assert faults.land() == 0


def test_an_action_that_takes_long_is_asked_for_again_as_time_passes() -> None:
    answers: list[Any] = [Pending(10, "it turns")]

    class Slow(Valve):
        def perform(self, action: Any, call: Any) -> Any:
            return answers.pop() if answers else super().perform(action, call)

    valve = Slow()
    play = Stage(app(), fleet=fleet(), performers=[valve])
    play.say(Asked())
    assert play.record("turn").why == "it turns"
    play.pass_time(11)
    assert play.record("turn").state == "committed"


def test_another_stage_goes_on_with_what_was_stored() -> None:
    store = MemoryStore()
    first = Stage(app(), store=store)
    chain = first.say(Asked())
    second = Stage(app(), store=store, now=first.now + 60)
    assert [run.handler for run in second.records(chain)] == ["turn"]


def test_a_chain_that_goes_round_in_circles_ends_in_a_dead_letter() -> None:
    ring = App("ring")

    @ring.on(name="round")
    def round_(event: Event[Asked | Due]) -> Due:
        return Due()

    play = Stage(ring)
    play.say(Asked())
    assert "Does the chain run in a circle?" in play.said(DeadLettered)[0].data.error


def test_a_stage_that_never_comes_to_rest_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crosswind.testing.stage._STEPS", 20)
    ring = App("ring")

    @ring.on(name="round")
    def round_(event: Event[Asked | Due]) -> Later[Due]:
        return later(Due(), 0)

    with pytest.raises(AssertionError, match="still something due"):
        Stage(ring).say(Asked())
