"""From deliveries to runs: batches, groups, stores and buses that ask for patience."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crosswind.app import App
from crosswind.context import Context
from crosswind.engine.dispatch import Again
from crosswind.engine.settings import Settings
from crosswind.errors import Throttled, Unreachable
from crosswind.handlers import Flight, Where
from crosswind.ports import Delivery
from crosswind.records.head import Head
from crosswind.records.identity import chain_id, index_partition
from crosswind_events import Event
from crosswind_events.catalogue.deadletter import DeadLettered

from .races import MeddledStore
from .stage import Stage
from .world import Asked, Heard, Over, Plant, ReadGauge, SetValve, fleet


def listening(heard: list[str] | None = None) -> App:
    app = App("listening")

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> Heard:
        if heard is not None:
            heard.append(event.data.text)
        return Heard(text=event.data.text)

    return app


def raising(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def deliveries(stage: Stage, *receipts: int) -> list[Delivery]:
    return [
        Delivery(str(n), stage.app.codec.encode(stage.event(Asked(text=str(n)), id=str(n))), count)
        for n, count in enumerate(receipts)
    ]


class TestBatches:
    def test_what_was_received_least_often_goes_first(self) -> None:
        heard: list[str] = []
        stage = Stage(listening(heard))
        assert stage.engine.handle_batch(deliveries(stage, 3, 1, 2), "listening") == {}
        assert heard == ["1", "2", "0"]

    def test_what_cannot_be_started_in_the_time_left_is_returned_unstarted(self) -> None:
        heard: list[str] = []
        stage = Stage(listening(heard))
        until = stage.now + 10
        times = iter([stage.now, stage.now, stage.now + 11])
        app = stage.app

        @app.on(name="slow")
        def slow(event: Event[Asked]) -> None:
            stage.now = next(times)

        again = stage.engine.handle_batch(deliveries(stage, 1, 1, 1), "listening", until)
        assert again == {}
        again = stage.engine.handle_batch(deliveries(stage, 1, 1), "listening", until)
        assert again == {id: Again("there was no time left to start it", 0.0) for id in ("0", "1")}
        assert heard == ["0", "1", "2"]

    def test_one_that_has_to_come_again_does_not_hold_up_its_neighbours(self) -> None:
        heard: list[str] = []
        store = MeddledStore()
        stage = Stage(listening(heard), store=store)
        store.meddle("write", " run:", raising(Throttled("slow down")))
        again = stage.engine.handle_batch(deliveries(stage, 1, 1), "listening")
        assert list(again) == ["0"]
        assert again["0"].reason == "the store is throttled: slow down"
        assert len(stage.said(Heard)) == 1


def test_a_throttled_store_is_no_failure() -> None:
    store = MeddledStore()
    stage = Stage(listening(), store=store)
    body = stage.app.codec.encode(stage.event(Asked()))
    store.meddle("write", " run:", raising(Throttled("slow down")), times=3)
    for _ in range(3):
        again = stage.deliver(body)
        assert again is not None
        assert "throttled" in again.reason
    assert stage.deliver(body) is None
    stage.say(Asked())
    assert stage.record("hear").fails == []


def test_an_unreachable_store_is_no_failure() -> None:
    store = MeddledStore()
    stage = Stage(listening(), store=store)
    body = stage.app.codec.encode(stage.event(Asked()))
    store.meddle("write", " run:", raising(Unreachable("no answer")), times=3)
    again = stage.deliver(body)
    assert again is not None
    assert "unreachable" in again.reason
    assert again.after == stage.engine.settings.wait
    assert stage.deliver(body) is None


def test_a_store_that_cannot_settle_now_is_settled_by_a_duplicate() -> None:
    store = MeddledStore()
    stage = Stage(listening(), store=store)
    body = stage.app.codec.encode(stage.event(Asked()))
    slow_down = raising(Throttled("slow down"))
    store.meddle("written", " run:", lambda: store.meddle("write", " run:", slow_down))
    stage.deliver(body)
    (said,) = [m for m in stage.bus.published if m.attributes["type"] == Heard.event_type]
    stage.deliver(body)
    assert [m.body for m in stage.bus.published].count(said.body) == 2
    stage.deliver(body)
    assert [m.body for m in stage.bus.published].count(said.body) == 2


def test_a_chain_is_listed_before_its_first_delivery_is_acknowledged() -> None:
    store = MeddledStore()
    stage = Stage(listening(), store=store)
    event = stage.event(Asked())
    body = stage.app.codec.encode(event)
    store.meddle("write", "index:", raising(Throttled("slow down")))
    assert stage.deliver(body) is not None
    assert stage.deliver(body) is None
    chain = chain_id(event.source, event.id)
    assert store.read(index_partition(chain, event.time.timestamp()), chain) is not None


def test_an_event_is_worked_by_the_handlers_of_its_group_alone() -> None:
    app = App("front")

    @app.on(name="front")
    def front(event: Event[Asked]) -> None:
        pass

    @app.on(name="back", group="back")
    def back(event: Event[Asked]) -> None:
        pass

    stage = Stage(app)
    stage.say(Asked())
    assert [r.handler for r in stage.records()] == ["front"]
    body = app.codec.encode(stage.event(Asked()))
    assert stage.deliver(body, group="back") is None
    assert sorted(r.handler for r in stage.records()) == ["back", "front"]


def test_a_handler_has_only_the_events_that_its_filter_admits() -> None:
    app = App("picky")

    @app.on(name="aws", where=Where(subject="aws/"))
    def aws(event: Event[Asked]) -> None:
        pass

    @app.on(name="all")
    def all_of_them(event: Event[Asked]) -> None:
        pass

    stage = Stage(app)
    stage.say(Asked(), subject="gcp/us-central1")
    assert [r.handler for r in stage.records()] == ["all"]
    stage.say(Asked(), id="2", subject="aws/us-east-1")
    assert sorted(r.handler for r in stage.records()) == ["all", "aws"]


def test_one_of_several_runs_that_comes_again_does_not_hold_up_the_others() -> None:
    """The delivery is returned, and its other runs stand already when it comes again."""
    app, plant = App("several"), Plant()

    @app.on(name="first", acts=[SetValve])
    def first(event: Event[Asked], ctx: Context) -> None:
        ctx.act(SetValve(level=1))

    @app.on(name="second")
    def second(event: Event[Asked]) -> Heard:
        return Heard()

    class Killed(BaseException):
        pass

    def die(action: Any, call: Any) -> None:
        raise Killed

    plant.before = die
    stage = Stage(app, fleet=fleet(), performers=[plant])
    event = stage.event(Asked())
    stage.chain, body = chain_id(event.source, event.id), app.codec.encode(event)
    with pytest.raises(Killed):
        stage.deliver(body)
    plant.before = None
    again = stage.deliver(body)
    assert again is not None
    assert (stage.record("first").state, stage.record("second").state) == ("claimed", "committed")
    stage.now += again.after
    assert stage.deliver(body) is None
    assert stage.record("first").state == "committed"
    assert len(stage.bus.published) == 1, "what had been decided was not said again"


def test_a_run_whose_chain_is_never_at_rest_comes_again() -> None:
    store = MeddledStore()
    app = App("restless")

    @app.on(name="ask")
    def ask(event: Event[Asked]) -> Heard:
        return Heard()

    @app.on(name="end")
    def end(event: Event[Heard]) -> Over:
        return Over()

    stage = Stage(app, store=store)
    body = app.codec.encode(stage.event(Asked()))
    stage.deliver(body)
    (heard,) = [m for m in stage.bus.waiting if m.attributes["type"] == Heard.event_type]
    chain = str(heard.attributes["correlationid"])
    store.meddle("write", f"chain:{chain} run:", lambda: store.touch_head(chain), times=999)
    again = stage.deliver(heard.body)
    assert again is not None
    assert "contended" in again.reason
    assert stage.said(Over) == []


def test_a_run_that_always_finds_evidence_it_has_not_seen_comes_again() -> None:
    store, weighed = MeddledStore(), []
    app = App("restless")

    @app.on(name="ask")
    def ask(event: Event[Asked]) -> Heard:
        return Heard()

    @app.on(name="end")
    def end(event: Event[Heard], ctx: Context) -> Over:
        weighed.append(ctx.evidence())
        return Over()

    stage = Stage(app, store=store)
    stage.deliver(app.codec.encode(stage.event(Asked())))
    (heard,) = [m for m in stage.bus.waiting if m.attributes["type"] == Heard.event_type]
    chain = str(heard.attributes["correlationid"])
    store.meddle("write", f"chain:{chain} run:", lambda: store.touch_head(chain), times=999)
    again = stage.deliver(heard.body)
    assert again is not None
    assert again.reason == "the chain is contended"
    assert 1 < len(weighed) < 100
    assert stage.said(Over) == []


def test_a_run_that_is_to_end_a_chain_without_a_head_fails_with_the_reason() -> None:
    stage, chain = headless()
    stage.pass_time(200)
    assert stage.record("end", chain).state == "failed"
    assert "has no head; was its store emptied?" in stage.record("end", chain).why


def test_what_could_not_be_committed_is_not_said() -> None:
    stage, _ = headless()
    assert stage.said(Over) == []


def headless() -> tuple[Stage, str]:
    """An event of a chain that is not in the store, and would be ended by its handler."""
    app = App("headless")

    @app.on(name="end")
    def end(event: Event[Heard]) -> Over:
        return Over()

    stage = Stage(app)
    chain = "00000000-0000-5000-8000-000000000000"
    stage.say(Heard(), extensions={"hop": 1, "correlationid": chain})
    return stage, chain


def test_a_key_that_raises_is_a_failure_on_record() -> None:
    app = App("keyless")

    @app.on(name="look", flight=Flight("look", key=lambda e: e.data.nowhere))
    def look(event: Event[Asked]) -> None:
        pass

    stage = Stage(app, settings=Settings(attempts=1))
    stage.say(Asked())
    assert stage.record("look").state == "failed"
    assert len(stage.said(DeadLettered)) == 1


class TestRecordsTooLarge:
    """A run that grows beyond what one item holds fails, with room left to say so."""

    def test_of_what_was_observed_before_an_action(self) -> None:
        app = App("curious")

        @app.on(name="look", reads=[ReadGauge], acts=[SetValve])
        def look(event: Event[Asked], ctx: Context) -> None:
            for name in "abcdefg":
                ctx.observe(ReadGauge(of=name * 60_000))
            ctx.act(SetValve(level=1))

        plant = Plant()
        stage = Stage(app, fleet=fleet(), performers=[plant])
        stage.say(Asked())
        assert (stage.record("look").state, plant.calls) == ("failed", [])

    def test_of_what_it_says(self) -> None:
        app = App("talkative")

        @app.on(name="talk")
        def talk(event: Event[Asked]) -> Iterator[Heard]:
            for _ in range(50):
                yield Heard(text="x" * 10_000)

        stage = Stage(app)
        stage.say(Asked())
        assert stage.record("talk").state == "failed"
        assert stage.said(Heard) == []


def test_the_head_of_a_chain_is_put_once_by_whichever_first_run_is_first() -> None:
    app = App("several")

    @app.on(name="one")
    def one(event: Event[Asked]) -> None:
        pass

    @app.on(name="two")
    def two(event: Event[Asked]) -> Over:
        return Over()

    stage = Stage(app)
    stage.say(Asked())
    assert [r.state for r in stage.records()] == ["committed", "committed"]
    head = stage.head()
    assert isinstance(head, Head)
    assert head.outcome == "completed"
