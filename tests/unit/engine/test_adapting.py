"""What an adapter may ask of the engine beside handling: work without settling, flush, park."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from crosswind.app import App
from crosswind.engine.dispatch import Again
from crosswind.errors import Throttled
from crosswind.ports import Delivery
from crosswind.records.identity import chain_id, index_partition
from crosswind_events import Event

from .races import MeddledStore
from .stage import Stage
from .world import Asked


def asking(heard: list[str]) -> App:
    app = App("asking")

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> None:
        heard.append(event.data.text)

    return app


def delivery(stage: Stage, name: str) -> Delivery:
    return Delivery(name, stage.app.codec.encode(stage.event(Asked(text=name), id=name)))


def listed(stage: Stage, name: str) -> bool:
    event = stage.event(Asked(text=name), id=name)
    chain = chain_id(event.source, event.id)
    partition = index_partition(chain, event.time.timestamp())
    return stage.store.read(partition, chain) is not None


def slow_down() -> None:
    raise Throttled("slow down")


def test_what_was_worked_one_by_one_is_listed_and_settled_by_one_flush() -> None:
    stage = Stage(asking([]))

    for name in "ab":
        assert stage.engine.work(delivery(stage, name), "asking") is None
    assert not listed(stage, "a")

    assert stage.engine.flush() is None
    assert listed(stage, "a")
    assert listed(stage, "b")


def test_a_flush_that_cannot_list_a_chain_lets_all_that_was_worked_come_again() -> None:
    store = MeddledStore()
    stage = Stage(asking([]), store=store)
    store.meddle("write", "index:", slow_down)
    stage.engine.work(delivery(stage, "a"), "asking")

    assert stage.engine.flush() == Again("a chain could not be listed: slow down", 1.0)

    assert stage.engine.handle(delivery(stage, "a"), "asking") is None
    assert listed(stage, "a")


def test_what_an_adapter_cannot_read_is_parked_with_its_reason() -> None:
    stage = Stage(asking([]))
    event = stage.event(Asked(), id="1")

    stage.engine.park(Delivery("m1", b"\xff"), "asking", "its envelope is torn")
    stage.engine.park(Delivery("m2", b"{}"), "asking", "its time is over", event)

    parked = {one.message: one for one in stage.engine.parking.list()}
    assert parked["m1"].reason == "its envelope is torn"
    assert (parked["m1"].group, parked["m1"].type) == ("asking", None)
    assert parked["m2"].type == Asked.event_type


def test_what_cannot_be_parked_is_told_and_must_come_again() -> None:
    store = MeddledStore()
    stage = Stage(asking([]), store=store)
    store.meddle("write", "dead:", slow_down)

    with pytest.raises(Throttled):
        stage.engine.park(Delivery("m1", b"{}"), "asking", "torn")


def test_each_delivery_is_worked_within_what_is_entered_around_it() -> None:
    heard: list[str] = []
    stage = Stage(asking(heard))
    told: list[str] = []

    @contextmanager
    def around(delivery: Delivery) -> Iterator[None]:
        told.append(f"{delivery.id} after {heard}")
        yield
        told.append(f"{delivery.id} done, {heard}")

    late = stage.now + 1
    stage.engine.handle_batch([delivery(stage, n) for n in "ab"], "asking", late, around=around)
    assert told == ["a after []", "a done, ['a']", "b after ['a']", "b done, ['a', 'b']"]

    told.clear()
    again = stage.engine.handle_batch([delivery(stage, "c")], "asking", stage.now, around=around)
    assert (list(again), told) == (["c"], [])
