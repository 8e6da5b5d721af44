"""Publish, then settle: what is decided is said, whatever the bus does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from crosswind.app import App
from crosswind.engine.outbox import publish
from crosswind.errors import NotAccepted, Throttled
from crosswind.ports import Delivery, Message
from crosswind.records.identity import RUN, index_partition
from crosswind.records.record import Outgoing, Record, settled
from crosswind_events import Event

from .races import MeddledStore
from .stage import Stage, StageBus
from .world import Asked, Heard


class MoodyBus(StageBus):
    """Takes as many messages of each publication as it is told, in turn; then all."""

    def __init__(self, *moods: int) -> None:
        super().__init__()
        self.moods = list(moods)
        self.asked: list[int] = []

    def publish(self, messages: Sequence[Message]) -> None:
        self.asked.append(len(messages))
        taken = self.moods.pop(0) if self.moods else len(messages)
        super().publish(messages[:taken])
        if taken < len(messages):
            raise NotAccepted(messages[taken:], "too many requests")


def talker(count: int = 3) -> App:
    app = App("talker")

    @app.on(name="talk")
    def talk(event: Event[Asked]) -> Iterator[Heard]:
        for n in range(count):
            yield Heard(text=str(n))

    return app


def on(bus: StageBus, store: MeddledStore | None = None) -> Stage:
    stage = Stage(talker(), store=store)
    stage.bus = stage.engine.outbox.bus = bus
    return stage


def texts(stage: Stage) -> list[str]:
    return [stage.app.codec.decode(m.body).data.text for m in stage.bus.published]


def test_what_the_bus_did_not_accept_is_published_again_and_nothing_else() -> None:
    bus = MoodyBus(1, 1)
    stage = on(bus)
    stage.deliver(stage.app.codec.encode(stage.event(Asked())))
    assert bus.asked == [3, 2, 1]
    assert texts(stage) == ["0", "1", "2"]
    assert stage.again == []


def test_a_bus_that_does_not_accept_returns_the_delivery_and_the_decision_stands() -> None:
    bus = MoodyBus(1, 0, 0)
    stage = on(bus)
    body = stage.app.codec.encode(stage.event(Asked()))
    again = stage.deliver(body)
    assert again is not None
    assert again.reason == "the bus did not accept 2 event(s): too many requests"
    assert stage.deliver(body) is None
    assert sorted(set(texts(stage))) == ["0", "1", "2"]
    first, second = (m for m in bus.published if m.id == bus.published[0].id)
    assert first.body == second.body, "byte for byte the same"


def test_nothing_is_settled_before_it_was_published() -> None:
    store = MeddledStore()
    stage = on(MoodyBus(0, 0, 0), store)
    stage.say(Asked())
    record = stage.record("talk")
    assert (record.state, record.settled, len(record.out)) == ("committed", False, 3)


def test_a_run_that_says_nothing_is_settled_by_its_commit() -> None:
    app = App("silent")

    @app.on(name="hear")
    def hear(event: Event[Heard]) -> None:
        pass

    stage = Stage(app)
    extensions: dict[str, str | int | bool] = {
        "hop": 1,
        "correlationid": "00000000-0000-5000-8000-000000000000",
    }
    body = app.codec.encode(stage.event(Heard(), extensions=extensions))
    stage.engine.work(Delivery("1", body), "silent")
    stage.chain = str(extensions["correlationid"])
    assert stage.record("hear").settled


def test_settling_a_run_that_has_gone_on_leaves_it_alone() -> None:
    store = MeddledStore()
    stage = on(StageBus(), store)
    body = stage.app.codec.encode(stage.event(Asked()))
    stage.engine.work(Delivery("1", body), "talker")
    other = on(StageBus(), store)
    other.deliver(body)
    stage.engine.outbox.flush()
    stage.say(Asked())
    assert stage.record("talk").settled


def test_what_could_not_be_settled_is_kept_until_it_can() -> None:
    store = MeddledStore()
    stage = on(StageBus(), store)
    body = stage.app.codec.encode(stage.event(Asked()))
    stage.engine.work(Delivery("1", body), "talker")

    def throttle() -> None:
        raise Throttled("slow down")

    store.meddle("write", RUN, throttle)
    with pytest.raises(Throttled):
        stage.engine.outbox.flush()
    stage.engine.outbox.flush()
    stage.say(Asked())
    assert stage.record("talk").settled
    writes = store.writes
    stage.engine.outbox.flush()
    assert store.writes == writes, "once"


def test_a_chain_is_listed_once_under_its_day() -> None:
    stage = on(StageBus(), MeddledStore())
    chain = stage.say(Asked())
    stage.say(Asked())
    listed = stage.store.scan(index_partition(chain, stage.now))
    assert [item.key for item in listed] == [chain]


def test_nothing_to_publish_asks_nothing_of_the_bus() -> None:
    bus = MoodyBus()
    publish(bus, [])
    assert bus.asked == []


def test_what_is_marked_as_settled_twice_is_marked_once() -> None:
    stage = on(StageBus())
    stage.say(Asked())
    value = stage.record("talk").encode()
    assert Record.decode(value).settled
    assert settled(value) == value


def test_an_outgoing_event_reads_back_with_the_attributes_a_bus_filters_on() -> None:
    stage = on(MoodyBus(0, 0, 0))
    stage.say(Asked(), subject="s")
    stored: list[Outgoing] = stage.record("talk").out
    stage.engine.outbox.bus = fresh = StageBus()
    stage.deliver(stage.app.codec.encode(stage.event(Asked(), subject="s")))
    assert [m.attributes["subject"] for m in fresh.published] == ["s"] * 3
    assert all(name in fresh.published[0].attributes for name in ("id", "source", "type", "hop"))
    assert [o.message_id for o in stored] == [m.id for m in fresh.published]
