"""Only the resume event of a run's present turn continues it."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.actions import Pending
from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Later, later
from crosswind.handlers import Flight
from crosswind.ports import Delivery, Message
from crosswind_events import Event, EventData
from crosswind_events.catalogue.chain import RunResume

from .stage import Stage
from .world import Asked, Heard, Over, Plant, SetValve, fleet


class Sized(EventData, type="com.example.sized.v1"):
    size: int = 0


class Measured(EventData, type="com.example.sized.v1"):
    unit: str


def suspended() -> tuple[Stage, Plant, Message]:
    app = App("slow")

    @app.on(name="set", acts=[SetValve])
    def set_valve(event: Event[Asked], ctx: Context) -> Over:
        return Over(text=str(ctx.act(SetValve(level=1)).level))

    plant = Plant()
    answers: list[Any] = [Pending(30), Pending(30), None]
    plant.before = lambda action, call: answers.pop(0)
    stage = Stage(app, fleet=fleet(), performers=[plant])
    stage.say(Asked())
    return stage, plant, resume_of(stage)


def resume_of(stage: Stage) -> Message:
    return next(m for m in stage.bus.waiting if m.attributes["type"] == RunResume.event_type)


def test_at_its_turn_it_is_due_whatever_the_clock_says() -> None:
    stage, plant, resume = suspended()
    assert resume.due is not None
    assert resume.due > stage.now + 20
    assert stage.deliver(resume.body) is None
    assert stage.record("set").turn == 2
    assert len(plant.calls) == 2


def test_at_a_turn_that_has_passed_it_is_forgotten() -> None:
    stage, plant, resume = suspended()
    stage.deliver(resume.body)
    assert stage.deliver(resume.body) is None
    assert (stage.record("set").turn, len(plant.calls)) == (2, 2)


def test_at_a_turn_that_has_not_come_it_comes_again() -> None:
    stage, _, resume = suspended()
    early = stage.app.codec.decode(resume.body)
    data = early.data.model_copy(update={"turn": 5})
    again = stage.deliver(stage.app.codec.encode(stage.event(data)))
    assert again is not None
    assert "is at turn 1, not 5" in again.reason


def test_a_resume_of_a_run_that_is_committed_publishes_what_was_not_settled() -> None:
    stage, _, resume = suspended()
    stage.deliver(resume.body)
    last = stage.bus.waiting[-1]
    stage.engine.work(Delivery("r", last.body), "slow")
    stage.engine.outbox.forget()
    assert stage.record("set").state == "committed"
    said = len(stage.bus.published)
    assert stage.deliver(last.body) is None
    assert len(stage.bus.published) > said
    assert stage.record("set").settled


def test_a_resume_of_a_run_that_is_not_there_yet_comes_again() -> None:
    stage, _, resume = suspended()
    empty = Stage(stage.app)
    empty.now = stage.now
    again = empty.deliver(resume.body)
    assert again is not None
    assert "is not in the store" in again.reason


@pytest.mark.parametrize("forged", [{"chain": "a/b"}, {"run": "a/b"}])
def test_a_resume_of_what_can_be_no_run_of_a_chain_is_parked(forged: dict[str, str]) -> None:
    stage, _, resume = suspended()
    data = stage.app.codec.decode(resume.body).data.model_copy(update=forged)
    assert stage.deliver(stage.app.codec.encode(stage.event(data))) is None
    (parked,) = stage.engine.parking.list()
    assert "'a/b' is not the" in parked.reason


def test_a_resume_of_a_handler_of_another_version_waits_for_that_version() -> None:
    stage, _, resume = suspended()
    app = App("slow")

    @app.on(name="other")
    def other(event: Event[Asked]) -> None:
        pass

    older = Stage(app, store=stage.store)
    older.now = stage.now
    again = older.deliver(resume.body, group="slow")
    assert again is not None
    assert "set is not in this app; is an older version deployed?" in again.reason


def test_a_duplicate_of_the_first_event_publishes_a_resume_that_was_not_settled() -> None:
    stage, _, _ = suspended()
    body = stage.app.codec.encode(stage.event(Asked()))
    slow = Plant(before=lambda action, call: Pending(30))
    fresh = Stage(stage.app, fleet=fleet(), performers=[slow])
    fresh.engine.work(Delivery("1", body), "slow")
    fresh.engine.outbox.forget()
    said = len(fresh.bus.published)
    assert fresh.deliver(body) is None
    assert [m.attributes["type"] for m in fresh.bus.published[said:]].count(
        RunResume.event_type
    ) == 1
    assert len(slow.calls) == 1


def test_a_renamed_handler_goes_on_with_its_runs() -> None:
    stage, _, resume = suspended()
    app = App("slow")

    @app.on(name="put", was=["set"], acts=[SetValve])
    def put(event: Event[Asked], ctx: Context) -> Over:
        return Over(text=str(ctx.act(SetValve(level=1)).level))

    newer = Stage(app, fleet=fleet(), performers=[Plant()], store=stage.store)
    newer.now = stage.now
    assert newer.deliver(resume.body) is None
    newer.chain = stage.chain
    (record,) = newer.records()
    assert record.state == "committed"
    first = app.codec.encode(stage.event(Asked()))
    assert newer.deliver(first) is None
    assert len(newer.records()) == 1, "and knows the events that it has worked"


def test_a_resume_of_an_event_that_newer_code_cannot_read_does_not_stop_the_worker() -> None:
    def app_of(data: type[EventData]) -> App:
        app = App("sized")

        def measure(event: Any) -> None:
            raise OSError("no")

        measure.__annotations__ = {"event": Event[data], "return": None}  # type: ignore[valid-type]  # a variable
        app.on(name="measure")(measure)
        return app

    older = Stage(app_of(Sized))
    older.say(Sized())
    newer = Stage(app_of(Measured), store=older.store)
    newer.now = older.now
    newer.deliver(older.bus.waiting[0].body)


def test_a_run_that_was_queued_bears_the_digest_of_the_code_that_decided() -> None:
    flight = Flight("q", key=lambda e: "it", second="queue")

    def older_app() -> App:
        app = App("queue")

        @app.on(name="ask", flight=flight)
        def ask(event: Event[Asked]) -> Later[Heard]:
            return later(Heard(), 1)

        @app.on(name="end")
        def end(event: Event[Heard]) -> Over:
            return Over()

        return app

    def newer_app() -> App:
        app = App("queue")

        @app.on(name="ask", flight=flight)
        def ask(event: Event[Asked]) -> None:
            pass

        return app

    older = Stage(older_app())
    older.say(Asked())
    queued = older.say(Asked(), id="2")
    assert older.record("ask", queued).state == "suspended"
    resume = resume_of(older)
    older.bus.waiting.remove(resume)
    older.pass_time(10)
    newer = Stage(newer_app(), store=older.store)
    newer.now = older.now
    newer.deliver(resume.body)
    assert newer.record("ask", queued).state == "committed"
    assert newer.record("ask", queued).code == newer.app.handlers[0].code
