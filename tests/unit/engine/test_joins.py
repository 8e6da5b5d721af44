"""Joins and settled questions: what several runs decide together, once."""

from __future__ import annotations

from collections.abc import Iterator

from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Branch, Later, branch, later
from crosswind.engine.settings import Settings
from crosswind_events import Event, EventData
from crosswind_events.catalogue.chain import BranchFailed
from crosswind_events.catalogue.deadletter import DeadLettered

from .stage import Stage
from .world import Asked, Over

MEMBERS = ("a", "b", "c")


class Part(EventData, type="com.example.part.v1"):
    name: str


class Done(EventData, type="com.example.done.v1"):
    name: str


class GiveUp(EventData, type="com.example.giveup.v1"):
    pass


def fan(bad: str = "", slow: str = "") -> App:
    """Fans out to three members, collects them, and gives up after 50 seconds."""
    app = App("fan")

    @app.on(name="out")
    def out(event: Event[Asked], ctx: Context) -> Iterator[Branch[Part] | Later[GiveUp]]:
        for member in MEMBERS:
            yield branch(Part(name=member), join="parts", member=member)
        yield later(GiveUp(), 50, scope="parts")

    @app.on(name="work")
    def work(event: Event[Part], ctx: Context) -> Iterator[Done]:
        if event.data.name == bad:
            raise ValueError("this part is bad")
        if event.data.name != slow:
            yield Done(name=event.data.name)

    @app.on(name="collect")
    def collect(event: Event[Done | BranchFailed], ctx: Context) -> Iterator[Over]:
        data = event.data
        member = data.name if isinstance(data, Done) else data.member
        joined = ctx.join("parts", member, MEMBERS, member.upper())
        if joined is not None:
            ctx.cancel("parts")
            yield Over(text=f"{sorted(joined.values.values())} failed {sorted(joined.failed)}")

    @app.on(name="timeout")
    def timeout(event: Event[GiveUp], ctx: Context) -> Over:
        joined = ctx.close_join("parts", MEMBERS)
        return Over(text=f"{joined.outcome}: missing {list(joined.missing)}")

    return app


def test_a_join_completes_once_when_every_member_has_arrived() -> None:
    stage = Stage(fan())
    stage.say(Asked())
    (over,) = stage.said(Over)
    assert over.data.text == "['A', 'B', 'C'] failed []"
    assert over.extensions["hop"] == 3
    assert "branch" not in over.extensions
    assert stage.said(Done)[0].extensions["branch"] == "parts|a"
    stage.pass_time(100)
    assert stage.records()[-1].why == "its timer outlived the chain"


def test_a_dead_lettered_branch_fails_its_member_and_the_chain_goes_on() -> None:
    stage = Stage(fan(bad="b"), settings=Settings(attempts=2, backoff=0.1))
    stage.say(Asked())
    stage.pass_time(10)
    (over,) = stage.said(Over)
    assert over.data.text == "['A', 'C'] failed ['b']"
    assert len(stage.said(DeadLettered)) == 1
    assert stage.said(BranchFailed)[0].data.reason == "ValueError: this part is bad"
    head = stage.head()
    assert head is not None
    assert head.outcome == "completed"


def test_a_join_that_times_out_goes_on_with_what_has_arrived() -> None:
    stage = Stage(fan(slow="c"))
    stage.say(Asked())
    assert stage.said(Over) == []
    stage.pass_time(60)
    (over,) = stage.said(Over)
    assert over.data.text == "timed-out: missing ['c']"


def test_other_members_than_at_first_are_an_error() -> None:
    app = App("wrong")

    @app.on(name="join")
    def join(event: Event[Asked], ctx: Context) -> None:
        ctx.join("parts", "a", ("a", "b"), None)
        ctx.join("parts", "a", ("a", "c"), None)

    stage = Stage(app, settings=Settings(attempts=1))
    stage.say(Asked())
    assert "was opened for the members" in stage.record("join").why


def test_a_question_is_answered_once_and_its_events_are_the_same_from_every_racer() -> None:
    app = App("ask")

    @app.on(name="out")
    def out(event: Event[Asked]) -> Iterator[Part]:
        yield Part(name="yes")
        yield Part(name="no")

    @app.on(name="answer")
    def answer(event: Event[Part], ctx: Context) -> Done:
        return Done(name=ctx.settle("q", event.data.name))

    stage = Stage(app)
    stage.say(Asked())
    (done,) = stage.said(Done)
    assert done.data.name == "yes"
    assert len([r for r in stage.records() if r.handler == "answer"]) == 2


def test_a_nested_fan_out_keeps_its_branches_apart() -> None:
    app = App("nested")

    @app.on(name="out")
    def out(event: Event[Asked]) -> Iterator[Branch[Part]]:
        for name in ("x", "y"):
            yield branch(Part(name=name), join="outer", member=name)

    @app.on(name="inner")
    def inner(event: Event[Part]) -> Iterator[Branch[Done]]:
        for name in ("1", "2"):
            yield branch(Done(name=event.data.name), join=f"inner-{event.data.name}", member=name)

    class Half(EventData, type="com.example.half.v1"):
        name: str

    globals()["Half"] = Half

    @app.on(name="collect")
    def collect(event: Event[Done], ctx: Context) -> Iterator[Half]:
        member = str(event.extensions["branch"]).rpartition("|")[2]
        if ctx.join(f"inner-{event.data.name}", member, ("1", "2"), None) is not None:
            yield Half(name=event.data.name)

    @app.on(name="finish")
    def finish(event: Event[Half], ctx: Context) -> Iterator[Over]:
        if ctx.join("outer", event.data.name, ("x", "y"), None) is not None:
            yield Over()

    stage = Stage(app)
    stage.say(Asked())
    assert len(stage.said(Over)) == 1
    assert {e.extensions["branch"] for e in stage.said(Half)} == {"outer|x", "outer|y"}
    assert "outer|x;inner-x|1" in {e.extensions["branch"] for e in stage.said(Done)}
