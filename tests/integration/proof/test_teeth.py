"""The proof has teeth: whatever is broken on purpose is found out, and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from crosswind.engine import acting
from crosswind.engine.dispatch import Engine
from crosswind.engine.flights import _Ask
from crosswind.engine.log import Log
from crosswind.engine.outbox import Outbox
from crosswind.engine.writer import RunWriter
from crosswind.errors import Returned
from crosswind.gate.brakes import Brakes
from crosswind.ports import Message
from crosswind.records.identity import name_id
from crosswind.records.record import Entry, State
from integration.proof.careless import Careless
from integration.proof.director import Director
from integration.proof.plans import Deed, Plan
from integration.proof.plant import Plant, Set
from integration.proof.promises import kept
from integration.proof.scenarios import SCENARIOS


def found(
    name: str,
    plans: Iterator[Plan],
    prepare: Callable[[Director], None] = lambda director: None,
    **made: Any,
) -> str:
    """What the first of these plans brings to light; empty if none does."""
    (scenario,) = [one for one in SCENARIOS if one.name == name]
    for plan in plans:
        director = Director(scenario, plan, **made)
        prepare(director)
        director.play()
        try:
            kept(director)
        except AssertionError as error:
            return str(error).partition(" by the plan:")[0]
    return ""


def each(kind: Any, calls: int = 40, *before: Deed, times: int = 1) -> Iterator[Plan]:
    for gap in range(calls):
        yield Plan((*before, Deed(gap, kind, times=times)))


class TestABadStore:
    def test_that_ignores_conditions_is_found_out(self) -> None:
        racing = each("switch", 20, Deed(0, "again"))
        said = found("relay", racing, store=Careless)
        assert "a run that is committed has changed" in said

    def test_that_loses_updates_of_counters_is_found_out(self) -> None:
        said = found("braked", each("switch", 30), store=lambda w: Careless(w, "fleet:"))
        assert "its uses sum to" in said


class TestABadPerformer:
    def test_that_does_not_recognise_its_keys_is_found_out(self) -> None:
        class Forgetful(dict[str, Any]):
            def __contains__(self, key: object) -> bool:
                return False

        def forget(director: Director) -> None:
            director.plant.done = Forgetful()

        said = found("valves", each("killed-after"), forget)
        assert "took effect 2 times" in said

    def test_that_says_another_thing_than_it_did_is_found_out(self) -> None:
        class Liar(Plant):
            def perform(self, action: Any, call: Any) -> Any:
                result = super().perform(action, call)
                assert isinstance(result, Set)
                return result.model_copy(update={"level": 99})

        def lie(director: Director) -> None:
            director.plant = Liar(director.plant.watch)

        assert "recorded with another result" in found("valves", iter([Plan()]), lie)


class TestABadEngine:
    def test_that_publishes_before_it_decides_is_found_out(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save = RunWriter.save
        directors: list[Director] = []

        def hasty(self: RunWriter, state: State, closing: str | None = None) -> None:
            if state == "committed":
                out = self.record.out
                messages = [Message(o.message_id, o.body, o.attributes, o.due) for o in out]
                directors[-1].post.publish(messages)
            save(self, state, closing)

        monkeypatch.setattr(RunWriter, "save", hasty)
        said = found("relay", each("killed"), directors.append)
        assert "was published with 2 bodies" in said

    def test_that_acknowledges_what_it_could_not_publish_is_found_out(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish = Outbox.publish

        def shrug(self: Outbox, out: Any) -> None:
            try:
                publish(self, out)
            except Returned:
                pass

        monkeypatch.setattr(Outbox, "publish", shrug)
        said = found("relay", each("lost", times=3))
        assert "was never published" in said

    def test_that_decides_without_a_look_at_the_brakes_is_found_out(self) -> None:
        def blind(*args: Any, **how: Any) -> Engine:
            engine = Engine(*args, **how)
            engine.runtime.gate.brakes = Brakes
            return engine

        said = found("valves", iter([Plan()]), engine=blind)
        assert "without a new look at the brakes" in said

    def test_that_remembers_how_the_brakes_were_is_found_out(self) -> None:
        def stale(*args: Any, **how: Any) -> Engine:
            engine = Engine(*args, **how)
            look = engine.runtime.gate.brakes
            first = look()

            def as_it_was() -> Brakes:
                look()
                return first

            engine.runtime.gate.brakes = as_it_was
            return engine

        freezes = (Plan((Deed(gap, "freeze", 5), Deed(0, "switch"))) for gap in range(20))
        said = found("valves", freezes, engine=stale)
        assert "who knew of a freeze" in said

    def test_that_takes_a_target_without_closing_its_chain_is_found_out(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_Ask, "_displace", lambda self, *args: None)
        said = found("queue", iter([Plan(), Plan((Deed(10, "switch"),))]))
        assert "open chains hold r1" in said

    def test_that_does_not_compare_what_it_does_with_what_it_did_is_found_out(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def trusting(self: Log, kind: str, args: Any) -> Entry | None:
            if self.position >= len(self.record.log):
                return None
            self.position += 1
            return self.record.log[self.position - 1]

        monkeypatch.setattr(Log, "recall", trusting)
        said = found("fickle", each("killed"))
        assert "the record says" in said

    def test_that_closes_a_chain_on_what_it_has_not_heard_is_found_out(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(RunWriter, "witness_head", lambda self: None)
        later = (
            Plan((Deed(gap, "wait", 3), Deed(0, "switch", pick)))
            for gap in range(20, 90)
            for pick in range(3)
        )
        assert "pieces of evidence" in found("ward", later)

    def test_that_asks_again_with_another_key_is_found_out(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys = count()
        monkeypatch.setattr(acting, "action_key", lambda *of: name_id("action", *of, next(keys)))
        said = found("valves", iter([Plan()]))
        assert "was asked for without a record of it" in said
