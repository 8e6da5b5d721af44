"""Redrive and burial: what a person tries again, and what the bus gave up on."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.actions import Call, Pending
from crosswind.app import App
from crosswind.context import Context
from crosswind.engine.redrive import NotRedrivable, Redrive
from crosswind.engine.settings import Settings
from crosswind.errors import Returned
from crosswind.handlers import Flight
from crosswind.ports import Delivery
from crosswind.records.head import Head
from crosswind_events import Event
from crosswind_events.catalogue.chain import ChainStalled
from crosswind_events.catalogue.deadletter import DeadLettered

from .stage import Stage
from .world import Asked, Heard, Over, Plant, SetValve, fleet


def app_of(flight: Flight | None = None) -> App:
    app = App("mend")

    @app.on(name="set", acts=[SetValve], flight=flight)
    def set_two(event: Event[Asked], ctx: Context) -> Over:
        ctx.act(SetValve(level=1))
        ctx.act(SetValve(level=2))
        return Over()

    return app


def broken(flight: Flight | None = None) -> tuple[Stage, Plant, Redrive]:
    """A stage on which the second action has failed for good."""
    plant = Plant()
    stage = Stage(app_of(flight), fleet=fleet(), performers=[plant], settings=Settings(attempts=2))

    def fail(action: Any, call: Call) -> None:
        if action.level == 2:
            raise OSError("stuck")

    plant.before = fail
    stage.say(Asked())
    stage.pass_time(100)
    assert stage.record("set").state == "failed"
    engine = stage.engine
    return stage, plant, Redrive(stage.app, engine.runtime, stage.bus, engine.runs.flights)


def test_a_redriven_run_goes_on_and_does_nothing_twice() -> None:
    stage, plant, redrive = broken()
    plant.before = None
    redrive.run(stage.chain, stage.record("set").run)
    stage.play()
    record = stage.record("set")
    assert (record.state, record.redrives) == ("committed", 1)
    assert len(plant.done) == 2
    head = stage.head()
    assert head is not None
    assert (head.outcome, head.generation) == ("completed", 1)


def test_a_redriven_chain_has_as_much_time_as_it_had_and_is_stalled_when_that_is_over() -> None:
    stage, plant, redrive = broken()
    opened = stage.head()
    assert opened is not None
    assert opened.deadline is not None
    span = opened.deadline - opened.opened
    stage.pass_time(span / 2)
    plant.before = lambda action, call: Pending(10 * span)
    redrive.run(stage.chain, stage.record("set").run)
    stage.play()
    stage.pass_time(span * 0.9)
    head = stage.head()
    assert head is not None
    assert head.open, "the timer of before is not its own any more"
    stage.pass_time(span * 0.2)
    head = stage.head()
    assert head is not None
    assert head.outcome == "stalled"
    assert len(stage.said(ChainStalled)) == 1


def test_a_chain_that_is_redriven_again_has_no_more_time_than_before() -> None:
    head = Head(opened=100.0, deadline=160.0).closed("failed", 150.0)
    again = head.reopened(None, 1_000.0).closed("failed", 1_010.0).reopened(None, 2_000.0)
    assert (again.deadline, again.opened, again.generation) == (2_060.0, 100.0, 2)


def test_a_redriven_run_may_fail_again_with_a_dead_letter_of_its_own() -> None:
    stage, _, redrive = broken()
    redrive.run(stage.chain, stage.record("set").run)
    stage.play()
    stage.pass_time(100)
    record = stage.record("set")
    assert (record.state, len(record.fails)) == ("failed", 4)
    assert len(stage.said(DeadLettered)) == 2


def test_only_a_failed_run_can_be_redriven() -> None:
    stage, plant, redrive = broken()
    plant.before = None
    run = stage.record("set").run
    redrive.run(stage.chain, run)
    stage.play()
    with pytest.raises(NotRedrivable, match="committed, not failed"):
        redrive.run(stage.chain, run)
    with pytest.raises(NotRedrivable, match="no run"):
        redrive.run(stage.chain, "nonsense")


def test_redrive_is_refused_while_another_open_chain_holds_the_target() -> None:
    flight = Flight("mend", key=lambda e: "it")
    stage, plant, redrive = broken(flight)
    failed = stage.chain
    run = stage.record("set").run
    other = stage.say(Asked(), id="2")
    stage.pass_time(70)
    assert stage.record("set", other).state in ("retrying", "failed", "committed", "claimed")
    if stage.head(other).open:  # type: ignore[union-attr]  # it has begun
        with pytest.raises(Returned, match="is held by chain"):
            redrive.run(failed, run)
    stage.pass_time(200)
    plant.before = None
    redrive.run(failed, run)
    stage.play()
    assert stage.record("set", failed).state == "committed"
    head = stage.head(failed)
    assert head is not None
    assert head.lock is not None
    assert head.lock.epoch == 3


def test_a_dead_letters_own_failure_is_parked_and_announced_to_nobody() -> None:
    app = App("gravedigger")

    @app.on(name="fail")
    def fail(event: Event[Asked]) -> Heard:
        raise ValueError("first")

    @app.on(name="bury")
    def bury(event: Event[DeadLettered]) -> None:
        raise ValueError("second")

    stage = Stage(app, settings=Settings(attempts=1))
    stage.say(Asked())
    assert stage.record("bury").state == "failed"
    assert "parked" in stage.record("bury").why
    assert len(stage.said(DeadLettered)) == 1


def test_an_aside_handler_never_ends_a_chain() -> None:
    app = App("notified")

    @app.on(name="note", aside=True)
    def note(event: Event[Asked]) -> None:
        raise ValueError("the mail server is down")

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> Heard:
        return Heard()

    @app.on(name="end")
    def end(event: Event[Heard]) -> Over:
        return Over()

    stage = Stage(app, settings=Settings(attempts=1))
    stage.say(Asked())
    head = stage.head()
    assert head is not None
    assert head.outcome == "completed"
    assert stage.record("note").state == "failed"


class TestBurial:
    """A native dead letter is recorded; the handler is never run for it."""

    def test_of_an_event_that_was_never_worked(self) -> None:
        stage = Stage(app_of())
        body = stage.app.codec.encode(stage.event(Asked()))
        assert stage.engine.bury(Delivery("1", body, 20), "mend") is None
        (dead,) = stage.said(DeadLettered)
        assert "gave it up after 20 deliveries" in dead.data.error
        stage.chain = dead.data.chain
        assert stage.record("set").state == "failed"

    def test_of_a_run_under_a_live_lease_waits(self) -> None:
        plant = Plant()
        stage = Stage(app_of(), fleet=fleet(), performers=[plant])

        def die(action: Any, call: Call) -> None:
            raise KeyboardInterrupt

        plant.before = die
        body = stage.app.codec.encode(stage.event(Asked()))
        with pytest.raises(KeyboardInterrupt):
            stage.deliver(body)
        again = stage.engine.bury(Delivery("1", body, 20), "mend")
        assert again is not None
        stage.now += again.after
        assert stage.engine.bury(Delivery("1", body, 20), "mend") is None
        assert len(stage.said(DeadLettered)) == 1
        assert len(plant.calls) == 1

    def test_of_a_committed_run_publishes_its_outbox(self) -> None:
        stage = Stage(app_of(), fleet=fleet(), performers=[Plant()])
        body = stage.app.codec.encode(stage.event(Asked()))
        stage.engine.work(Delivery("1", body), "mend")
        stage.engine.outbox.forget()
        before = len(stage.said(Over)), len(stage.bus.published)
        assert stage.engine.bury(Delivery("1", body, 20), "mend") is None
        assert len(stage.said(Over)) == before[0]
        assert len(stage.bus.published) > before[1]
        assert stage.said(DeadLettered) == []

    def test_of_what_nobody_can_place_is_parked(self) -> None:
        stage = Stage(app_of())
        stage.engine.bury(Delivery("1", b"{", 20), "mend")
        body = stage.app.codec.encode(stage.event(Heard()))
        stage.engine.bury(Delivery("2", body, 20), "mend")
        assert len(list(stage.engine.parking.list())) == 2
