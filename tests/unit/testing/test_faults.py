"""Ports fail as they are told, and as ports of clouds do."""

from __future__ import annotations

import pytest

from crosswind.actions import Call
from crosswind.embedded.memory import MemoryStore
from crosswind.errors import Conflict, DeclarationError, NotAccepted, Throttled, Unreachable
from crosswind.ports import Message, Put
from crosswind.testing import (
    Fault,
    FaultPlan,
    FaultyBus,
    FaultyPerformer,
    FaultyStore,
    Killed,
    On,
    Post,
)
from unit.testing.valve import Look, Turn, Turned, Valve, app

CHANGES = [Put("key", b"1")]


def message(name: str) -> Message:
    attributes: dict[str, str | int | bool] = {"id": name, "type": "com.example.asked.v1"}
    return Message(name, b"{}", attributes)


class TestStore:
    def test_without_a_fault_it_is_the_store_that_it_wraps(self) -> None:
        store = FaultyStore(MemoryStore(), FaultPlan())
        versions = store.write("p", CHANGES, "t")
        item = store.read("p", "key")
        assert item is not None
        assert item.version == versions["key"]
        assert [one.key for one in store.scan("p")] == ["key"]

    @pytest.mark.parametrize(
        ("fault", "error", "written"),
        [
            ("throttled", Throttled, False),
            ("lost", Unreachable, False),
            ("unanswered", Unreachable, True),
            ("late", Unreachable, False),
            ("killed", Killed, False),
            ("killed-after", Killed, True),
        ],
    )
    def test_a_write(self, fault: Fault, error: type[BaseException], written: bool) -> None:
        memory, faults = MemoryStore(), FaultPlan(On("write", fault=fault))
        store = FaultyStore(memory, faults)
        with pytest.raises(error):
            store.write("p", CHANGES, "t")
        assert (memory.read("p", "key") is not None) is written
        faults.land()
        assert (memory.read("p", "key") is not None) is (written or fault == "late")

    def test_a_conflict_whose_answer_is_lost_is_not_heard_of(self) -> None:
        store = FaultyStore(MemoryStore(), FaultPlan(On("write", 2, "unanswered")))
        store.write("p", CHANGES, "t")
        with pytest.raises(Unreachable):
            store.write("p", CHANGES, "u")
        with pytest.raises(Conflict):
            store.write("p", CHANGES, "v")

    def test_a_late_write_that_has_been_overtaken_changes_nothing(self) -> None:
        memory, faults = MemoryStore(), FaultPlan(On("write", fault="late"))
        store = FaultyStore(memory, faults)
        with pytest.raises(Unreachable):
            store.write("p", [Put("key", b"late")], "t")
        store.write("p", [Put("key", b"first")], "u")
        assert faults.land() == 1
        item = memory.read("p", "key")
        assert item is not None
        assert item.value == b"first"

    def test_a_read_is_never_late(self) -> None:
        faults = FaultPlan(On("read", fault="late"))
        with pytest.raises(Unreachable):
            FaultyStore(MemoryStore(), faults).read("p", "key")
        assert faults.held == []


class TestBus:
    @pytest.mark.parametrize(
        ("fault", "refused", "taken"),
        [
            ("none", [], ["a", "b", "c"]),
            ("throttled", ["b", "c"], ["a"]),
            ("lost", ["a", "b", "c"], []),
            ("unanswered", ["a", "b", "c"], ["a", "b", "c"]),
        ],
    )
    def test_publishing(self, fault: Fault, refused: list[str], taken: list[str]) -> None:
        post = Post([app()], lambda: 0.0)
        bus = FaultyBus(post, FaultPlan(On("publish", fault=fault)))
        said: list[str] = []
        try:
            bus.publish([message(name) for name in "abc"])
        except NotAccepted as error:
            said = [one.id for one in error.messages]
        assert said == refused
        assert [one.id for one in post.published] == taken


class TestPerformer:
    def test_an_action_that_is_not_answered_took_effect(self) -> None:
        valve = Valve()
        performer = FaultyPerformer(valve, FaultPlan(On("perform", fault="unanswered")))
        with pytest.raises(TimeoutError):
            performer.perform(Turn(level=3), Call("k", 1.0))
        assert performer.perform(Turn(level=3), Call("k", 1.0)) == Turned(level=3)
        assert valve.levels == {"k": 3}

    def test_it_may_ask_for_patience(self) -> None:
        faults = FaultPlan(On("perform", fault="throttled"), On("answer", fault="throttled"))
        performer = FaultyPerformer(Valve(), faults)
        with pytest.raises(ConnectionRefusedError):
            performer.perform(Turn(level=3), Call("k", 1.0))
        with pytest.raises(ConnectionRefusedError):
            performer.answer(Look(), 1.0)

    def test_it_says_what_it_performs_and_answers(self) -> None:
        performer = FaultyPerformer(Valve(), FaultPlan())
        assert (performer.performs, performer.answers) == ((Turn,), (Look,))


class TestPlans:
    def test_a_rule_counts_only_the_calls_that_it_is_about(self) -> None:
        store = FaultyStore(
            MemoryStore(), FaultPlan(On("write", 2, "throttled", times=2, about="chain:1"))
        )
        store.write("chain:2", CHANGES, "t")
        store.write("chain:1", CHANGES, "t")
        for _ in range(2):
            with pytest.raises(Throttled):
                store.write("chain:1", [Put("other", b"1")], "t")
        store.write("chain:1", [Put("other", b"1")], "t")

    def test_the_first_rule_decides(self) -> None:
        faults = FaultPlan(On("write", fault="throttled"), On("write", fault="lost"))
        with pytest.raises(Throttled):
            FaultyStore(MemoryStore(), faults).write("p", CHANGES, "t")
        assert [str(call) for call in faults.calls] == ["store.write(p key)"]

    def test_a_rule_that_cannot_be_is_refused(self) -> None:
        with pytest.raises(DeclarationError, match="there is no fault 'explodes'"):
            On("write", fault="explodes")  # type: ignore[arg-type]  # that is the point
        with pytest.raises(DeclarationError, match="count from 1"):
            On("write", nth=0)
