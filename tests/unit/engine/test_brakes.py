"""The two switches that people have over all actions, and what a run does when one is thrown."""

from __future__ import annotations

import pytest

from crosswind.app import App
from crosswind.context import Context
from crosswind.engine.approvals import Approvals
from crosswind.errors import CrosswindError
from crosswind.gate.brakes import BRAKES, BrakeLever, Brakes, Switch, fleet_partition
from crosswind_events import Event

from .races import MeddledStore
from .stage import Stage
from .world import Asked, Over, Plant, SetValve, fleet


def setter() -> App:
    app = App("setter")

    @app.on(name="set", acts=[SetValve], deadline=1_000)
    def set_valve(event: Event[Asked], ctx: Context) -> Over:
        return Over(text=str(ctx.act(SetValve(level=1)).level))

    return app


def levers(mode: str = "act") -> tuple[Stage, Plant, MeddledStore, BrakeLever]:
    store, plant = MeddledStore(), Plant()
    stage = Stage(setter(), fleet=fleet(mode), performers=[plant], store=store)
    return stage, plant, store, BrakeLever(stage.engine.ledger, "test", lambda: stage.now)


def test_no_switch_is_on_until_it_is_thrown() -> None:
    _, _, _, lever = levers()
    assert lever.read() == Brakes()


def test_a_switch_keeps_who_threw_it_and_why() -> None:
    stage, _, _, lever = levers()
    lever.freeze("ada", "exam week", seconds=60, workload="chat")
    assert lever.read() == Brakes(
        freeze=Switch("ada", "exam week", stage.now, stage.now + 60, "chat")
    )


def test_each_switch_is_thrown_without_the_other() -> None:
    _, _, _, lever = levers()
    lever.freeze("ada", "exam week")
    lever.break_glass("bob", "all is lost", seconds=60)
    lever.thaw()
    brakes = lever.read()
    assert (brakes.freeze, brakes.break_glass is not None) == (None, True)
    lever.restore_glass()
    assert lever.read() == Brakes()


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
def test_break_glass_ends_within_a_day(seconds: float) -> None:
    _, _, _, lever = levers()
    with pytest.raises(ValueError, match="a time to live of at most a day"):
        lever.break_glass("bob", "all is lost", seconds)


def test_two_people_at_the_levers_are_both_heard() -> None:
    _, _, store, lever = levers()
    store.meddle("write", BRAKES, lambda: lever.freeze("ada", "exam week"))
    lever.break_glass("bob", "all is lost", seconds=60)
    brakes = lever.read()
    assert brakes.freeze is not None
    assert brakes.break_glass is not None


def test_switches_that_are_never_at_rest_are_an_error() -> None:
    _, _, store, lever = levers()
    lever.freeze("ada", "exam week")
    store.meddle("write", BRAKES, lambda: store.touch(fleet_partition("test"), BRAKES), times=99)
    with pytest.raises(CrosswindError, match="thrown by others; try again"):
        lever.thaw()


def test_a_freeze_that_was_given_an_end_ends_by_itself() -> None:
    stage, plant, _, lever = levers()
    lever.freeze("ada", "lunch", seconds=10)
    stage.say(Asked())
    record = stage.record("set")
    assert record.until == pytest.approx(stage.now + 10, abs=0.1), "no later look than needed"
    stage.pass_time(11)
    assert stage.record("set").state == "committed"
    assert len(plant.calls) == 1


def test_the_deadline_runs_on_while_a_chain_is_frozen() -> None:
    stage, plant, _, lever = levers()
    lever.freeze("ada", "exam week")
    stage.say(Asked())
    stage.pass_time(1_001)
    head = stage.head()
    assert head is not None
    assert head.outcome == "stalled"
    lever.thaw()
    stage.pass_time(60)
    assert stage.record("set").state == "dropped"
    assert plant.calls == []


def test_a_freeze_holds_what_a_person_has_granted() -> None:
    stage, plant, _, lever = levers("propose")
    chain = stage.say(Asked())
    approvals = Approvals(stage.app, stage.engine.runtime, stage.bus)
    (proposal,) = approvals.waiting(chain)
    lever.freeze("ada", "exam week")
    approvals.answer(chain, proposal.approval, "granted", by="ada")
    stage.play()
    assert plant.calls == []
    assert stage.record("set").state == "suspended"
    assert approvals.waiting(chain) == [], "it waits for the thaw, not for a person"
    lever.thaw()
    stage.pass_time(60)
    assert len(plant.calls) == 1


def test_broken_glass_of_one_workload_opens_nothing_for_others() -> None:
    stage, plant, _, lever = levers("propose")
    lever.break_glass("bob", "all is lost", seconds=60, workload="other")
    stage.say(Asked())
    assert plant.calls == []
