"""Approvals at their edges: what waits, what has been answered, and what its events can hold."""

from __future__ import annotations

import pytest

from crosswind.actions import Action
from crosswind.app import App
from crosswind.context import Context
from crosswind.engine.approvals import Approvals, NotAnApprover, Proposal
from crosswind.errors import ActionRefused
from crosswind.handlers import Flight
from crosswind_events import Event
from crosswind_events.catalogue.approval import ApprovalRequested, ApprovalSettled

from .races import MeddledStore
from .stage import Stage
from .world import Asked, Over, Plant, Set, SetValve, fleet


def proposed() -> tuple[Stage, Plant, Approvals, Proposal]:
    app = App("valves")

    @app.on(name="note", aside=True)
    def note(event: Event[Asked]) -> None:
        pass

    @app.on(name="set", acts=[SetValve])
    def set_valve(event: Event[Asked], ctx: Context) -> Over:
        return Over(text=str(ctx.act(SetValve(level=5)).level))

    plant = Plant()
    stage = Stage(app, fleet=fleet("propose"), performers=[plant], store=MeddledStore())
    stage.say(Asked(), subject="r1")
    approvals = Approvals(app, stage.engine.runtime, stage.bus)
    (proposal,) = approvals.waiting(stage.chain)
    return stage, plant, approvals, proposal


def test_a_proposal_says_what_a_person_must_know() -> None:
    stage, _, _, proposal = proposed()
    assert (proposal.handler, proposal.group, proposal.action) == ("set", "valves", "valve.set")
    assert proposal.args["level"] == 5
    assert proposal.why == "approval is required"
    assert proposal.expires == pytest.approx(stage.now + 3_600, abs=1)
    (asked,) = stage.said(ApprovalRequested)
    assert asked.data.summary == "valve.set(level=5, workload='chat', plan=None)"
    assert (asked.data.workload, asked.subject) == ("chat", "r1")


def test_an_answered_proposal_does_not_wait_though_its_run_still_does() -> None:
    stage, _, approvals, proposal = proposed()
    approvals.answer(stage.chain, proposal.approval, "granted", by="ada")
    assert stage.record("set").state == "suspended"
    assert approvals.waiting(stage.chain) == []


def test_the_answer_is_told_to_whoever_wants_to_know() -> None:
    stage, _, approvals, proposal = proposed()
    approvals.answer(stage.chain, proposal.approval, "rejected", by="ada", reason="not today")
    (settled,) = stage.said(ApprovalSettled)
    assert (settled.data.outcome, settled.data.by, settled.data.reason) == (
        "rejected",
        "ada",
        "not today",
    )


def test_the_answer_that_won_is_on_the_record_of_the_action() -> None:
    stage, _, approvals, proposal = proposed()
    approvals.answer(stage.chain, proposal.approval, "granted", by="ada")
    stage.play()
    entry = stage.record("set").log[0]
    assert entry.approval is not None
    assert entry.approval["by"] == "ada"
    assert entry.mode == "propose"


def test_a_grant_that_comes_in_the_last_seconds_of_a_proposal_may_come_too_late() -> None:
    """The run that waits gives up earlier by the skew, and its answer stands."""
    stage, plant, approvals, proposal = proposed()
    stage.now = proposal.expires - 2
    (resume,) = [
        m
        for m in stage.bus.waiting
        if m.due is not None and m.due == pytest.approx(proposal.expires)
    ]
    stage.deliver(resume.body)
    answer = approvals.answer(stage.chain, proposal.approval, "granted", by="ada")
    assert answer.outcome == "expired"
    stage.play()
    assert plant.calls == []


def test_a_run_that_is_woken_before_it_is_answered_waits_on() -> None:
    stage, plant, _, proposal = proposed()
    (resume,) = [
        m
        for m in stage.bus.waiting
        if m.due is not None and m.due == pytest.approx(proposal.expires)
    ]
    stage.deliver(resume.body)
    record = stage.record("set")
    assert (record.state, record.why, record.turn) == ("suspended", "waiting for approval", 2)
    assert len(stage.said(ApprovalRequested)) == 1
    assert plant.calls == []


def test_the_second_of_two_equal_plans_needs_no_second_approval() -> None:
    app = App("plans")

    @app.on(name="set", acts=[SetValve], flight=Flight("p", key=lambda e: "it"))
    def set_valve(event: Event[Asked], ctx: Context) -> Over:
        ctx.act(SetValve(level=1, plan="p"))
        ctx.act(SetValve(level=2, plan="p"))
        ctx.act(SetValve(level=3, plan="other"))
        return Over()

    plant = Plant()
    stage = Stage(app, fleet=fleet("propose"), performers=[plant])
    chain = stage.say(Asked())
    approvals = Approvals(app, stage.engine.runtime, stage.bus)
    approvals.answer(chain, approvals.waiting(chain)[0].approval, "granted", by="ada")
    stage.play()
    assert sorted(plant.done.values()) == [1, 2]
    (second,) = approvals.waiting(chain)
    assert second.args["plan"] == "other"


def test_a_refusal_is_given_back_like_any_result() -> None:
    """The handler goes on after it, waits for something else, and is told the same again."""
    app, refused = App("stubborn"), []

    @app.on(name="set", acts=[SetValve])
    def set_valve(event: Event[Asked], ctx: Context) -> Over:
        try:
            ctx.act(SetValve(level=9))
        except ActionRefused as error:
            refused.append((error.outcome, error.by, error.reason))
        return Over(text=str(ctx.act(SetValve(level=1)).level))

    plant = Plant()
    stage = Stage(app, fleet=fleet("propose"), performers=[plant])
    chain = stage.say(Asked())
    approvals = Approvals(app, stage.engine.runtime, stage.bus)
    first = approvals.waiting(chain)[0].approval
    approvals.answer(chain, first, "rejected", by="ada", reason="too much")
    stage.play()
    approvals.answer(chain, approvals.waiting(chain)[0].approval, "granted", by="ada")
    stage.play()
    assert refused == [("rejected", "ada", "too much")] * 2
    assert list(plant.done.values()) == [1]


class SetMany(Action[Set], kind="valve.set-many"):
    names: tuple[str, ...]

    def assumed(self) -> Set:
        return Set(level=0)


def test_an_action_of_many_arguments_can_be_proposed() -> None:
    app = App("many")

    @app.on(name="set", acts=[SetMany])
    def set_many(event: Event[Asked], ctx: Context) -> None:
        ctx.act(SetMany(names=("x" * 100,) * 50))

    stage = Stage(app, fleet=fleet("propose"), performers=[Plant(performs=(SetMany,))])
    stage.say(Asked())
    assert stage.record("set").state == "suspended"


def test_only_those_whom_the_fleet_names_can_answer_and_only_for_what_is_theirs() -> None:
    stage, plant, approvals, proposal = proposed()
    runtime = stage.engine.runtime
    modes = {
        "default": "propose",
        "approvers": [
            {"who": "*@ops.example.com", "kinds": ["valve.*"]},
            {"who": "bob@example.com", "workloads": ["search"]},
        ],
    }
    runtime.fleet = fleet(modes=modes)
    for stranger in ("eve@example.com", "bob@example.com"):
        with pytest.raises(NotAnApprover, match=r"names \*@ops.example.com, bob@example.com"):
            approvals.answer(stage.chain, proposal.approval, "granted", by=stranger)
    assert approvals.waiting(stage.chain) == [proposal]
    approvals.answer(stage.chain, proposal.approval, "granted", by="ann@ops.example.com")
    stage.play()
    assert len(plant.done) == 1
