"""How a flight ends: who may end its chain, and what becomes of those that come too late."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest

from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Later, later
from crosswind.handlers import Flight
from crosswind.ports import Message, Put
from crosswind.records.head import Head
from crosswind.records.identity import HEAD, chain_id, chain_partition, flight_partition
from crosswind_events import Event

from .races import MeddledStore
from .stage import SOURCE, Stage
from .world import Asked, Heard, Over, Plant, SetValve, fleet

LOCKS = flight_partition("f")


class Killed(BaseException):
    """The process is gone."""


def die() -> None:
    raise Killed


def app_of(second: Literal["join", "supersede", "queue"] = "join", *, twice: bool = False) -> App:
    """Weighs evidence; over when its timer comes. `twice`: two handlers share the flight."""
    app, flight = App("flights"), Flight("f", key=lambda e: e.data.text or "it", second=second)

    @app.on(name="weigh", flight=flight)
    def weigh(event: Event[Asked], ctx: Context) -> Iterator[Later[Heard]]:
        if len(ctx.evidence()) == 1:
            yield later(Heard(), 50)

    if twice:

        @app.on(name="too", flight=flight)
        def too(event: Event[Asked], ctx: Context) -> Later[Heard]:
            return later(Heard(), 50)

    @app.on(name="due")
    def due(event: Event[Heard]) -> Over:
        return Over()

    return app


def staged(app: App | None = None, **how: object) -> tuple[Stage, MeddledStore]:
    store = MeddledStore()
    return Stage(app or app_of(), store=store, **how), store  # type: ignore[arg-type]  # as Stage takes them


def beside(stage: Stage) -> Stage:
    """Another worker of the same app over the same store and bus."""
    other = Stage(stage.app, store=stage.store)
    other.now = stage.now
    other.bus = stage.bus
    other.engine.outbox.bus = stage.bus
    return other


def body(stage: Stage, id: str = "1", source: str = SOURCE, ago: float = 0.0) -> bytes:
    return stage.app.codec.encode(stage.event(Asked(), id=id, source=source, ago=ago))


def head(stage: Stage, chain: str) -> Head:
    found = stage.head(chain)
    assert found is not None
    return found


OWN, OTHER = chain_id(SOURCE, "1"), chain_id("//b.example.com", "2")


def acting(*, then: bool = False) -> tuple[Stage, MeddledStore, Plant]:
    """A flight whose first run acts and says nothing; `then`: a later run ends the chain."""
    app = App("acting")

    @app.on(name="act", acts=[SetValve], flight=Flight("f", key=lambda e: "it"))
    def act(event: Event[Asked], ctx: Context) -> Heard | None:
        if event.id == "1":
            ctx.act(SetValve(level=1))
        return Heard() if then else None

    @app.on(name="end")
    def end(event: Event[Heard]) -> Over:
        return Over()

    store, plant = MeddledStore(), Plant()
    return Stage(app, fleet=fleet(), performers=[plant], store=store), store, plant


def test_a_first_run_that_acted_and_says_nothing_ends_its_chain_as_done() -> None:
    stage, _, _ = acting()
    stage.deliver(body(stage))
    assert head(stage, OWN).outcome == "done"


def test_a_first_run_ends_no_chain_that_another_joins_as_it_commits() -> None:
    stage, store, plant = acting()

    def join_at_the_commit(action: object, call: object) -> None:
        guest = body(stage, "2", "//b.example.com")
        store.meddle("write", f"chain:{OWN} run:", lambda: stage.deliver(guest))

    plant.before = join_at_the_commit
    assert stage.deliver(body(stage)) is None
    assert head(stage, OWN).open
    assert head(stage, OWN).evidence == 2
    assert [r.state for r in stage.records(OWN)] == ["committed", "committed"]
    assert len(plant.calls) == 1


def close(store: MeddledStore, chain: str) -> None:
    """Another closes a chain."""
    item = store.read(chain_partition(chain), HEAD)
    assert item is not None
    closed = Head.decode(item.value).closed("stalled", 0.0)
    store.write(chain_partition(chain), [Put(HEAD, closed.encode(), item.version)], "another's")


def test_a_run_that_would_end_a_chain_which_closes_as_it_commits_is_dropped() -> None:
    stage, store, _ = acting(then=True)
    stage.deliver(body(stage))
    (heard,) = [m for m in stage.bus.waiting if m.attributes["type"] == Heard.event_type]
    store.meddle("write", f"chain:{OWN} run:", lambda: close(store, OWN))
    assert stage.deliver(heard.body) is None
    stage.chain = OWN
    assert (stage.record("end").state, stage.record("end").why) == (
        "dropped",
        "the chain is closed: stalled",
    )
    assert stage.said(Over) == []


def test_a_handler_that_was_not_reached_before_its_chain_was_over_is_dropped() -> None:
    """Two handlers share the flight; the process died between them, and the chain went on."""
    stage, store = staged(app_of(twice=True))
    (key,) = [h.name for h in stage.app.handlers if h.name == "too"]
    calls = iter([lambda: None, die])
    store.meddle("write", f"chain:{OWN} run:", lambda: next(calls)(), times=2)
    with pytest.raises(Killed):
        stage.deliver(body(stage))
    stage.play()
    stage.pass_time(60)
    assert head(stage, OWN).outcome == "completed"
    stage.deliver(body(stage, "2", "//b.example.com"))
    assert stage.deliver(body(stage)) is None
    stage.chain = OWN
    assert stage.record(key).state == "dropped"
    assert stage.record(key).why == "its chain was closed before it could be worked"


def queued_twice() -> tuple[Stage, MeddledStore, list[Message]]:
    """Two handlers of one event wait in the queue, each with a resume event of its own."""
    stage, store = staged(app_of("queue", twice=True))
    stage.deliver(body(stage, "0", "//c.example.com"))
    stage.deliver(body(stage))
    stage.chain = OWN
    assert [r.state for r in stage.records()] == ["suspended", "suspended"]
    resumes = [m for m in stage.bus.waiting if "resume" in str(m.attributes["type"])]
    for resume in resumes:
        stage.bus.waiting.remove(resume)
    return stage, store, resumes


def test_a_queued_handler_whose_chain_was_over_before_its_turn_is_dropped() -> None:
    stage, _, (first, second) = queued_twice()
    stage.pass_time(60)
    assert stage.deliver(first.body) is None
    stage.pass_time(60)
    assert head(stage, OWN).outcome == "completed"
    stage.deliver(body(stage, "2", "//b.example.com"))
    assert stage.deliver(second.body) is None
    assert stage.record("too").state == "dropped"
    assert stage.record("too").why == "its chain was closed before it could be worked"


def test_two_workers_that_resume_a_queued_run_at_once_are_one() -> None:
    stage, store, (first, _) = queued_twice()
    other = beside(stage)
    store.meddle("write", f"chain:{OWN} run:", lambda: other.deliver(first.body))
    assert stage.deliver(first.body) is None
    assert len(stage.records(OWN)) == 2


def test_a_run_that_vanishes_while_it_is_taken_over_comes_again() -> None:
    stage, store, (first, _) = queued_twice()
    partition, run = chain_partition(OWN), stage.record("weigh").run
    store.meddle("write", f" run:{run}", lambda: store.remove(partition, f"run:{run}"))
    again = stage.deliver(first.body)
    assert again is not None
    assert again.reason == "its record vanished"


def test_two_workers_that_drop_a_run_at_once_are_one() -> None:
    stage, store = staged(app_of("supersede"))
    stage.deliver(body(stage, "2", "//b.example.com"))
    other = beside(stage)
    late = body(stage, ago=10)
    store.meddle("write", f"chain:{OWN} run:", lambda: other.deliver(late))
    assert stage.deliver(late) is None
    stage.chain = OWN
    assert stage.record("weigh").state == "dropped"


@pytest.mark.parametrize("silent_first", [True, False])
def test_a_handler_that_decides_nothing_does_not_end_what_its_sibling_decides(
    silent_first: bool,
) -> None:
    app, flight = App("siblings"), Flight("f", key=lambda e: "it")

    def silent() -> None:
        @app.on(name="silent", flight=flight)
        def say_nothing(event: Event[Asked]) -> None:
            pass

    if silent_first:
        silent()

    @app.on(name="speaks", flight=flight)
    def speaks(event: Event[Asked]) -> Later[Heard]:
        return later(Heard(), 50)

    if not silent_first:
        silent()

    @app.on(name="due")
    def due(event: Event[Heard]) -> Over:
        return Over()

    stage, _ = staged(app)
    stage.say(Asked())
    stage.pass_time(60)
    assert [r.state for r in stage.records()] == ["committed"] * 3
    assert head(stage, OWN).outcome == "completed"


def test_a_leader_that_is_tried_again_does_not_end_what_its_guests_have_begun() -> None:
    app, tries = App("late"), [0]

    @app.on(name="hear", flight=Flight("late", key=lambda e: "it"))
    def hear(event: Event[Asked], ctx: Context) -> Heard | None:
        if event.data.text == "guest":
            return Heard()
        tries[0] += 1
        if tries[0] == 1:
            raise TimeoutError("not now")
        return None

    @app.on(name="finish")
    def finish(event: Event[Heard]) -> Later[Over]:
        return later(Over(), 100)

    stage = Stage(app)
    chain = stage.say(Asked())
    stage.say(Asked(text="guest"), id="2", source="//guest.example.com")
    stage.pass_time(50)
    assert tries[0] == 2
    head = stage.head(chain)
    assert head is not None
    assert head.outcome != "nothing-to-do"
