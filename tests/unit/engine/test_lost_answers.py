"""A write may succeed though its answer is lost, fail though it was sent, or land late."""

from __future__ import annotations

import os
from typing import Any

import pytest

from crosswind.actions import Call
from crosswind.app import App
from crosswind.context import Context
from crosswind.embedded.memory import MemoryStore
from crosswind.emissions import Branch, branch
from crosswind.errors import Conflict, Unreachable
from crosswind.ports import Put
from crosswind.records.ledger import Ledger, fresh_token
from crosswind.testing import Fault, FaultPlan, On
from crosswind.testing import Stage as Theatre
from crosswind_events import Event
from crosswind_events.catalogue.deadletter import DeadLettered

from .races import MeddledStore
from .stage import Stage
from .world import Asked, Heard, Over, Plant, SetValve, fleet


def setter() -> App:
    app = App("setter")

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> Heard:
        return Heard()

    @app.on(name="set", acts=[SetValve])
    def set_valve(event: Event[Heard], ctx: Context) -> Over:
        return Over(text=str(ctx.act(SetValve(level=4)).level))

    return app


def played(*rules: On) -> tuple[Theatre, Plant, FaultPlan]:
    plant, faults = Plant(), FaultPlan(*rules)
    stage = Theatre(setter(), fleet=fleet(), performers=[plant], faults=faults)
    stage.say(Asked())
    stage.pass_time(600)
    return stage, plant, faults


def as_if_nothing_had_happened(stage: Theatre, plant: Plant) -> None:
    """One committed run each, one effect, one end."""
    assert [(r.handler, r.state) for r in stage.records()] == [
        ("hear", "committed"),
        ("set", "committed"),
    ]
    assert list(plant.done.values()) == [4]
    assert [e.data.text for e in stage.said(Over)] == ["4"]
    head = stage.head()
    assert head is not None
    assert head.outcome == "completed"
    assert stage.said(DeadLettered) == []


WRITES = range(1, 9)
"""The chain's writes: two decisions and a claim, the index, and what settles them."""


def test_there_are_as_many_writes_as_the_tests_below_go_through() -> None:
    _, _, faults = played()
    assert len([c for c in faults.calls if c.method == "write"]) <= WRITES.stop - 1


@pytest.mark.parametrize("nth", WRITES)
@pytest.mark.parametrize("fault", ["lost", "unanswered", "late", "throttled"])
@pytest.mark.parametrize("times", [1, 3], ids=["once", "through-all-repeats"])
def test_any_write_may_be_lost_or_unanswered(nth: int, fault: Fault, times: int) -> None:
    stage, plant, _ = played(On("write", nth=nth, fault=fault, times=times))
    as_if_nothing_had_happened(stage, plant)


@pytest.mark.parametrize("nth", WRITES)
def test_any_write_may_land_long_after_it_was_given_up(nth: int) -> None:
    stage, plant, faults = played(On("write", nth=nth, fault="late", times=3))
    faults.land()
    stage.pass_time(600)
    as_if_nothing_had_happened(stage, plant)


@pytest.mark.parametrize("method", ["read", "scan"])
@pytest.mark.parametrize("fault", ["lost", "throttled"])
def test_any_read_may_be_lost(method: str, fault: Fault) -> None:
    for nth in range(1, 5):
        stage, plant, _ = played(On(method, nth=nth, fault=fault))
        as_if_nothing_had_happened(stage, plant)


@pytest.mark.parametrize("fault", ["killed", "killed-after"])
@pytest.mark.parametrize("method", ["write", "read", "publish", "perform"])
def test_a_process_may_die_at_any_call(method: str, fault: Fault) -> None:
    for nth in range(1, 9):
        stage, plant, _ = played(On(method, nth=nth, fault=fault))
        as_if_nothing_had_happened(stage, plant)


@pytest.mark.parametrize("fault", ["lost", "unanswered", "late", "throttled"])
def test_any_publication_may_be_lost_or_unanswered(fault: Fault) -> None:
    for nth in range(1, 4):
        stage, plant, _ = played(On("publish", nth=nth, fault=fault, times=4))
        as_if_nothing_had_happened(stage, plant)


@pytest.mark.parametrize("fault", ["lost", "unanswered", "late"])
def test_a_performer_may_not_answer(fault: Fault) -> None:
    stage, plant, faults = played(On("perform", fault=fault, times=2))
    faults.land()
    as_if_nothing_had_happened(stage, plant)
    assert len({key for _, key in plant.calls}) == 1


def test_a_run_whose_answer_was_lost_and_which_another_settled_stands() -> None:
    """The repeated write finds the head that it put, and a run that was written since."""
    store = MeddledStore()
    one, two = Stage(setter(), store=store), Stage(setter(), store=store)
    body = one.app.codec.encode(one.event(Asked()))

    def settle_and_vanish() -> None:
        two.now = one.now
        two.deliver(body)
        raise Unreachable("no answer")

    store.meddle("written", "run:", settle_and_vanish)
    assert one.deliver(body) is None
    one.say(Asked())
    assert one.record("hear").fails == []
    assert one.record("hear").state == "committed"


def test_a_branch_that_failed_without_an_answer_has_failed_once() -> None:
    app = App("fan")

    @app.on(name="out")
    def out(event: Event[Asked]) -> Branch[Heard]:
        return branch(Heard(), join="j", member="m")

    @app.on(name="work", attempts=1)
    def work(event: Event[Heard]) -> None:
        raise ValueError("no")

    faults = FaultPlan(On("write", nth=3, fault="unanswered", about="join:j:m:m"))
    stage = Theatre(app, faults=faults)
    stage.say(Asked())
    assert stage.record("work").state == "failed"
    assert len(stage.said(DeadLettered)) == 1


class TestLedger:
    """Each write is repeated with its token until it is known what became of it."""

    def ledger(self, *rules: On) -> tuple[Ledger, MemoryStore, FaultPlan]:
        from crosswind.testing import FaultyStore

        store, faults = MemoryStore(), FaultPlan(*rules)
        return Ledger(FaultyStore(store, faults), lambda: 0.0), store, faults

    def test_a_repeat_that_meets_its_own_write_has_succeeded(self) -> None:
        ledger, store, _ = self.ledger(On("write", fault="unanswered"))
        versions = ledger.write("p", [Put("a", b"1"), Put("b", b"2")])
        for key in ("a", "b"):
            item = store.read("p", key)
            assert item is not None
            assert versions[key] == item.version

    def test_a_repeat_that_meets_another_s_write_has_not(self) -> None:
        ledger, store, _ = self.ledger(On("write", fault="lost"))
        store.write("p", [Put("a", b"other")], "other")
        with pytest.raises(Conflict):
            ledger.write("p", [Put("a", b"1")])

    def test_what_is_never_answered_is_not_known(self) -> None:
        ledger, _, faults = self.ledger(On("write", fault="lost", times=9))
        with pytest.raises(Unreachable):
            ledger.write("p", [Put("a", b"1")])
        assert len(faults.calls) == 3

    def test_a_scan_goes_on_until_there_is_no_more(self) -> None:
        ledger, store, faults = self.ledger()
        for n in range(250):
            store.write("p", [Put(f"k{n:03}", b"")], "t")
        assert [item.key for item in ledger.scan("p", "k")] == [f"k{n:03}" for n in range(250)]
        assert len(faults.calls) == 3

    def test_no_two_writes_have_one_token_in_a_forked_process_either(self) -> None:
        mine = fresh_token()
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writer, fresh_token().encode())
            os._exit(0)
        os.waitpid(child, 0)
        theirs = os.read(reader, 100).decode()
        os.close(reader)
        os.close(writer)
        assert theirs
        assert theirs[:24] != mine[:24]
        assert fresh_token()[:24] == mine[:24]


def test_a_performer_that_is_asked_again_is_told_so() -> None:
    plant, attempts = Plant(), []

    def note(action: Any, call: Call) -> None:
        attempts.append(call.attempt)

    plant.before = note
    faults = FaultPlan(On("perform", fault="unanswered", times=2))
    stage = Theatre(setter(), fleet=fleet(), performers=[plant], faults=faults)
    stage.say(Asked())
    stage.pass_time(600)
    assert attempts == [1, 2, 3]
