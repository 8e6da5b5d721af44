"""What all runs share: performers, and the fleet as it was declared when a decision was made."""

from __future__ import annotations

from typing import Any

from crosswind.actions import Answer, Call
from crosswind.app import App
from crosswind.context import Context
from crosswind.engine.settings import Settings
from crosswind.fleet.declaration import Fleet
from crosswind.gate.brakes import fleet_partition
from crosswind_events import Event

from .races import MeddledStore
from .stage import Stage
from .world import Asked, Over, Plant, ReadGauge, SetValve, fleet


def reader() -> App:
    """Decides by the fleet, then acts: `rate` is the decision."""
    app = App("reader")

    @app.on(name="read", acts=[SetValve])
    def read(event: Event[Asked], ctx: Context) -> Over:
        rate = ctx.fleet.workloads["chat"].rate
        ctx.act(SetValve(level=1))
        return Over(text=f"{rate:g} {ctx.fleet.workloads['chat'].rate:g}")

    return app


def busier() -> Fleet:
    chat = fleet().model_dump(mode="json", exclude_none=True)["workloads"]["chat"]
    return fleet(workloads={"chat": {**chat, "rate": 20.0}})


def failing_once() -> Plant:
    fails = [True]

    def fail(action: Any, call: Call) -> None:
        if fails:
            fails.pop()
            raise OSError("not now")

    return Plant(before=fail)


def test_a_decision_goes_on_with_the_fleet_it_was_made_for() -> None:
    """A new declaration is deployed between two attempts; what was recorded stands."""
    first = Stage(reader(), fleet=fleet(), performers=[failing_once()])
    first.say(Asked())
    assert first.record("read").state == "retrying"
    second = Stage(reader(), fleet=busier(), performers=[Plant()], store=first.store)
    second.now, second.chain, second.bus.waiting = first.now, first.chain, first.bus.waiting
    second.pass_time(100)
    assert second.record("read").state == "committed"
    assert second.said(Over)[0].data.text == "10 20", "what is asked after it is asked anew"


def test_the_fleet_of_a_decision_is_read_from_the_store_once() -> None:
    store = MeddledStore()
    first = Stage(reader(), fleet=fleet(), performers=[Plant()], store=store)
    first.say(Asked())
    second = Stage(reader(), fleet=busier(), store=store)
    reads = store.reads
    for _ in range(3):
        assert second.engine.runtime.declared(fleet().digest) == fleet()
    assert store.reads == reads + 1


def test_a_fleet_is_stored_once_however_many_decide_by_it() -> None:
    store = MeddledStore()
    one, two = (Stage(reader(), fleet=fleet(), performers=[Plant()], store=store) for _ in "ab")
    one.say(Asked())
    two.say(Asked(), id="2")
    assert two.record("read").state == "committed"
    assert len(store.scan(fleet_partition("test"), "declared:")) == 1


def test_a_fleet_that_is_no_longer_in_the_store_is_a_failure_with_the_reason() -> None:
    store = MeddledStore()
    first = Stage(reader(), fleet=fleet(), performers=[failing_once()], store=store)
    first.say(Asked())
    store.remove(fleet_partition("test"), f"declared:{fleet().digest}")
    settings = Settings(attempts=2)
    second = Stage(reader(), fleet=busier(), performers=[Plant()], store=store, settings=settings)
    second.now, second.chain, second.bus.waiting = first.now, first.chain, first.bus.waiting
    second.pass_time(100)
    assert f"the fleet declared as {fleet().digest[:12]} is not in the store" in (
        second.record("read").why
    )


def test_a_handler_that_asks_for_a_fleet_where_there_is_none_fails_with_advice() -> None:
    stage = Stage(reader(), performers=[Plant()])
    stage.say(Asked())
    assert "no fleet is declared; give the engine one" in stage.record("read").why


def test_an_action_that_nobody_carries_out_fails_with_advice() -> None:
    stage = Stage(reader(), fleet=fleet())
    stage.say(Asked())
    record = stage.record("read")
    assert record.state == "retrying"
    assert "no performer carries out valve.set; give the engine one" in record.why


def gauge() -> App:
    app = App("gauge")

    @app.on(name="look", reads=[ReadGauge])
    def look(event: Event[Asked], ctx: Context) -> None:
        ctx.observe(ReadGauge())

    return app


def test_a_query_that_nobody_answers_fails_with_advice() -> None:
    stage = Stage(gauge())
    stage.say(Asked())
    assert "no performer answers gauge.read; give the engine one" in stage.record("look").why


class Wrong(Answer):
    pass


def test_a_performer_that_answers_with_something_else_has_failed() -> None:
    class Lying(Plant):
        def answer(self, query: Any, timeout: float) -> Any:
            return Wrong()

        def perform(self, action: Any, call: Call) -> Any:
            return Wrong()

    stage = Stage(gauge(), performers=[Lying()])
    stage.say(Asked())
    assert "performer of gauge.read returned Wrong, not Level" in stage.record("look").why
    stage = Stage(reader(), fleet=fleet(), performers=[Lying()])
    stage.say(Asked())
    assert "performer of valve.set returned Wrong, not Set" in stage.record("read").why
    assert not stage.record("read").log[-1].done
    assert repr(stage.record("read").log[-1].result) == "OUTSTANDING"
