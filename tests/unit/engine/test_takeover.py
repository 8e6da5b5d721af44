"""Whoever takes a run over goes on from its record; whoever has lost it obeys what stands there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crosswind.actions import Call
from crosswind.app import App
from crosswind.context import Context
from crosswind.engine.dispatch import Again
from crosswind.engine.settings import Settings
from crosswind.handlers import Flight
from crosswind.records.identity import chain_id
from crosswind_events import Event

from .races import MeddledStore
from .stage import SOURCE, Stage
from .world import Asked, Heard, Over, Plant, ReadGauge, SetValve, fleet

LEASE, SKEW = 60.0, 5.0


class Killed(BaseException):
    """The process is gone."""


def setter() -> App:
    app = App("setter")

    @app.on(name="set", reads=[ReadGauge], acts=[SetValve])
    def set_valve(event: Event[Asked], ctx: Context) -> Over:
        level = ctx.observe(ReadGauge()).level
        first = ctx.act(SetValve(level=1)).level
        second = ctx.act(SetValve(level=2)).level
        return Over(text=f"{level}+{first}+{second}")

    return app


def pair() -> tuple[Stage, Stage, Plant, bytes]:
    """Two workers over one store and one bus, and an event for both."""
    store, plant = MeddledStore(), Plant()
    one, two = (Stage(setter(), fleet=fleet(), performers=[plant], store=store) for _ in range(2))
    two.bus = one.bus
    two.engine.outbox.bus = one.bus
    event = one.event(Asked())
    one.chain = two.chain = chain_id(event.source, event.id)
    return one, two, plant, one.app.codec.encode(event)


def when_level(level: int, then: Callable[[], object]) -> Callable[[Any, Call], None]:
    """Do something once, when the valve is first set to a level."""
    left = [then]

    def before(action: Any, call: Call) -> None:
        if action.level == level and left:
            left.pop()()

    return before


def kill() -> None:
    raise Killed


def killed_at(level: int) -> tuple[Stage, Stage, Plant, bytes]:
    """The first worker is killed in the action that sets the valve to a level."""
    one, two, plant, body = pair()
    plant.before = when_level(level, kill)
    with pytest.raises(Killed):
        one.deliver(body)
    return one, two, plant, body


def test_the_claim_of_a_dead_worker_is_respected_for_lease_and_skew() -> None:
    one, two, _, body = killed_at(1)
    claimed = one.record("set")
    assert claimed.lease == pytest.approx(one.now + LEASE)
    two.now = claimed.lease + SKEW - 0.1
    again = two.deliver(body)
    assert again is not None
    assert "another holds run" in again.reason
    assert two.now + again.after == pytest.approx(claimed.lease + SKEW, abs=0.01)
    two.now = claimed.lease + SKEW
    assert two.deliver(body) is None
    assert two.record("set").state == "committed"


def test_whoever_takes_over_is_given_what_was_seen_and_done() -> None:
    _, two, plant, body = killed_at(2)
    plant.level = 99
    two.now += LEASE + SKEW + 1
    assert two.deliver(body) is None
    assert two.said(Over)[0].data.text == "7+1+2"
    asked = [key for kind, key in plant.calls if kind == "valve.set"]
    assert asked[1] == asked[2], "the action under way is asked for again with its key"
    assert len(asked) == 3, "and the one that was done is not"


def test_a_holder_that_was_overtaken_in_its_action_obeys_what_stands_there() -> None:
    one, two, plant, body = pair()

    def overtake() -> None:
        two.now = one.now + LEASE + SKEW + 1
        two.deliver(body)

    plant.before = when_level(1, overtake)
    assert one.deliver(body) is None
    assert one.record("set").state == "committed"
    assert [e.data.text for e in one.said(Over)] == ["7+1+2"]
    assert len({key for _, key in plant.calls}) == 2


def test_a_failure_of_a_holder_that_was_overtaken_counts_for_nothing() -> None:
    one, two, plant, body = pair()

    def overtake_and_fail() -> None:
        two.now = one.now + LEASE + SKEW + 1
        two.deliver(body)
        raise OSError("the plant is gone")

    plant.before = when_level(1, overtake_and_fail)
    assert one.deliver(body) is None
    assert one.record("set").fails == []
    assert one.record("set").state == "committed"


def test_a_last_failure_of_a_holder_that_was_overtaken_counts_for_nothing() -> None:
    one, two, plant, body = pair()
    one.engine.runs.runtime.settings = Settings(attempts=1)

    def overtake_and_fail() -> None:
        two.now = one.now + LEASE + SKEW + 1
        two.deliver(body)
        raise OSError("the plant is gone")

    plant.before = when_level(1, overtake_and_fail)
    assert one.deliver(body) is None
    assert one.record("set").state == "committed"


def test_a_holder_does_not_call_a_performer_when_its_lease_is_nearly_over() -> None:
    _, two, plant, body = killed_at(1)
    two.now += LEASE + SKEW + 1
    calls = len(plant.calls)
    store = two.store
    assert isinstance(store, MeddledStore)

    def dawdle() -> None:
        two.now += LEASE - SKEW

    store.meddle("read", "head", dawdle)
    again = two.deliver(body)
    assert again == Again("the lease is over", LEASE)
    assert len(plant.calls) == calls


def test_a_call_may_last_as_long_as_the_lease_has_left() -> None:
    one, _, plant, body = pair()
    left: list[float] = []

    def note(action: Any, call: Call) -> None:
        left.append(call.timeout)
        one.now += 10

    plant.before = note
    one.deliver(body)
    assert left == [pytest.approx(LEASE - SKEW), pytest.approx(LEASE - SKEW)], "a claim each"


def test_two_workers_that_take_over_at_once_are_one() -> None:
    _, two, plant, body = killed_at(1)
    third = Stage(setter(), fleet=fleet(), performers=[plant], store=two.store)
    third.now = two.now = two.now + LEASE + SKEW + 1
    store = two.store
    assert isinstance(store, MeddledStore)
    store.meddle("write", " run:", lambda: third.deliver(body))
    assert two.deliver(body) is None
    assert len(plant.calls) == 3
    assert two.record("set").state == "committed"


def test_the_observations_of_a_run_that_is_taken_over_are_those_of_its_record() -> None:
    """Everything that a handler can ask is given back as it was answered first."""
    app, fails = App("memory"), [True]
    seen: list[dict[str, Any]] = []

    @app.on(name="first", flight=Flight("memory", key=lambda e: "it"), acts=[SetValve])
    def first(event: Event[Asked], ctx: Context) -> Over:
        seen.append(
            {
                "now": ctx.now(),
                "id": ctx.id("x"),
                "fleet": ctx.fleet.digest,
                "lock": ctx.lock,
                "evidence": [piece.id for piece in ctx.evidence()],
                "open": ctx.join("open", "a", ("a", "b"), 1),
                "full": ctx.join("full", "a", ("a",), {"n": 1}),
                "closed": ctx.close_join("open", ("a", "b")),
                "settled": ctx.settle("question", "yes"),
                "answered": ctx.answered("question"),
                "unanswered": ctx.answered("other"),
            }
        )
        ctx.act(SetValve(level=1))
        return Over()

    plant = Plant()

    def fail(action: Any, call: Call) -> None:
        if fails:
            fails.pop()
            raise OSError("not now")

    plant.before = fail
    stage = Stage(app, fleet=fleet(), performers=[plant])
    stage.say(Asked())
    stage.say(Asked(), id="2", source="//other.example.com")
    stage.chain = chain_id(SOURCE, "1")
    stage.pass_time(100)
    assert seen[0]["lock"] is not None
    assert seen[0]["open"] is None
    assert seen[0]["closed"].outcome == "timed-out"
    again = next(one for one in seen[1:] if one["now"] == seen[0]["now"])
    assert again == seen[0]


def test_a_chain_without_a_flight_has_no_lock_and_says_so_again() -> None:
    app, seen, fails = App("unlocked"), [], [True]

    @app.on(name="first")
    def first(event: Event[Asked]) -> Heard:
        return Heard()

    @app.on(name="second", acts=[SetValve])
    def second(event: Event[Heard], ctx: Context) -> None:
        seen.append((ctx.lock, len(ctx.evidence())))
        ctx.act(SetValve(level=1))
        if fails:
            fails.pop()
            raise OSError("not now")

    stage = Stage(app, fleet=fleet(), performers=[Plant()])
    stage.say(Asked())
    stage.pass_time(100)
    assert seen == [(None, 0), (None, 0)]


def test_code_that_ends_before_its_record_does_has_diverged() -> None:
    app, acts = App("shy"), [True]

    @app.on(name="set", acts=[SetValve])
    def set_valve(event: Event[Asked], ctx: Context) -> None:
        if acts:
            ctx.act(SetValve(level=len(acts)))

    plant = Plant()
    stage = Stage(app, fleet=fleet(), performers=[plant])

    def forget(action: Any, call: Call) -> None:
        acts.clear()
        raise OSError("no")

    plant.before = forget
    stage.say(Asked())
    stage.pass_time(100)
    assert "ended before act:valve.set" in stage.record("set").why
    assert len(plant.calls) == 1
