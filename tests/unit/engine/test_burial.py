"""What the bus gave up on enters the engine's own dead letters, and no handler is run for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crosswind.actions import Call, Pending
from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Branch, branch
from crosswind.engine.dispatch import Again
from crosswind.engine.redrive import Redrive
from crosswind.engine.settings import Settings
from crosswind.handlers import Flight
from crosswind.ports import Delivery, Message
from crosswind.records.identity import chain_id
from crosswind_events import Event
from crosswind_events.catalogue.chain import BranchFailed, ChainDeadline, RunResume
from crosswind_events.catalogue.deadletter import DeadLettered

from .races import MeddledStore
from .stage import Stage
from .world import Asked, Heard, Over, Plant, SetValve, fleet


def slow(flight: Flight | None = None) -> App:
    app = App("slow")

    @app.on(name="set", acts=[SetValve], flight=flight)
    def set_valve(event: Event[Asked], ctx: Context) -> Over:
        return Over(text=str(ctx.act(SetValve(level=1)).level))

    return app


def staged(app: App | None = None) -> tuple[Stage, Plant, MeddledStore]:
    plant, store = Plant(), MeddledStore()
    stage = Stage(app or slow(), fleet=fleet(), performers=[plant], store=store)
    return stage, plant, store


def suspended(app: App | None = None) -> tuple[Stage, Plant, MeddledStore, Message]:
    """A run that waits for its action, and the resume event that will continue it."""
    stage, plant, store = staged(app)
    plant.before = lambda action, call: Pending(30) if not call.checking else None
    stage.say(Asked())
    (resume,) = [m for m in stage.bus.waiting if m.attributes["type"] == RunResume.event_type]
    return stage, plant, store, resume


def bury(stage: Stage, body: bytes, group: str = "slow") -> Again | None:
    return stage.engine.bury(Delivery("native", body, 20), group)


def redrive(stage: Stage, chain: str, run: str) -> None:
    engine = stage.engine
    Redrive(stage.app, engine.runtime, stage.bus, engine.runs.flights).run(chain, run)


def outcome(stage: Stage) -> str | None:
    head = stage.head()
    assert head is not None
    return head.outcome


def test_a_resume_that_was_given_up_fails_its_run_and_ends_the_chain() -> None:
    stage, plant, _, resume = suspended()
    assert bury(stage, resume.body) is None
    assert (stage.record("set").state, outcome(stage)) == ("failed", "failed")
    assert "gave it up after 20 deliveries" in stage.record("set").why
    assert len(stage.said(DeadLettered)) == 1
    assert len(plant.calls) == 1
    stage.pass_time(100)
    assert len(plant.calls) == 1, "what was to continue it continues nothing"


def test_a_resume_of_a_turn_that_has_passed_fails_nothing() -> None:
    stage, plant, _, resume = suspended()
    plant.before = lambda action, call: Pending(30)
    stage.pass_time(40)
    assert stage.record("set").turn == 2
    assert bury(stage, resume.body) is None
    assert stage.record("set").state == "suspended"
    assert stage.said(DeadLettered) == []


@pytest.mark.parametrize("chain", ["00000000-0000-5000-8000-000000000000", "a/b"])
def test_a_resume_of_a_run_that_nobody_knows_is_parked(chain: str) -> None:
    stage, _, _, resume = suspended()
    data = stage.app.codec.decode(resume.body).data.model_copy(update={"chain": chain})
    assert bury(stage, stage.app.codec.encode(stage.event(data))) is None
    (parked,) = stage.engine.parking.list()
    assert "its run is not in the store" in parked.reason
    assert parked.type == RunResume.event_type


def test_what_no_handler_of_the_group_takes_is_parked() -> None:
    stage, _, _ = staged()
    bury(stage, stage.app.codec.encode(stage.event(Asked())), group="elsewhere")
    (parked,) = stage.engine.parking.list()
    assert "no handler takes it here" in parked.reason


def test_a_deadline_that_was_given_up_still_ends_its_chain_when_it_has_come() -> None:
    stage, _, _, _ = suspended()
    (timer,) = [m for m in stage.bus.waiting if m.attributes["type"] == ChainDeadline.event_type]
    early = bury(stage, timer.body)
    assert early is not None
    stage.now += early.after + stage.engine.settings.skew
    assert bury(stage, timer.body) is None
    head = stage.head()
    assert head is not None
    assert head.outcome == "stalled"


def test_an_event_that_names_no_chain_is_parked() -> None:
    stage, _, _ = staged()
    for number, chain in enumerate((None, "../x")):
        extensions: dict[str, str | int | bool] = {"hop": 2}
        if chain is not None:
            extensions["correlationid"] = chain
        event = stage.event(Asked(), id=str(number), extensions=extensions)
        stage.engine.bury(Delivery(str(number), stage.app.codec.encode(event), 20), "slow")
    reasons = [parked.reason for parked in stage.engine.parking.list()]
    assert len(reasons) == 2
    assert all("belongs to no chain" in reason for reason in reasons)


def test_a_later_event_that_was_never_worked_ends_the_chain_it_belongs_to() -> None:
    app = App("slow")

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> Heard:
        return Heard()

    @app.on(name="end")
    def end(event: Event[Heard]) -> Over:
        return Over()

    stage, _, _ = staged(app)
    stage.deliver(app.codec.encode(stage.event(Asked())))
    (heard,) = [m for m in stage.bus.waiting if m.attributes["type"] == Heard.event_type]
    stage.chain = str(heard.attributes["correlationid"])
    assert bury(stage, heard.body) is None
    assert (stage.record("end").state, outcome(stage)) == ("failed", "failed")


def test_a_branch_that_was_never_worked_fails_its_member_alone() -> None:
    app = App("slow")

    @app.on(name="out")
    def out(event: Event[Asked]) -> Branch[Heard]:
        return branch(Heard(), join="j", member="m")

    @app.on(name="work")
    def work(event: Event[Heard]) -> None:
        pass

    stage, _, _ = staged(app)
    stage.deliver(app.codec.encode(stage.event(Asked())))
    stage.chain = str(stage.bus.waiting[0].attributes["correlationid"])
    bury(stage, stage.bus.waiting[0].body)
    assert outcome(stage) is None
    assert [e.data.member for e in stage.said(BranchFailed)] == ["m"]


FLIGHT = Flight("slow", key=lambda e: "it")


def test_an_event_that_joined_a_chain_is_a_failure_of_that_chain() -> None:
    stage, _, store, _ = suspended(slow(FLIGHT))
    leader = stage.chain

    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    guest = stage.event(Asked(), id="2", source="//b.example.com")
    body = stage.app.codec.encode(guest)
    store.meddle("write", "evidence:", die)
    with pytest.raises(Killed):
        stage.deliver(body)
    assert bury(stage, body) is None
    assert [r.state for r in stage.records(leader)] == ["suspended", "failed"]
    assert outcome(stage) == "failed"


def test_an_event_that_leads_a_flight_is_a_failure_of_its_own_chain() -> None:
    stage, plant, _ = staged(slow(FLIGHT))
    event = stage.event(Asked())
    body = stage.app.codec.encode(event)
    stage.chain = chain_id(event.source, event.id)
    assert bury(stage, body) is None
    assert stage.record("set").state == "failed"
    head = stage.head()
    assert head is not None
    assert (head.outcome, head.evidence) == ("failed", 1)
    stage.deliver(body)
    assert (stage.record("set").state, plant.calls) == ("failed", [])


def test_an_event_of_a_flight_that_was_buried_is_redriven_under_its_lock() -> None:
    stage, plant, _ = staged(slow(FLIGHT))
    event = stage.event(Asked())
    stage.chain = chain_id(event.source, event.id)
    bury(stage, stage.app.codec.encode(event))
    redrive(stage, stage.chain, stage.record("set").run)
    stage.play()
    head = stage.head()
    assert head is not None
    assert head.lock is not None
    assert (head.outcome, head.lock.epoch, len(plant.calls)) == ("completed", 2, 1)


QUEUED = Flight("slow", key=lambda e: "it", second="queue")


def test_an_event_that_is_buried_while_its_target_is_held_is_admitted_when_it_is_redriven() -> None:
    stage, plant, _, _ = suspended(slow(QUEUED))
    event = stage.event(Asked(), id="2")
    body = stage.app.codec.encode(event)
    second = chain_id(event.source, event.id)
    assert bury(stage, body) is None
    (record,) = stage.records(second)
    assert (record.state, record.queued) == ("failed", True)
    stage.deliver(body)
    plant.before = None
    stage.pass_time(60)
    assert [r.state for r in stage.records(second)] == ["failed"]
    redrive(stage, second, record.run)
    stage.play()
    assert [r.state for r in stage.records(second)] == ["committed"]
    head = stage.head(second)
    assert head is not None
    assert (head.outcome, head.lock is not None) == ("completed", True)


def test_a_run_that_waits_for_its_target_is_failed_where_it_waits() -> None:
    stage, _, _, _ = suspended(slow(QUEUED))
    event = stage.event(Asked(), id="2")
    stage.deliver(stage.app.codec.encode(event))
    second = chain_id(event.source, event.id)
    (resume,) = [
        message
        for message in stage.bus.waiting
        if message.attributes["type"] == RunResume.event_type
        and message.attributes["correlationid"] == second
    ]
    assert [r.state for r in stage.records(second)] == ["suspended"]
    assert bury(stage, resume.body) is None
    assert [(r.state, r.queued) for r in stage.records(second)] == [("failed", True)]


def test_a_run_that_waits_is_told_to_go_on_when_its_first_event_was_given_up() -> None:
    stage, _, _, resume = suspended(slow(FLIGHT))
    published = len(stage.bus.published)
    assert bury(stage, stage.app.codec.encode(stage.event(Asked()))) is None
    assert stage.record("set").state == "suspended"
    assert resume.id in [message.id for message in stage.bus.published[published:]]


def test_a_run_that_goes_on_while_it_is_buried_comes_again() -> None:
    stage, _, store, resume = suspended()
    run = stage.record("set").run
    store.meddle("write", f" run:{run}", lambda: store.touch_run(stage.chain, run))
    again = bury(stage, resume.body)
    assert again is not None
    assert again.reason == "its run goes on"
    assert stage.record("set").state == "suspended"
    assert bury(stage, resume.body) is None
    assert stage.record("set").state == "failed"


def test_a_finished_run_that_is_settled_has_nothing_to_say() -> None:
    stage, plant, _ = staged()
    stage.say(Asked())
    said = len(stage.bus.published)
    assert bury(stage, stage.app.codec.encode(stage.event(Asked()))) is None
    assert len(stage.bus.published) == said
    assert len(plant.calls) == 1


def test_a_run_of_a_handler_that_is_not_deployed_here_comes_again() -> None:
    stage, _, _, resume = suspended()
    app = App("slow")

    @app.on(name="other")
    def other(event: Event[Asked]) -> None:
        pass

    older = Stage(app, store=stage.store)
    older.now = stage.now
    again = bury(older, resume.body)
    assert again is not None
    assert "set is not in this app" in again.reason


def test_what_was_done_stays_on_the_record_of_a_buried_run() -> None:
    app = App("slow")

    @app.on(name="set", acts=[SetValve])
    def set_two(event: Event[Asked], ctx: Context) -> None:
        ctx.act(SetValve(level=1))
        ctx.now()
        ctx.act(SetValve(level=2))

    stage, plant, _ = staged(app)

    def wait(action: Any, call: Call) -> Any:
        return Pending(30) if action.level == 2 else None

    plant.before = wait
    stage.say(Asked())
    (resume,) = [m for m in stage.bus.waiting if m.attributes["type"] == RunResume.event_type]
    bury(stage, resume.body)
    assert [e.kind for e in stage.record("set").log] == ["act:valve.set", "now", "act:valve.set"]
    assert stage.record("set").log[0].result == {"level": 1}


def test_parking_knows_a_message_by_group_and_native_id() -> None:
    stage, _, _ = staged()
    for group in ("slow", "other"):
        for _ in range(2):
            stage.engine.bury(Delivery("n", b"{", 20), group)
    assert sorted(p.group for p in stage.engine.parking.list()) == ["other", "slow"]


def test_no_more_than_the_beginning_of_an_unreadable_message_is_kept() -> None:
    stage, _, _ = staged()
    stage.engine.bury(Delivery("n", b"{" * 10_000, 20), "slow")
    (parked,) = stage.engine.parking.list()
    assert (len(parked.body), parked.whole) == (4_096, False)


def names(length: int) -> Callable[[], App]:
    def made() -> App:
        app = App("slow")

        @app.on(name="out")
        def out(event: Event[Asked]) -> Branch[Heard]:
            return branch(Heard(), join="j", member="m" * length)

        @app.on(name="work")
        def work(event: Event[Heard]) -> None:
            raise ValueError("no")

        return app

    return made


def test_a_branch_of_any_name_that_it_may_have_can_fail() -> None:
    stage = Stage(names(300)(), settings=Settings(attempts=1))
    stage.say(Asked())
    assert "work" in [r.handler for r in stage.records()] or stage.record("out").state == "failed"
