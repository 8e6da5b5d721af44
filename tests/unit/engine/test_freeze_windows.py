"""Within a freeze window nothing is done by itself: a person is asked, whatever the mode."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.actions import Pending
from crosswind.app import App
from crosswind.context import Context
from crosswind.engine.approvals import Approvals, Proposal
from crosswind.errors import ActionRefused
from crosswind.gate.brakes import BrakeLever
from crosswind_events import Event
from crosswind_events.catalogue.approval import ApprovalRequested

from .stage import Stage
from .world import Asked, Over, Plant, Ring, SetValve, fleet

# A stage begins at 2027-01-15T08:00:00Z.
SALE = {
    "name": "sale",
    "begins": "2027-01-15T06:00:00Z",
    "ends": "2027-01-15T09:00:00Z",
    "because": "the winter sale",
}
SOON = SALE | {"begins": "2027-01-15T08:10:00Z"}
WHY = "freeze sale until 2027-01-15 09:00 UTC: the winter sale"


def acting(*levels: int, plan: str | None = None) -> App:
    app = App("setter")

    @app.on(name="set", acts=[SetValve, Ring])
    def set_valve(event: Event[Asked], ctx: Context) -> Over:
        try:
            for level in levels or (1,):
                ctx.act(SetValve(level=level, plan=plan))
        except ActionRefused as refused:
            ctx.act(Ring())
            return Over(text=refused.outcome)
        return Over(text="done")

    return app


def staged(
    window: dict[str, Any], mode: str = "act", app: App | None = None, **more: Any
) -> tuple[Stage, Plant, Approvals]:
    plant = Plant()
    declared = fleet(mode, freezes=[window], **more)
    stage = Stage(app or acting(), fleet=declared, performers=[plant])
    return stage, plant, Approvals(stage.app, stage.engine.runtime, stage.bus)


def proposal(stage: Stage, approvals: Approvals) -> Proposal:
    (one,) = approvals.waiting(stage.chain)
    return one


def test_what_would_be_done_is_proposed_and_says_which_window_stands() -> None:
    stage, plant, approvals = staged(SALE)
    stage.say(Asked())
    assert plant.calls == []
    assert stage.record("set").why == WHY
    assert proposal(stage, approvals).why == WHY
    assert len(stage.said(ApprovalRequested)) == 1


def test_what_would_be_proposed_says_that_a_window_stands_too() -> None:
    stage, _, approvals = staged(SALE, "propose")
    stage.say(Asked())
    assert proposal(stage, approvals).why == f"approval is required; {WHY}"


def test_what_is_only_observed_stays_observed() -> None:
    stage, plant, _ = staged(SALE, "observe")
    stage.say(Asked())
    assert stage.record("set").simulated
    assert plant.calls == []


def test_what_a_person_grants_is_done_within_the_window() -> None:
    stage, plant, approvals = staged(SALE)
    stage.say(Asked())
    approvals.answer(stage.chain, proposal(stage, approvals).approval, "granted", by="ada")
    stage.play()
    assert len(plant.calls) == 1
    assert stage.record("set").log[-1].mode == "propose"


def test_what_a_person_rejects_is_not_done_and_people_may_be_told_of_it() -> None:
    stage, plant, approvals = staged(SALE)
    stage.say(Asked())
    approvals.answer(stage.chain, proposal(stage, approvals).approval, "rejected", by="ada")
    stage.play()
    assert [kind for kind, _ in plant.calls] == ["bell.ring"], "telling is never held back"
    assert stage.said(Over)[0].data.text == "rejected"


def test_a_question_that_was_asked_is_answered_also_after_the_window() -> None:
    stage, plant, approvals = staged(SALE | {"ends": "2027-01-15T08:05:00Z"})
    stage.say(Asked())
    stage.pass_time(600)
    assert plant.calls == [], "nobody has answered"
    approvals.answer(stage.chain, proposal(stage, approvals).approval, "granted", by="ada")
    stage.play()
    assert len(plant.calls) == 1


def test_before_and_after_a_window_the_mode_holds() -> None:
    for window in (SOON, SALE | {"ends": "2027-01-15T07:59:59Z"}):
        stage, plant, _ = staged(window)
        stage.say(Asked())
        assert len(plant.calls) == 1


@pytest.mark.parametrize(
    ("globs", "held"),
    [
        ({"kinds": ["valve.*"]}, True),
        ({"kinds": ["traffic.*"]}, False),
        ({"workloads": ["ch*"]}, True),
    ],
)
def test_only_what_the_window_names_is_held_back(globs: dict[str, Any], held: bool) -> None:
    stage, plant, _ = staged(SALE | globs)
    stage.say(Asked())
    assert (plant.calls == []) is held


def test_one_answer_about_a_plan_covers_its_steps() -> None:
    stage, plant, approvals = staged(SALE, app=acting(1, 2, 3, plan="plan-1"))
    stage.say(Asked())
    approvals.answer(stage.chain, proposal(stage, approvals).approval, "granted", by="ada")
    stage.play()
    assert len(plant.calls) == 3


def test_a_window_that_begins_in_the_middle_stops_before_the_next_step() -> None:
    stage, plant, approvals = staged(SOON, app=acting(1, 2))
    plant.before = lambda action, call: (
        Pending(900) if action.level == 1 and not call.checking else None
    )
    stage.say(Asked())
    stage.pass_time(901)
    assert [kind for kind, _ in plant.calls] == ["valve.set"] * 2, "what was begun is seen through"
    assert stage.record("set").why == WHY
    assert proposal(stage, approvals).args["level"] == 2


def test_broken_glass_goes_through() -> None:
    stage, plant, _ = staged(SALE)
    BrakeLever(stage.engine.ledger, "test", lambda: stage.now).break_glass("bob", "down", 60)
    stage.say(Asked())
    assert len(plant.calls) == 1
    assert stage.record("set").log[-1].mode == "break-glass"


def test_the_switch_holds_back_within_a_window_too() -> None:
    stage, _, approvals = staged(SALE)
    BrakeLever(stage.engine.ledger, "test", lambda: stage.now).freeze("ada", "exam week")
    stage.say(Asked())
    assert stage.record("set").why == "frozen by ada: exam week"
    assert approvals.waiting(stage.chain) == []


def test_what_was_granted_is_counted_against_the_limits() -> None:
    limits = [{"limit": "replicas-removed", "per": "1h", "most": 1}]
    stage, plant, approvals = staged(SALE | {"ends": "2027-01-15T08:05:00Z"}, limits=limits)
    stage.say(Asked())
    approvals.answer(stage.chain, proposal(stage, approvals).approval, "granted", by="ada")
    stage.play()
    stage.pass_time(301)
    stage.say(Asked(), id="2")
    assert len(plant.calls) == 1
    assert proposal(stage, approvals).why.startswith("beyond a limit (replicas-removed: 1 of 1")
