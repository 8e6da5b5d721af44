"""Timers belong to a scope; what is late, cancelled or expired is journaled and emits nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Later, later
from crosswind.engine.settings import Settings
from crosswind.errors import NotDeclared
from crosswind_events import Event
from crosswind_events.catalogue.deadletter import DeadLettered

from .stage import START, Stage
from .world import Asked, Heard, Over, Plant, SetValve, fleet


def clockwork(*cancels: str) -> App:
    """Winds two timers in scopes of their own, and cancels what it is told to when asked."""
    app = App("clockwork")

    @app.on(name="wind")
    def wind(event: Event[Asked]) -> Iterator[Later[Heard]]:
        yield later(Heard(text="cancel"), 5)
        yield later(Heard(text="a"), 10, scope="a")
        yield later(Heard(text="b"), 10, scope="b")

    @app.on(name="ring", acts=[SetValve])
    def ring(event: Event[Heard], ctx: Context) -> None:
        if event.data.text == "cancel":
            for scope in cancels:
                ctx.cancel(scope)

    return app


def rung(stage: Stage) -> dict[str, str]:
    """By the text of a timer, the state of its run."""
    return {
        str(stage.app.codec.decode(r.event).data.text): r.state
        for r in stage.records()
        if r.handler == "ring"
    }


def test_a_cancelled_timer_is_dropped_and_others_are_spared() -> None:
    stage = Stage(clockwork("a"))
    stage.say(Asked())
    stage.pass_time(20)
    assert rung(stage) == {"cancel": "committed", "a": "dropped", "b": "committed"}
    (dropped,) = [r for r in stage.records() if r.state == "dropped"]
    assert dropped.why == "its timer was cancelled"
    assert dropped.out == []


def test_a_scope_cancelled_twice_in_one_run_is_cancelled_once() -> None:
    stage = Stage(clockwork("a", "a", "b"))
    stage.say(Asked())
    stage.pass_time(20)
    assert rung(stage) == {"cancel": "committed", "a": "dropped", "b": "dropped"}


def test_a_scope_may_be_cancelled_by_several_runs() -> None:
    app = clockwork("a")

    @app.on(name="too")
    def too(event: Event[Heard], ctx: Context) -> None:
        if event.data.text != "a":
            ctx.cancel("a")

    stage = Stage(app)
    stage.say(Asked())
    stage.pass_time(20)
    assert [r.state for r in stage.records() if r.handler == "too"] == [
        "committed",
        "dropped",
        "committed",
    ]


def test_a_timer_may_cancel_the_scope_that_it_belongs_to() -> None:
    app = App("self")

    @app.on(name="wind")
    def wind(event: Event[Asked]) -> Iterator[Later[Heard]]:
        yield later(Heard(text="first"), 10, scope="a")
        yield later(Heard(text="second"), 11, scope="a")

    @app.on(name="ring")
    def ring(event: Event[Heard], ctx: Context) -> Over | None:
        ctx.cancel("a")
        return None

    stage = Stage(app)
    stage.say(Asked())
    stage.pass_time(20)
    assert rung(stage) == {"first": "committed", "second": "dropped"}


def test_a_cancelled_timer_takes_no_action() -> None:
    app, plant = clockwork("a"), Plant()

    @app.on(name="act", acts=[SetValve])
    def act(event: Event[Heard], ctx: Context) -> None:
        if event.data.text == "a":
            ctx.act(SetValve(level=1))

    stage = Stage(app, fleet=fleet(), performers=[plant])
    stage.say(Asked())
    stage.pass_time(20)
    assert plant.calls == []


def broken(settings: Settings, error: type[Exception] = ValueError) -> Stage:
    """A timer that was cancelled and whose handler fails all the same."""
    app = App("broken")

    @app.on(name="wind")
    def wind(event: Event[Asked], ctx: Context) -> Later[Heard]:
        ctx.cancel("a")
        return later(Heard(), 10, scope="a")

    @app.on(name="ring")
    def ring(event: Event[Heard]) -> Over:
        raise error("out of order")

    stage = Stage(app, settings=settings)
    stage.say(Asked())
    stage.pass_time(200)
    return stage


def test_a_cancelled_timer_that_fails_is_dropped_and_not_tried_again() -> None:
    stage = broken(Settings(attempts=3))
    assert stage.record("ring").state == "dropped"
    assert len(stage.record("ring").fails) == 1
    assert stage.said(DeadLettered) == []


@pytest.mark.parametrize(
    ("attempts", "error"), [(1, ValueError), (5, NotDeclared)], ids=["last", "permanent"]
)
def test_a_cancelled_timer_that_fails_for_good_ends_no_chain(
    attempts: int, error: type[Exception]
) -> None:
    stage = broken(Settings(attempts=attempts), error)
    head = stage.head()
    assert head is not None
    assert (stage.record("ring").state, head.open) == ("dropped", True)


@pytest.mark.parametrize("first", [True, False])
def test_an_expired_event_is_dropped(first: bool) -> None:
    app = App("mail")

    @app.on(name="open")
    def open_letter(event: Event[Asked]) -> Heard:
        return Heard()

    stage = Stage(app)
    chain = stage.say(Asked())
    past = datetime.fromtimestamp(START - 1, UTC).isoformat()
    extensions: dict[str, str | int | bool] = {"expirytime": past}
    if not first:
        extensions |= {"hop": 1, "correlationid": chain}
    own = stage.say(Asked(), id="2", extensions=extensions)
    record = stage.records(own if first else chain)[-1]
    assert (record.state, record.why) == ("dropped", f"it expired at {past}")
    assert len(stage.said(Heard)) == 1


@pytest.mark.parametrize("expiry", ["2099-01-01T00:00:00Z", "soon"])
def test_an_event_that_has_not_expired_or_does_not_say_when_is_worked(expiry: str) -> None:
    app = App("mail")

    @app.on(name="open")
    def open_letter(event: Event[Asked]) -> None:
        pass

    stage = Stage(app)
    stage.say(Asked(), extensions={"expirytime": expiry})
    assert stage.record("open").state == "committed"


def test_a_timer_that_a_chain_cannot_live_to_see_is_refused_when_it_is_wound() -> None:
    app = App("patient")

    @app.on(name="wind")
    def wind(event: Event[Asked]) -> Later[Heard]:
        return later(Heard(), 8 * 86_400)

    @app.on(name="ring")
    def ring(event: Event[Heard]) -> None:
        pass

    stage = Stage(app)
    stage.say(Asked())
    assert stage.record("wind").state == "failed"
