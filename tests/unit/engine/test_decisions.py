"""A decision: one event, one handler, one write."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Later, later
from crosswind.engine.settings import Settings
from crosswind.ports import Delivery
from crosswind.records.record import Record
from crosswind_events import Event, EventData
from crosswind_events.catalogue.deadletter import DeadLettered

from .stage import CountingStore, Stage


class Asked(EventData, type="com.example.asked.v1"):
    text: str = ""


class Heard(EventData, type="com.example.heard.v1"):
    text: str = ""


class Over(EventData, type="com.example.over.v1", ends="completed"):
    pass


def relay() -> App:
    app = App("relay")

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> Heard:
        return Heard(text=event.data.text)

    @app.on(name="finish")
    def finish(event: Event[Heard], ctx: Context) -> Over:
        return Over()

    return app


def test_a_first_event_opens_a_chain_that_runs_to_its_end() -> None:
    stage = Stage(relay())
    chain = stage.say(Asked(text="well?"))
    assert [r.handler for r in stage.records()] == ["hear", "finish"]
    assert all(r.state == "committed" for r in stage.records())
    head = stage.head()
    assert head is not None
    assert head.outcome == "completed"
    (heard,) = stage.said(Heard)
    assert heard.data.text == "well?"
    assert heard.extensions["correlationid"] == chain
    assert heard.extensions["causationid"] == "1"
    assert heard.extensions["hop"] == 1


def test_a_decision_costs_exactly_one_write_and_no_read() -> None:
    app = App("plain")

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> Heard:
        return Heard(text=event.data.text)

    store = CountingStore()
    stage = Stage(app, store=store)
    body = app.codec.encode(stage.event(Asked()))
    assert stage.engine.work(Delivery("1", body), "plain") is None
    assert (store.writes, store.reads, store.scans) == (1, 0, 0)
    later_event = stage.said(Heard)[0]
    extensions = {**later_event.extensions}
    second = stage.event(Asked(), id="2", extensions=extensions)
    assert stage.engine.work(Delivery("2", app.codec.encode(second)), "plain") is None
    assert (store.writes, store.reads, store.scans) == (2, 0, 0)


def test_a_duplicate_is_acknowledged_and_decides_nothing() -> None:
    stage = Stage(relay())
    event = stage.event(Asked())
    body = stage.app.codec.encode(event)
    assert stage.deliver(body) is None
    assert stage.deliver(body) is None
    stage.play()
    stage.chain = stage.said(Heard)[0].extensions["correlationid"]  # type: ignore[assignment]  # a str
    assert len(stage.records()) == 2
    assert len([m for m in stage.bus.published if "heard" in str(m.attributes["type"])]) == 1


def test_an_unsettled_decision_is_published_again_by_a_duplicate() -> None:
    stage = Stage(relay())
    body = stage.app.codec.encode(stage.event(Asked()))
    stage.engine.work(Delivery("1", body), "relay")
    stage.engine.outbox.forget()
    stage.deliver(body)
    assert len(stage.said(Heard)) == 1
    heard = [m for m in stage.bus.published if "heard" in str(m.attributes["type"])]
    assert len(heard) == 2
    assert heard[0].body == heard[1].body
    stage.deliver(body)
    assert len(stage.bus.published) == 4, "settled now; the deadline's timer went with it twice"


def test_a_failing_handler_is_retried_with_backoff_and_then_succeeds() -> None:
    app, tries = App("flaky"), [0]

    @app.on(name="hear")
    def hear(event: Event[Asked], ctx: Context) -> Heard | None:
        tries[0] += 1
        if tries[0] < 3:
            raise OSError("no answer")
        return Heard()

    stage = Stage(app)
    stage.say(Asked())
    record = stage.record("hear")
    assert record.state == "retrying"
    assert record.fails[0].error == "OSError: no answer"
    stage.pass_time(60)
    record = stage.record("hear")
    assert record.state == "committed"
    assert [f.turn for f in record.fails] == [0, 1]
    assert len(stage.said(Heard)) == 1


def test_the_last_failure_is_a_dead_letter_that_closes_the_chain() -> None:
    app = App("broken")

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> Heard:
        raise ValueError("never")

    stage = Stage(app, settings=Settings(attempts=2))
    chain = stage.say(Asked())
    stage.pass_time(60)
    assert stage.record("hear").state == "failed"
    head = stage.head()
    assert head is not None
    assert head.outcome == "failed"
    (dead,) = stage.said(DeadLettered)
    assert dead.data.chain == chain
    assert dead.data.attempts == 2
    assert dead.data.error == "ValueError: never"


def test_what_a_handler_does_not_declare_it_cannot_emit() -> None:
    app = App("sly")

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> Heard:
        return Over()  # type: ignore[return-value]  # the point of the test

    stage = Stage(app)
    stage.say(Asked())
    record = stage.record("hear")
    assert record.state == "failed", "no repetition can mend it"
    assert "add it to its return annotation" in record.why


def test_a_timer_comes_when_it_is_due_and_keeps_the_hop() -> None:
    app = App("clockwork")

    @app.on(name="wind")
    def wind(event: Event[Asked]) -> Later[Heard]:
        return later(Heard(text="1"), 10)

    @app.on(name="tick")
    def tick(event: Event[Heard]) -> Iterator[Later[Heard] | Over]:
        if int(event.data.text) < 3:
            yield later(Heard(text=str(int(event.data.text) + 1)), 10)
        else:
            yield Over()

    stage = Stage(app)
    stage.say(Asked())
    assert len(stage.records()) == 1
    stage.pass_time(35)
    assert [e.data.text for e in stage.said(Heard)] == ["1", "2", "3"]
    assert [e.extensions["hop"] for e in stage.said(Heard)] == [1, 1, 1]
    assert [e.extensions.get("tick") for e in stage.said(Heard)] == [None, 1, 2]
    head = stage.head()
    assert head is not None
    assert head.outcome == "completed"


def test_a_timer_in_a_circle_is_stopped() -> None:
    app = App("circle")

    @app.on(name="wind")
    def wind(event: Event[Asked]) -> Later[Asked]:
        return later(Asked(), 0.001)

    stage = Stage(app, settings=Settings(ticks=5))
    stage.say(Asked())
    stage.pass_time(10)
    assert "at most 5" in stage.records()[-1].why


def test_a_chain_of_hops_is_bounded() -> None:
    app = App("pingpong")

    @app.on(name="ping")
    def ping(event: Event[Asked]) -> Heard:
        return Heard()

    @app.on(name="pong")
    def pong(event: Event[Heard]) -> Asked:
        return Asked()

    stage = Stage(app, settings=Settings(hops=9))
    stage.say(Asked())
    assert len(stage.records()) == 10
    assert "run in a circle" in stage.records()[-1].why


@pytest.mark.parametrize(
    ("extensions", "why"),
    [
        ({"hop": 0, "correlationid": "x"}, "hop"),
        ({"hop": 3}, "correlationid"),
        ({"hop": 3, "correlationid": "../../etc"}, "correlationid"),
    ],
)
def test_an_event_that_claims_a_place_it_cannot_have_is_parked(
    extensions: dict[str, str | int | bool], why: str
) -> None:
    stage = Stage(relay())
    stage.say(Asked(), extensions=extensions)
    (parked,) = stage.engine.parking.list()
    assert why in parked.reason
    assert parked.whole


def test_undecodable_input_is_parked_once() -> None:
    stage = Stage(relay())
    assert stage.deliver(b"\xff not json", "native-1") is None
    assert stage.deliver(b"\xff not json", "native-1") is None
    (parked,) = stage.engine.parking.list()
    assert parked.group == "relay"
    assert parked.message == "native-1"


def test_an_event_of_the_future_or_of_long_ago_is_refused() -> None:
    stage = Stage(relay())
    stage.say(Asked(), ago=-3600)
    stage.say(Asked(), ago=8 * 86_400, id="2")
    reasons = sorted(parked.reason for parked in stage.engine.parking.list())
    assert "in the future" in reasons[1]
    assert "older" in reasons[0]


def test_a_delivery_that_no_handler_wants_comes_again() -> None:
    stage = Stage(relay())
    again = stage.deliver(stage.app.codec.encode(stage.event(Over())))
    assert again is not None
    assert "no handler" in again.reason


def test_a_failing_run_does_not_run_its_siblings_again() -> None:
    app, ran = App("siblings"), []

    @app.on(name="good")
    def good(event: Event[Asked]) -> None:
        ran.append("good")

    @app.on(name="bad")
    def bad(event: Event[Asked]) -> None:
        ran.append("bad")
        raise RuntimeError("no")

    stage = Stage(app, settings=Settings(attempts=3))
    stage.say(Asked())
    stage.pass_time(100)
    assert ran == ["good", "bad", "bad", "bad"]


def test_a_chain_that_does_not_end_is_declared_stalled() -> None:
    app = App("lazy")

    @app.on(name="hear", deadline=100)
    def hear(event: Event[Asked]) -> Later[Heard]:
        return later(Heard(), 1_000)

    @app.on(name="finish")
    def finish(event: Event[Heard]) -> Over:
        return Over()

    stage = Stage(app)
    stage.say(Asked())
    stage.pass_time(200)
    head = stage.head()
    assert head is not None
    assert head.outcome == "stalled"
    stage.pass_time(2_000)
    assert stage.record("finish").state == "dropped", "its timer outlived the chain"


def test_a_record_reads_back_as_it_was_written() -> None:
    stage = Stage(relay())
    stage.say(Asked(text="ä"))
    record = stage.records()[0]
    assert Record.decode(record.encode()) == record
