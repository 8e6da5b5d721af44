"""A chain that is not over in its time is closed as stalled, once, with an incident."""

from __future__ import annotations

from collections.abc import Iterator

from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Later, later
from crosswind.engine.settings import Settings
from crosswind.errors import Unreachable
from crosswind.handlers import Flight
from crosswind.ports import Delivery, Message
from crosswind.records.head import Head
from crosswind.records.record import Record
from crosswind_events import Event
from crosswind_events.catalogue.chain import ChainDeadline, ChainStalled
from crosswind_events.catalogue.incident import IncidentOpened

from .races import MeddledStore
from .stage import Stage
from .world import Asked, Heard, Over


def lazy(target: str = "r1", flight: bool = True) -> App:
    """Waits far longer than it has been given."""
    app = App("lazy")

    @app.on(
        name="ask", deadline=100, flight=Flight("lazy", key=lambda e: target) if flight else None
    )
    def ask(event: Event[Asked], ctx: Context) -> Iterator[Later[Heard]]:
        if event.data.text != "more":
            yield later(Heard(), 1_000)

    @app.on(name="end")
    def end(event: Event[Heard]) -> Over:
        return Over()

    return app


def waiting(app: App | None = None) -> tuple[Stage, MeddledStore, Message]:
    """A chain whose deadline has come, and the timer that says so, taken off the bus."""
    store = MeddledStore()
    stage = Stage(app or lazy(), store=store)
    stage.say(Asked())
    (timer,) = [m for m in stage.bus.waiting if m.attributes["type"] == ChainDeadline.event_type]
    stage.bus.waiting.remove(timer)
    assert timer.due is not None
    stage.now = timer.due
    return stage, store, timer


def head(stage: Stage) -> Head:
    found = stage.head()
    assert found is not None
    return found


def test_a_stalled_chain_is_closed_and_an_incident_is_opened() -> None:
    stage, _, timer = waiting()
    assert stage.deliver(timer.body, timer.id) is None
    assert head(stage).outcome == "stalled"
    (stalled,) = stage.said(ChainStalled)
    assert (stalled.subject, stalled.data.target) == ("r1", "r1")
    assert stalled.extensions["ended"] == "stalled"
    (incident,) = stage.said(IncidentOpened)
    assert incident.data.title == "A chain has stalled over r1"


def test_a_chain_without_a_target_stalls_as_well() -> None:
    stage, _, timer = waiting(lazy(flight=False))
    stage.deliver(timer.body)
    assert stage.said(IncidentOpened)[0].data.title == "A chain has stalled"


def test_a_chain_that_can_end_has_a_deadline_unless_it_is_told() -> None:
    app = App("plain")

    @app.on(name="ask")
    def ask(event: Event[Asked]) -> Later[Heard]:
        return later(Heard(), 1_000)

    @app.on(name="end")
    def end(event: Event[Heard]) -> Over:
        return Over()

    stage = Stage(app, settings=Settings(deadline=500))
    stage.say(Asked())
    stage.pass_time(600)
    assert head(stage).outcome == "stalled"


def test_a_chain_that_nothing_can_end_has_no_deadline() -> None:
    app = App("endless")

    @app.on(name="ask")
    def ask(event: Event[Asked]) -> None:
        pass

    stage = Stage(app)
    stage.say(Asked())
    assert head(stage).deadline is None
    assert stage.bus.waiting == []


def test_the_deadline_of_a_chain_that_is_over_says_nothing() -> None:
    app = App("quick")

    @app.on(name="ask", deadline=100)
    def ask(event: Event[Asked]) -> Heard:
        return Heard()

    @app.on(name="end")
    def end(event: Event[Heard]) -> Over:
        return Over()

    stage = Stage(app)
    stage.say(Asked())
    stage.pass_time(200)
    assert head(stage).outcome == "completed"
    assert stage.said(ChainStalled) == []
    assert stage.again == []


def test_a_deadline_that_comes_twice_is_said_once() -> None:
    stage, _, timer = waiting()
    stage.deliver(timer.body)
    said = len(stage.bus.published)
    assert stage.deliver(timer.body) is None
    assert len(stage.bus.published) == said


def test_a_stall_that_was_not_settled_is_published_again() -> None:
    stage, _, timer = waiting()
    stage.engine.work(Delivery("1", timer.body), "lazy")
    stage.engine.outbox.forget()
    said = len(stage.bus.published)
    assert stage.deliver(timer.body) is None
    again = stage.bus.published[said:]
    assert [m.attributes["type"] for m in again] == [
        ChainStalled.event_type,
        IncidentOpened.event_type,
    ]
    assert stage.records()[-1].settled


def test_the_deadline_of_a_chain_that_nobody_knows_is_forgotten() -> None:
    stage, _, timer = waiting()
    empty = Stage(stage.app)
    empty.now = stage.now
    assert empty.deliver(timer.body) is None
    assert empty.bus.published == []


def test_a_deadline_races_with_what_is_said_to_the_chain_and_looks_again() -> None:
    stage, store, timer = waiting()
    store.meddle("write", f"chain:{stage.chain} run:", lambda: store.touch_head(stage.chain))
    assert stage.deliver(timer.body) is None
    assert head(stage).outcome == "stalled"


def test_a_deadline_that_two_workers_meet_is_said_by_one() -> None:
    stage, store, timer = waiting()
    other = Stage(stage.app, store=store)
    other.now = stage.now
    store.meddle("write", f"chain:{stage.chain} run:", lambda: other.deliver(timer.body))
    assert stage.deliver(timer.body) is None
    assert (len(other.said(ChainStalled)), stage.said(ChainStalled)) == (1, [])
    assert len([r for r in stage.records() if r.handler == "crosswind:deadline"]) == 1


def test_a_chain_that_is_never_at_rest_is_tried_again_later() -> None:
    stage, store, timer = waiting()
    chain = stage.chain
    store.meddle("write", f"chain:{chain} run:", lambda: store.touch_head(chain), times=99)
    again = stage.deliver(timer.body)
    assert again is not None
    assert "is contended" in again.reason
    assert head(stage).open


def test_a_chain_that_was_closed_as_stalled_without_a_record_is_left_alone() -> None:
    """Its record has been removed: housekeeping never decides what is right."""
    stage, store, timer = waiting()
    stage.deliver(timer.body)
    key = next(
        item.key
        for item in store.scan(f"chain:{stage.chain}", "run:")
        if Record.decode(item.value).handler == "crosswind:deadline"
    )
    store.remove(f"chain:{stage.chain}", key)
    said = len(stage.bus.published)
    assert stage.deliver(timer.body) is None
    assert len(stage.bus.published) == said


def test_a_stall_whose_answer_was_lost_and_which_another_settled_stands() -> None:
    stage, store, timer = waiting()
    other = Stage(stage.app, store=store)
    other.now = stage.now

    def settle_and_vanish() -> None:
        other.deliver(timer.body)
        raise Unreachable("no answer")

    store.meddle("written", f"chain:{stage.chain} run:", settle_and_vanish)
    assert stage.deliver(timer.body) is None
    assert head(stage).outcome == "stalled"


def test_a_target_as_long_as_a_flight_allows_can_stall() -> None:
    stage, _, timer = waiting(lazy("r" * 500))
    assert stage.deliver(timer.body) is None
    assert head(stage).outcome == "stalled"


def test_a_deadline_of_what_can_be_no_chain_does_not_stop_the_worker() -> None:
    stage, _, timer = waiting()
    data = stage.app.codec.decode(timer.body).data
    forged = stage.event(ChainDeadline(chain="a/b", opened=data.opened, deadline=data.deadline))
    stage.deliver(stage.app.codec.encode(forged))


def test_a_deadline_that_comes_early_does_not_end_its_chain() -> None:
    stage, _, timer = waiting()
    stage.now -= 50
    stage.deliver(timer.body)
    assert head(stage).open


def test_a_chain_that_another_has_closed_as_expired_is_told_to_have_stalled_all_the_same() -> None:
    stage, _, timer = waiting()
    first = stage.chain
    stage.now += stage.engine.settings.lease + 1
    stage.say(Asked(text="more"), id="2")
    closed = stage.head(first)
    assert closed is not None
    assert closed.outcome == "expired"
    for _ in range(2):
        assert stage.engine.handle(Delivery(timer.id, timer.body), stage.app.groups[0]) is None
    assert [one.data.chain for one in stage.said(ChainStalled)] == [first]
    assert len(stage.said(IncidentOpened)) == 1
    closed = stage.head(first)
    assert closed is not None
    assert closed.outcome == "expired"
