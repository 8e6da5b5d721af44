"""Evidence that comes in between a proposal and its grant: the decision is made anew."""

from __future__ import annotations

from crosswind.app import App
from crosswind.context import Context
from crosswind.engine.approvals import Approvals
from crosswind.handlers import Flight
from crosswind_events import Event
from crosswind_events.catalogue.approval import ApprovalRequested

from .stage import Stage
from .world import Asked, Over, Plant, SetValve, fleet


def app_of(weighed: bool) -> App:
    """Sets the valve by the words of the evidence; `weighed`: how much of it there is counts."""
    app = App("void")

    @app.on(name="set", acts=[SetValve], flight=Flight("void", key=lambda e: "it"))
    def set_valve(event: Event[Asked], ctx: Context) -> Over | None:
        if event.data.text == "more":
            return None
        evidence = ctx.evidence()
        ctx.act(SetValve(level=len(evidence) if weighed else 1))
        return Over()

    return app


def asked(weighed: bool) -> tuple[Stage, Plant, Approvals, str]:
    plant = Plant()
    stage = Stage(app_of(weighed), fleet=fleet("propose"), performers=[plant])
    chain = stage.say(Asked())
    approvals = Approvals(stage.app, stage.engine.runtime, stage.bus)
    (first,) = approvals.waiting(chain)
    stage.say(Asked(text="more"), id="2", source="//other.example.com")
    stage.chain = chain
    approvals.answer(chain, first.approval, "granted", by="ada")
    stage.play()
    return stage, plant, approvals, chain


def test_a_decision_that_comes_out_the_same_keeps_its_grant() -> None:
    stage, plant, approvals, chain = asked(weighed=False)
    assert approvals.waiting(chain) == []
    assert len(plant.done) == 1
    assert len(stage.said(ApprovalRequested)) == 1
    record = next(r for r in stage.records() if r.log)
    assert record.log[-1].approval is not None
    assert record.log[-1].approval["by"] == "ada"


def test_a_decision_that_comes_out_differently_is_proposed_anew() -> None:
    stage, plant, approvals, chain = asked(weighed=True)
    assert plant.calls == []
    (second,) = approvals.waiting(chain)
    assert second.args["level"] == 2
    assert [e.data.proposal for e in stage.said(ApprovalRequested)] == [0, 1]
    approvals.answer(chain, second.approval, "granted", by="ada")
    stage.play()
    assert list(plant.done.values()) == [2]


def test_an_answer_can_be_looked_at_without_answering() -> None:
    app, seen = App("look"), []

    @app.on(name="look")
    def look(event: Event[Asked], ctx: Context) -> None:
        seen.append(ctx.answered("q"))
        ctx.settle("q", "yes")
        seen.append(ctx.answered("q"))

    Stage(app).say(Asked())
    assert seen == [None, "yes"]
