"""Single flight: one chain per target at a time, and nothing said to it is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import pytest

from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Later, later
from crosswind.handlers import Flight
from crosswind.ports import Change
from crosswind_events import Event, EventData

from .stage import CountingStore, Stage
from .world import Over, Plant, SetValve, fleet

LEASE_AND_SKEW = 65.0


class Sick(EventData, type="com.example.sick.v1"):
    who: str = "r1"


class Well(EventData, type="com.example.well.v1"):
    who: str = "r1"


class Due(EventData, type="com.example.due.v1"):
    pass


class Sure(EventData, type="com.example.sure.v1"):
    count: int


def ward(second: Literal["join", "supersede", "queue"] = "join", quorum: int = 2) -> App:
    """Weighs evidence; sure at a quorum, over when the timer comes."""
    app = App("ward")
    flight = Flight("ward", key=lambda e: e.data.who, second=second)

    def weigh(event: Event[Sick] | Event[Well], ctx: Context) -> Iterator[Sure | Later[Due]]:
        evidence = ctx.evidence()
        if len(evidence) >= quorum:
            ctx.settle("sure", "yes")
            yield Sure(count=len(evidence))
        elif len(evidence) == 1:
            yield later(Due(), 100, scope="wait")

    @app.on(name="weigh", flight=flight)
    def weigh_sick(event: Event[Sick], ctx: Context) -> Iterator[Sure | Later[Due]]:
        yield from weigh(event, ctx)

    @app.on(name="weigh-well", flight=flight)
    def weigh_well(event: Event[Well], ctx: Context) -> Iterator[Sure | Later[Due]]:
        yield from weigh(event, ctx)

    @app.on(name="due")
    def due(event: Event[Due], ctx: Context) -> Over:
        return Over(text="not sure")

    @app.on(name="act")
    def act(event: Event[Sure], ctx: Context) -> Over:
        return Over(text=f"sure by {event.data.count}")

    return app


def test_a_second_event_joins_the_chain_and_is_weighed_in_it() -> None:
    stage = Stage(ward())
    first = stage.say(Sick(), id="1", source="//a.example.com")
    stage.say(Sick(), id="2", source="//b.example.com")
    stage.chain = first
    assert [r.handler for r in stage.records()] == ["weigh", "weigh", "act"]
    (over,) = stage.said(Over)
    assert over.data.text == "sure by 2"
    head = stage.head(first)
    assert head is not None
    assert head.evidence == 2
    assert head.lock is not None
    assert (head.lock.target, head.lock.epoch) == ("r1", 1)


def test_other_targets_fly_on_their_own() -> None:
    stage = Stage(ward())
    a = stage.say(Sick(who="r1"), id="1")
    b = stage.say(Sick(who="r2"), id="2")
    assert [len(stage.records(chain)) for chain in (a, b)] == [1, 1]


def test_a_duplicate_of_a_joined_event_is_not_weighed_twice() -> None:
    stage = Stage(ward(quorum=3))
    first = stage.say(Sick(), id="1", source="//a.example.com")
    for _ in range(3):
        stage.say(Sick(), id="2", source="//b.example.com")
    head = stage.head(first)
    assert head is not None
    assert head.evidence == 2
    assert stage.said(Sure) == []


def test_a_chain_that_ends_frees_its_target_at_once_if_nothing_is_under_way() -> None:
    stage = Stage(ward())
    first = stage.say(Sick(), id="1", source="//a.example.com")
    stage.pass_time(101)
    assert [e.data.text for e in stage.said(Over)] == ["not sure"]
    second = stage.say(Sick(), id="2", source="//a.example.com")
    assert stage.record("weigh", second).state == "committed"
    head = stage.head(second)
    assert head is not None
    assert head.lock is not None
    assert head.lock.epoch == 2
    assert first != second


def hanging() -> tuple[Stage, str]:
    """A chain that has ended while one of its actions was under way, its worker dead."""
    app = App("hanging")
    flight = Flight("ward", key=lambda e: e.data.who)

    @app.on(name="weigh", flight=flight)
    def weigh(event: Event[Sick], ctx: Context) -> Iterator[Sure | Due | Later[Due]]:
        evidence = ctx.evidence()
        if event.data.who == "r1" and len(evidence) == 1:
            yield Sure(count=0)
            yield later(Due(), 1)

    @app.on(name="act", acts=[SetValve])
    def act(event: Event[Sure], ctx: Context) -> None:
        ctx.act(SetValve(level=1))

    @app.on(name="due")
    def due(event: Event[Due], ctx: Context) -> Over:
        return Over()

    plant = Plant()
    stage = Stage(app, fleet=fleet(), performers=[plant])

    def die(action: object, call: object) -> None:
        raise KeyboardInterrupt

    plant.before = die
    with pytest.raises(KeyboardInterrupt):
        stage.say(Sick(), id="1", source="//a.example.com")
    plant.before = None
    stage.pass_time(2)
    head = stage.head()
    assert head is not None
    assert head.outcome == "completed"
    return stage, stage.chain


def test_a_chain_that_ends_with_a_call_under_way_frees_its_target_after_lease_and_skew() -> None:
    stage, _ = hanging()
    second = stage.say(Sick(), id="2", source="//a.example.com")
    record = stage.record("weigh", second)
    assert record.state == "suspended"
    assert "has a call under way" in record.why
    stage.pass_time(LEASE_AND_SKEW)
    assert stage.record("weigh", second).state == "committed"


def test_events_that_wait_for_a_target_all_end_up_in_one_chain() -> None:
    stage, _ = hanging()
    chains = [stage.say(Sick(), id=str(n), source=f"//{n}.example.com", ago=0.5) for n in (2, 3, 4)]
    stage.pass_time(LEASE_AND_SKEW + 5)
    leaders = [c for c in chains if stage.head(c) is not None]
    assert len(leaders) == 1
    for chain in set(chains) - set(leaders):
        assert stage.record("weigh", chain).why == f"it joined chain {leaders[0]}"
    head = stage.head(leaders[0])
    assert head is not None
    assert head.evidence == 3


def test_a_duplicate_of_an_event_that_waits_is_acknowledged() -> None:
    stage, _ = hanging()
    event = stage.event(Sick(), id="2", source="//a.example.com")
    body = stage.app.codec.encode(event)
    assert stage.deliver(body) is None
    assert stage.deliver(body) is None


def test_chains_replaced_before_their_first_write_lose_no_event() -> None:
    """Each leader dies between lock and first write; then both events come again."""

    class Dies(CountingStore):
        dead = 2

        def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
            if self.dead and any(change.key.startswith("run:") for change in changes):
                self.dead -= 1
                raise KeyboardInterrupt
            return super().write(partition, changes, token)

    stage = Stage(ward(), store=Dies())
    bodies = []
    for name in ("a", "b"):
        event = stage.event(Sick(), id=name, source=f"//{name}.example.com")
        bodies.append(stage.app.codec.encode(event))
        with pytest.raises(KeyboardInterrupt):
            stage.deliver(bodies[-1])
    for body in bodies:
        assert stage.deliver(body) is None
    stage.play()
    assert [e.data.text for e in stage.said(Over)] == ["sure by 2"]


def test_what_a_source_has_taken_back_is_not_acted_on() -> None:
    stage = Stage(ward())
    stage.say(Well(), id="2", ago=1)
    late = stage.say(Sick(), id="1", ago=10)
    record = stage.record("weigh", late)
    assert record.state == "dropped"
    assert "com.example.well.v1 of r1 since" in record.why


def test_a_late_event_of_another_source_counts() -> None:
    stage = Stage(ward())
    first = stage.say(Well(), id="2", ago=1)
    stage.say(Sick(), id="1", ago=10, source="//other.example.com")
    assert len(stage.records(first)) == 3


def test_queue_waits_until_the_target_is_free() -> None:
    stage = Stage(ward(second="queue"))
    stage.say(Sick(), id="1")
    second = stage.say(Sick(), id="2", ago=0.5)
    assert stage.record("weigh", second).why.startswith("queued: r1 is held by")
    stage.pass_time(101 + LEASE_AND_SKEW + 5)
    assert stage.record("weigh", second).state == "committed"


def test_supersede_replaces_an_older_chain_and_an_older_event_loses() -> None:
    stage = Stage(ward(second="supersede"))
    old = stage.say(Sick(), id="1", ago=10)
    new = stage.say(Sick(), id="2", ago=5)
    head = stage.head(old)
    assert head is not None
    assert head.outcome == "superseded"
    late = stage.say(Sick(), id="3", ago=7)
    stage.pass_time(LEASE_AND_SKEW)
    assert stage.record("weigh", new).state == "committed"
    assert stage.record("weigh", late).state == "dropped"
    assert "works a newer event of r1" in stage.record("weigh", late).why
    stage.pass_time(50)
    assert stage.record("due", old).state == "dropped", "its timer outlived the chain"


def test_a_first_run_that_decides_nothing_frees_its_target() -> None:
    app = App("calm")

    @app.on(name="look", flight=Flight("look", key=lambda e: e.data.who))
    def look(event: Event[Sick]) -> Iterator[Sure]:
        if event.data.who == "never":
            yield Sure(count=0)

    stage = Stage(app)
    chain = stage.say(Sick())
    head = stage.head(chain)
    assert head is not None
    assert head.outcome == "nothing-to-do"


def test_a_key_that_cannot_be_is_a_failure_with_a_reason() -> None:
    app = App("keyless")

    @app.on(name="look", flight=Flight("look", key=lambda e: ""))
    def look(event: Event[Sick]) -> None:
        pass

    stage = Stage(app)
    stage.say(Sick())
    assert stage.record("look").state == "failed"
    assert "text of 1 to 500" in stage.record("look").why


def test_an_evidence_timer_that_races_with_evidence_weighs_it() -> None:
    """The end of a chain is conditional on the evidence that its handler has seen."""
    app = App("race")
    flight = Flight("race", key=lambda e: e.data.who)
    seen: list[int] = []

    @app.on(name="weigh", flight=flight)
    def weigh(event: Event[Sick], ctx: Context) -> Iterator[Later[Due]]:
        if len(ctx.evidence()) == 1:
            yield later(Due(), 10)

    @app.on(name="due")
    def due(event: Event[Due], ctx: Context) -> Over:
        seen.append(len(ctx.evidence()))
        if len(seen) == 1:
            body = app.codec.encode(stage.event(Sick(), id="2", source="//b.example.com"))
            assert stage.deliver(body) is None
        return Over(text=str(seen[-1]))

    stage = Stage(app)
    chain = stage.say(Sick())
    stage.pass_time(20)
    assert seen == [1, 2]
    assert [e.data.text for e in stage.said(Over)] == ["2"]
    head = stage.head(chain)
    assert head is not None
    assert head.outcome == "completed"
