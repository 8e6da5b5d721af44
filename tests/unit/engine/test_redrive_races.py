"""Redrive meets joins that were decided, locks that were taken, and others who redrive as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Branch, Later, branch, later
from crosswind.engine.redrive import Redrive
from crosswind.engine.settings import Settings
from crosswind.errors import NotAccepted, Returned
from crosswind.handlers import Flight
from crosswind.ports import Delivery, Message
from crosswind.records.head import Head
from crosswind.records.identity import chain_partition, flight_partition
from crosswind.records.joins import member_key
from crosswind_events import Event
from crosswind_events.catalogue.chain import BranchFailed

from .races import MeddledStore
from .stage import Stage, StageBus
from .world import Asked, Heard, Over


def failing(fails: list[bool], flight: Flight | None = None, join: str = "j") -> App:
    """Fans out to members `a` and `b`; `b` fails as long as it is told to."""
    app = App("mend")

    @app.on(name="out", flight=flight)
    def out(event: Event[Asked]) -> Iterator[Branch[Heard]]:
        for member in ("a", "b"):
            yield branch(Heard(text=member), join=join, member=member)

    @app.on(name="work")
    def work(event: Event[Heard], ctx: Context) -> Over | None:
        if event.data.text == "b" and fails:
            raise ValueError("no")
        joined = ctx.join(join, event.data.text, ("a", "b"), None)
        return None if joined is None else Over(text=str(sorted(joined.failed)))

    return app


def staged(app: App) -> tuple[Stage, MeddledStore, Redrive]:
    store = MeddledStore()
    stage = Stage(app, settings=Settings(attempts=1), store=store)
    stage.say(Asked())
    engine = stage.engine
    return stage, store, Redrive(app, engine.runtime, stage.bus, engine.runs.flights)


def failed(stage: Stage) -> str:
    (run,) = [r.run for r in stage.records() if r.state == "failed"]
    return run


def head(stage: Stage) -> Head:
    found = stage.head()
    assert found is not None
    return found


def test_a_redriven_branch_takes_back_that_its_member_has_failed() -> None:
    fails = [True]
    stage, store, redrive = staged(failing(fails))
    key = member_key("j", "b")
    assert store.read(chain_partition(stage.chain), key) is not None
    assert len(stage.said(BranchFailed)) == 1
    fails.clear()
    redrive.run(stage.chain, failed(stage))
    assert store.read(chain_partition(stage.chain), key) is None
    stage.play()
    assert [e.data.text for e in stage.said(Over)] == ["[]"]


@pytest.mark.parametrize("join", ["j", "plan:m:1"])
def test_a_join_that_was_decided_counts_its_member_as_failed_for_good(join: str) -> None:
    app = failing([True], join=join)

    @app.on(name="count")
    def count(event: Event[BranchFailed], ctx: Context) -> None:
        ctx.join(join, event.data.member, ("a", "b"), None)

    stage, store, redrive = staged(app)
    redrive.run(stage.chain, failed(stage))
    assert store.read(chain_partition(stage.chain), member_key(join, "b")) is not None


def test_a_member_that_has_arrived_by_another_way_stays() -> None:
    app = App("mend")

    @app.on(name="out")
    def out(event: Event[Asked]) -> Iterator[Branch[Heard]]:
        yield branch(Heard(), join="j", member="b")

    @app.on(name="fine")
    def fine(event: Event[Heard], ctx: Context) -> None:
        ctx.join("j", "b", ("a", "b"), "here")

    @app.on(name="work")
    def work(event: Event[Heard]) -> None:
        raise ValueError("no")

    stage, store, redrive = staged(app)
    redrive.run(stage.chain, failed(stage))
    item = store.read(chain_partition(stage.chain), member_key("j", "b"))
    assert item is not None
    assert b"here" in item.value


def test_a_branch_whose_member_is_gone_is_redriven_all_the_same() -> None:
    stage, store, redrive = staged(failing([True]))
    store.remove(chain_partition(stage.chain), member_key("j", "b"))
    assert redrive.run(stage.chain, failed(stage)).state == "redriven"


def simple(fails: list[bool], flight: Flight | None = None) -> App:
    app = App("mend")

    @app.on(name="ask", flight=flight)
    def ask(event: Event[Asked]) -> Over:
        if fails:
            raise ValueError("no")
        return Over()

    return app


def test_a_redrive_whose_event_was_not_published_can_be_repeated() -> None:
    fails = [True]
    stage, _, redrive = staged(simple(fails))

    class Deaf(StageBus):
        def publish(self, messages: Sequence[Message]) -> None:
            raise NotAccepted(messages, "no")

    run = failed(stage)
    with pytest.raises(Returned, match="did not accept"):
        Redrive(stage.app, stage.engine.runtime, Deaf(), stage.engine.runs.flights).run(
            stage.chain, run
        )
    fails.clear()
    record = redrive.run(stage.chain, run)
    assert (record.state, record.redrives) == ("redriven", 1)
    stage.play()
    assert head(stage).outcome == "completed"


def test_a_redriven_run_may_be_taken_over_by_its_first_event_too() -> None:
    fails = [True]
    stage, _, redrive = staged(simple(fails))
    redrive.run(stage.chain, failed(stage))
    fails.clear()
    assert stage.deliver(stage.app.codec.encode(stage.event(Asked()))) is None
    assert head(stage).outcome == "completed"


def test_a_redriven_run_that_the_bus_gives_up_again_fails_again() -> None:
    stage, _, redrive = staged(simple([True]))
    run = failed(stage)
    redrive.run(stage.chain, run)
    wake = stage.bus.waiting[-1]
    assert stage.engine.bury(Delivery("n", wake.body, 20), "mend") is None
    assert stage.record("ask").state == "failed"
    assert head(stage).outcome == "failed"


def test_a_redrive_that_races_with_another_is_one() -> None:
    stage, store, redrive = staged(simple([True]))
    run = failed(stage)
    store.meddle("write", f" run:{run}", lambda: redrive.run(stage.chain, run))
    record = redrive.run(stage.chain, run)
    assert record.redrives == 1
    assert head(stage).generation == 1


def test_a_redrive_of_a_chain_that_is_never_at_rest_is_refused_for_now() -> None:
    stage, store, redrive = staged(simple([True]))
    run = failed(stage)
    store.meddle("write", f" run:{run}", lambda: store.touch_head(stage.chain), times=99)
    with pytest.raises(Returned, match="contended"):
        redrive.run(stage.chain, run)
    assert stage.record("ask").state == "failed"


def test_a_failed_run_of_a_chain_that_goes_on_is_redriven_in_it() -> None:
    app, fails = App("mend"), [True]

    @app.on(name="note", aside=True)
    def note(event: Event[Asked]) -> None:
        if fails:
            raise ValueError("the mail server is down")

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> None:
        pass

    stage, _, redrive = staged(app)
    assert head(stage).open
    fails.clear()
    redrive.run(stage.chain, failed(stage))
    stage.play()
    assert stage.record("note").state == "committed"
    assert head(stage).generation == 0


def test_a_failed_run_of_a_chain_without_a_head_is_redriven() -> None:
    app = App("mend")

    @app.on(name="note")
    def note(event: Event[Heard]) -> None:
        raise ValueError("no")

    store = MeddledStore()
    stage = Stage(app, settings=Settings(attempts=1), store=store)
    stage.say(
        Heard(), extensions={"hop": 1, "correlationid": "00000000-0000-5000-8000-000000000000"}
    )
    stage.chain = "00000000-0000-5000-8000-000000000000"
    engine = stage.engine
    redrive = Redrive(app, engine.runtime, stage.bus, engine.runs.flights)
    assert redrive.run(stage.chain, failed(stage)).state == "redriven"


FLIGHT = Flight("mend", key=lambda e: "it")


def test_a_redriven_chain_takes_its_lock_again_with_a_higher_epoch() -> None:
    fails = [True]
    stage, _, redrive = staged(simple(fails, FLIGHT))
    before = head(stage).lock
    fails.clear()
    redrive.run(stage.chain, failed(stage))
    after = head(stage).lock
    assert before is not None
    assert after is not None
    assert (before.epoch, after.epoch) == (1, 2)
    stage.play()
    assert head(stage).outcome == "completed"


def test_a_target_that_another_open_chain_holds_is_not_taken_from_it() -> None:
    fails = [True]
    app = simple(fails, FLIGHT)

    @app.on(name="wait", flight=FLIGHT)
    def wait(event: Event[Heard]) -> Later[Asked]:
        return later(Asked(), 500)

    stage, _, redrive = staged(app)
    run, first = failed(stage), stage.chain
    holder = stage.say(Heard(), id="2")
    with pytest.raises(Returned, match=f"it is held by chain {holder}, which is open"):
        redrive.run(first, run)
    stage.chain = first
    assert stage.record("ask").state == "failed"
    assert not head(stage).open


def test_a_lock_that_is_gone_is_taken_with_an_epoch_above_the_chain_s_own() -> None:
    stage, store, redrive = staged(simple([True], FLIGHT))
    store.remove(flight_partition("mend"), "lock:it")
    redrive.run(stage.chain, failed(stage))
    after = head(stage).lock
    assert after is not None
    assert after.epoch == 2


def test_a_lock_whose_chain_has_not_begun_can_be_taken_back() -> None:
    """Its taker died between lock and first write; that can still come, and is waited for."""
    stage, store, redrive = staged(simple([True], FLIGHT))
    run = failed(stage)

    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    stage.pass_time(100)
    store.meddle("write", " run:", die)
    body = stage.app.codec.encode(stage.event(Asked(), id="2"))
    with pytest.raises(Killed):
        stage.deliver(body)
    for why in ("was about to begin", "has just closed"):
        with pytest.raises(Returned, match=why) as waits:
            redrive.run(stage.chain, run)
        stage.now += waits.value.after
    redrive.run(stage.chain, run)
    after = head(stage).lock
    assert after is not None
    assert after.epoch == 3


def test_a_lock_that_another_takes_at_the_same_time_is_looked_at_again() -> None:
    stage, store, redrive = staged(simple([True], FLIGHT))
    store.meddle(
        "write",
        "flight:mend lock:it",
        lambda: store.touch(flight_partition("mend"), "lock:it"),
    )
    redrive.run(stage.chain, failed(stage))
    assert stage.record("ask").state == "redriven"


def test_the_timers_of_a_redriven_chain_are_dropped_only_when_it_is_closed_again() -> None:
    app, fails = App("mend"), [True]

    @app.on(name="ask")
    def ask(event: Event[Asked]) -> Iterator[Later[Heard]]:
        yield later(Heard(), 50)

    @app.on(name="work", aside=False)
    def work(event: Event[Asked]) -> None:
        if fails:
            raise ValueError("no")

    @app.on(name="ring")
    def ring(event: Event[Heard]) -> Over:
        return Over()

    stage, _, redrive = staged(app)
    assert not head(stage).open
    fails.clear()
    redrive.run(stage.chain, failed(stage))
    stage.pass_time(60)
    assert head(stage).outcome == "completed"
