"""Failures are counted by the engine: retried with back-off, and in the end a dead letter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Branch, branch
from crosswind.engine.failures import PERMANENT, backoff, describe
from crosswind.engine.settings import Settings
from crosswind.errors import ActionRefused, CrosswindError
from crosswind.handlers import Flight
from crosswind.records.identity import chain_id
from crosswind_events import Event, Fault, InvalidEvent
from crosswind_events.catalogue.chain import BranchFailed, RunResume
from crosswind_events.catalogue.deadletter import DeadLettered

from .races import MeddledStore
from .stage import Stage
from .world import Asked, Heard, Over


def failing(error: Exception, *, aside: bool = False, flight: Flight | None = None) -> App:
    app = App("failing")

    @app.on(name="fail", aside=aside, flight=flight)
    def fail(event: Event[Asked]) -> Heard:
        raise error

    return app


def test_backoff_doubles_with_full_jitter_up_to_its_bound() -> None:
    for failures, most in ((1, 2), (2, 4), (3, 8), (10, 60), (100, 60)):
        drawn = [backoff(1.0, 30.0, failures) for _ in range(300)]
        assert all(0 <= seconds <= most for seconds in drawn)
        assert max(drawn) > most * 0.8
        assert min(drawn) < most * 0.2


def test_the_jitter_of_a_backoff_is_drawn_as_the_engine_is_told() -> None:
    asked: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        asked.append((low, high))
        return high / 4

    assert backoff(1.0, 30.0, 3, draw) == 2.0
    assert asked == [(0.0, 8.0)]


def test_an_error_is_kept_bounded() -> None:
    text = describe(ValueError("x" * 5_000))
    assert len(text) == 2_000
    assert text.endswith("x…")
    assert describe(ValueError("short")) == "ValueError: short"


def made(kind: type[Exception]) -> Exception:
    if kind is ActionRefused:
        return ActionRefused("valve.set", "rejected")
    return InvalidEvent([Fault("data", "no")]) if kind is InvalidEvent else kind("no")


@pytest.mark.parametrize("kind", PERMANENT)
def test_what_no_repetition_can_mend_is_not_repeated(kind: type[Exception]) -> None:
    stage = Stage(failing(made(kind)))
    stage.say(Asked())
    assert stage.record("fail").state == "failed"
    assert len(stage.record("fail").fails) == 1


class Mute(Exception):
    def __str__(self) -> str:
        raise LookupError("no words")


def test_an_error_that_cannot_say_what_it_is_is_a_failure_as_well() -> None:
    stage = Stage(failing(Mute()))
    stage.say(Asked())
    assert "Mute" in stage.record("fail").why


def test_a_handler_may_be_tried_more_often_than_others() -> None:
    app = App("own")

    @app.on(name="fail", attempts=2)
    def fail(event: Event[Asked]) -> Heard:
        raise OSError("no")

    stage = Stage(app, settings=Settings(attempts=5))
    stage.say(Asked())
    stage.pass_time(600)
    assert len(stage.record("fail").fails) == 2


def test_a_retry_is_the_resume_of_its_turn() -> None:
    stage = Stage(failing(OSError("no")))
    stage.say(Asked())
    (resume,) = stage.said(RunResume)
    record = stage.record("fail")
    assert (resume.data.turn, record.turn, record.state) == (1, 1, "retrying")
    (message,) = [m for m in stage.bus.waiting if m.attributes["type"] == RunResume.event_type]
    assert message.due == record.until


def test_a_dead_letter_says_who_failed_at_what() -> None:
    stage = Stage(failing(OSError("no")), settings=Settings(attempts=1))
    stage.say(Asked(), subject="r1")
    (dead,) = stage.said(DeadLettered)
    record = stage.record("fail")
    assert dead.data.model_dump(include={"chain", "run", "handler", "group", "event_id"}) == {
        "chain": stage.chain,
        "run": record.run,
        "handler": "fail",
        "group": "failing",
        "event_id": "1",
    }
    assert dead.extensions["ended"] == "failed"
    assert (dead.subject, dead.extensions["hop"], dead.extensions["causationid"]) == ("r1", 1, "1")


def test_the_dead_letter_of_an_aside_handler_has_ended_nothing() -> None:
    stage = Stage(failing(OSError("no"), aside=True), settings=Settings(attempts=1))
    stage.say(Asked())
    (dead,) = stage.said(DeadLettered)
    assert "ended" not in dead.extensions


def test_the_first_write_of_a_chain_puts_its_head_also_when_it_is_an_aside_failure() -> None:
    stage = Stage(failing(OSError("no"), aside=True), settings=Settings(attempts=1))
    stage.say(Asked())
    assert stage.head() is not None


def test_an_aside_handler_in_a_branch_fails_no_member() -> None:
    app = App("aside")

    @app.on(name="out")
    def out(event: Event[Asked]) -> Iterator[Branch[Heard]]:
        yield branch(Heard(), join="j", member="m")

    @app.on(name="note", aside=True, attempts=1)
    def note(event: Event[Heard]) -> None:
        raise OSError("no")

    stage = Stage(app)
    stage.say(Asked())
    assert stage.said(BranchFailed) == []
    (dead,) = stage.said(DeadLettered)
    assert "ended" not in dead.extensions


def test_a_nested_branch_that_fails_leaves_the_outer_one_to_its_own() -> None:
    app = App("nested")

    @app.on(name="out")
    def out(event: Event[Asked]) -> Branch[Heard]:
        return branch(Heard(text="outer"), join="o", member="x")

    @app.on(name="inner")
    def inner(event: Event[Heard]) -> Branch[Over]:
        return branch(Over(), join="i", member="y")

    @app.on(name="work", attempts=1)
    def work(event: Event[Over]) -> None:
        raise OSError("no")

    stage = Stage(app)
    stage.say(Asked())
    (failed,) = stage.said(BranchFailed)
    assert (failed.data.join, failed.data.member) == ("i", "y")
    assert failed.extensions["branch"] == "o|x"


def test_a_member_that_arrived_before_its_branch_failed_has_arrived() -> None:
    app = App("arrived")

    @app.on(name="out")
    def out(event: Event[Asked]) -> Branch[Heard]:
        return branch(Heard(), join="j", member="m")

    @app.on(name="work", attempts=1)
    def work(event: Event[Heard], ctx: Context) -> None:
        ctx.join("j", "m", ("m", "n"), "here")
        raise OSError("no")

    @app.on(name="count")
    def count(event: Event[BranchFailed], ctx: Context) -> Over:
        joined = ctx.close_join("j", ("m", "n"))
        return Over(text=str(dict(joined.values)))

    stage = Stage(app)
    stage.say(Asked())
    assert stage.said(Over)[0].data.text == "{'m': 'here'}"


def test_the_failure_of_a_closed_chain_leaves_its_outcome() -> None:
    app = App("closed")

    @app.on(name="end")
    def end(event: Event[Asked]) -> Over:
        return Over()

    @app.on(name="fail", attempts=1)
    def fail(event: Event[Over]) -> None:
        raise OSError("no")

    stage = Stage(app)
    stage.say(Asked())
    head = stage.head()
    assert head is not None
    assert head.outcome == "completed"
    assert len(stage.said(DeadLettered)) == 1


class TestRaces:
    def failing_in_chain(self) -> tuple[Stage, MeddledStore, bytes]:
        app = App("race")

        @app.on(name="hear")
        def hear(event: Event[Asked]) -> Heard:
            return Heard()

        @app.on(name="fail", attempts=1)
        def fail(event: Event[Heard]) -> None:
            raise OSError("no")

        store = MeddledStore()
        stage = Stage(app, store=store)
        stage.deliver(app.codec.encode(stage.event(Asked())))
        heard = next(m for m in stage.bus.waiting if m.attributes["type"] == Heard.event_type)
        stage.chain = str(heard.attributes["correlationid"])
        return stage, store, heard.body

    def test_with_what_is_said_to_the_chain_look_again(self) -> None:
        stage, store, body = self.failing_in_chain()
        store.meddle("write", " run:", lambda: store.touch_head(stage.chain))
        assert stage.deliver(body) is None
        head = stage.head()
        assert head is not None
        assert head.outcome == "failed"

    def test_that_never_end_come_again(self) -> None:
        stage, store, body = self.failing_in_chain()
        store.meddle("write", " run:", lambda: store.touch_head(stage.chain), times=99)
        again = stage.deliver(body)
        assert again is not None
        assert "contended" in again.reason
        assert stage.said(DeadLettered) == []

    def test_of_two_that_fail_at_once_are_one_failure(self) -> None:
        stage, store, body = self.failing_in_chain()
        other = Stage(stage.app, store=store)
        other.now = stage.now
        store.meddle("write", " run:", lambda: other.deliver(body))
        assert stage.deliver(body) is None
        assert len(stage.record("fail").fails) == 1
        assert len(stage.said(DeadLettered) + other.said(DeadLettered)) == 1


def test_the_first_run_of_a_flight_that_fails_for_good_frees_its_target() -> None:
    flight = Flight("f", key=lambda e: "it")
    stage = Stage(failing(OSError("no"), flight=flight), settings=Settings(attempts=1))
    first = stage.say(Asked())
    head = stage.head(first)
    assert head is not None
    assert head.lock is not None
    assert (head.outcome, head.evidence) == ("failed", 1)
    second = stage.say(Asked(), id="2")
    head = stage.head(second)
    assert head is not None
    assert head.lock is not None
    assert head.lock.epoch == 2


def test_a_first_run_that_fails_while_its_role_changes_is_admitted_anew() -> None:
    flight = Flight("f", key=lambda e: "it")
    store = MeddledStore()
    app = failing(OSError("no"), flight=flight)
    stage = Stage(app, settings=Settings(attempts=1), store=store)
    own = chain_id("//probes.example.com/a", "1")
    store.meddle("write", f"chain:{own} run:", lambda: store.touch(f"chain:{own}", "role:f"))
    stage.say(Asked())
    assert stage.record("fail").state == "failed"
    assert len(stage.record("fail").fails) == 1


def test_every_error_says_what_it_is_about_and_has_one_root() -> None:
    refused = ActionRefused("valve.set", "rejected", by="ada", reason="not today")
    assert str(refused) == "valve.set was rejected by ada: not today"
    assert str(ActionRefused("valve.set", "expired")) == "valve.set was expired"
    assert isinstance(refused, CrosswindError)
    assert isinstance(refused, PermissionError)
