"""What must hold is watched; what is broken on purpose is found out, and named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from crosswind.actions import Action, Answer, Call
from crosswind.app import App
from crosswind.context import Context
from crosswind.fleet import keys
from crosswind.fleet.state import Movement, RegionState, WorkloadState
from crosswind.gate.gate import Gate, Go
from crosswind.operations.endpoints import ScaleEndpoint
from crosswind.operations.traffic import SetWeights
from crosswind.ports import ABSENT, Put
from crosswind.records.head import Head
from crosswind.sim import Answering, Violation
from crosswind_events import Event, RegionUnhealthy
from unit.sim.fleets import A, B, C, trio
from unit.sim.plays import OUTAGE, Play

CAPACITY = {A: 4, B: 3, C: 2}


def write(play: Play, key: str, value: bytes) -> None:
    """Write to the register, past everything that would refuse it."""
    store, partition = play.simulation.store, keys.partition("trio")
    item = store.read(partition, key)
    store.write(partition, [Put(key, value, ABSENT if item is None else item.version)], "token")


def workload(play: Play, name: str = "chat", **state: Any) -> None:
    known = play.simulation.intended.workloads[name]
    fields = {"epoch": known.epoch + 1, "weights": known.weights, "capacity": known.capacity}
    write(
        play, keys.workload(name), WorkloadState(**{**fields, **state}).model_dump_json().encode()
    )


def leave(play: Play, *regions: str, **state: Any) -> None:
    for region in regions:
        marked = RegionState(state="evacuated", **state)
        write(play, keys.region(region), marked.model_dump_json().encode())


def moving(target: Mapping[str, float], planned: Mapping[str, int]) -> Movement:
    return Movement(
        plan="p", owner="o", priority="failover", start={}, target=target, planned=planned, until=0
    )


def rules(play: Play) -> set[str]:
    return {violation.rule for violation in play.invariants.check()}


class TestTheRegister:
    def test_what_it_writes_by_itself_breaks_nothing(self) -> None:
        play = Play(OUTAGE)
        play.run(3600)
        assert play.invariants.checked > 20

    @pytest.mark.parametrize(
        ("rule", "state"),
        [
            ("epochs", {"epoch": 3}),
            ("shares", {"weights": {A: 0.5, B: 0.3, C: 0.3}}),
            ("shares", {"weights": {A: 1.2, B: -0.2}}),
            ("quota", {"capacity": {**CAPACITY, A: 9}}),
            ("floor", {"weights": {A: 1.0, B: 0.0, C: 0.0}}),
            ("floor", {"moving": moving({A: 1.0}, {A: 4})}),
        ],
    )
    def test_a_state_that_must_not_be_is_found_out(self, rule: str, state: Any) -> None:
        play = Play()
        workload(play, **state)
        assert rule in rules(play)

    def test_requests_must_stay_under_the_law_that_is_allowed(self) -> None:
        fleet = trio()
        search = fleet.workloads["search"]
        standby = search.regions[A].model_copy(update={"weight": 0.0})
        wide = search.model_copy(update={"regions": {**search.regions, C: standby}})
        # Past the fleet's own checks, which refuse even a standby there.
        unchecked = fleet.model_copy(update={"workloads": {**fleet.workloads, "search": wide}})
        play = Play(fleet=unchecked)
        workload(play, "search", weights={A: 0.4, B: 0.4, C: 0.2})
        assert rules(play) == {"residency"}

    def test_requests_must_not_go_where_a_workload_is_not_declared(self) -> None:
        play = Play()
        workload(play, "search", weights={A: 0.5, B: 0.4, C: 0.1})
        assert rules(play) == {"placement"}

    def test_nothing_more_may_go_to_a_region_that_is_left(self) -> None:
        play = Play()
        leave(play, B)
        workload(play, weights={A: 0.4, B: 0.4, C: 0.2}, capacity=dict.fromkeys(CAPACITY, 8))
        assert "evacuated" in rules(play)

    def test_nor_to_one_that_fails_together_with_it(self) -> None:
        play = Play(fleet=trio("[grid:entsoe]", "[grid:miso]"))
        leave(play, B)
        workload(play, weights={A: 0.4, B: 0.2, C: 0.4}, capacity=dict.fromkeys(CAPACITY, 8))
        assert rules(play) == {"failing-domain"}

    def test_a_plan_is_held_to_where_it_leads(self) -> None:
        play = Play()
        leave(play, B)
        workload(play, moving=moving({A: 0.0, B: 1.0}, {B: 8}))
        assert {"evacuated", "floor", "all-regions-off"} <= rules(play)

    def test_not_all_regions_may_be_left(self) -> None:
        play = Play()
        leave(play, A, B, C)
        assert rules(play) == {"all-regions-off"}

    def test_no_more_may_be_reserved_than_a_region_has(self) -> None:
        play = Play()
        leave(play, A, reserved={"chat": 8, "search": 14})
        assert rules(play) == {"region-quota"}

    def test_gpus_are_counted_as_well(self) -> None:
        fleet = trio("    price: 4\n", "    price: 4\n    gpus: {h100: 8}\n")
        chat = fleet.workloads["chat"].model_copy(update={"gpu": "h100", "gpus_per_replica": 2})
        own = fleet.model_copy(update={"workloads": {**fleet.workloads, "chat": chat}})
        play = Play(fleet=own)
        leave(play, A, reserved={"chat": 5})
        assert rules(play) == {"gpus"}

    def test_answers_must_not_cost_more_to_send_than_they_may(self) -> None:
        play = Play(
            fleet=trio(
                "    gb_per_request: 0.00001\n",
                "    gb_per_request: 0.001\n    max_egress_usd_per_hour: 42\n",
            )
        )
        workload(play, weights={A: 0.4, B: 0.4, C: 0.2}, capacity=dict.fromkeys(CAPACITY, 8))
        assert rules(play) == {"egress"}

    def test_the_epoch_of_a_lock_never_falls(self) -> None:
        play = Play()
        for epoch in (b'{"epoch":4}', b'{"epoch":3}'):
            write(play, "target:region:aws", epoch)
        assert rules(play) == {"epochs"}


class TestTheWorld:
    def test_requests_are_only_sent_as_was_intended(self) -> None:
        play = Play()
        play.simulation.world.order_weights("chat", {A: 0.0, B: 1.0, C: 0.0}, epoch=1)
        (violation,) = play.invariants.check()
        assert violation.rule == "obeyed"
        assert str(violation).startswith("0.000 s: obeyed: chat: sent as")


class Done(Answer):
    """Nothing."""


class Meddle(Action[Done], kind="test.meddle"):
    """Something that does more than it says."""


class Meddler:
    """Asks for something else while it performs."""

    performs = (Meddle,)
    answers = ()

    def __init__(self) -> None:
        self.engine: Any = None

    def perform(self, action: Meddle, call: Call) -> Done:
        weights = SetWeights(workload="chat", weights={A: 1.0}, epoch=0)
        self.engine.runtime.performer(weights).perform(weights, Call("no such key", 1.0))
        return Done()

    def answer(self, query: Any, timeout: float) -> Any:
        raise TypeError(query)


def app(*acts: Action[Any]) -> App:
    """An app that takes some actions when a region fails."""
    own = App("own")

    @own.on(acts=[type(action) for action in acts])
    def react(event: Event[RegionUnhealthy], ctx: Context) -> None:
        for action in acts:
            ctx.act(action)

    return own


def played(play: Play) -> list[Violation]:
    play.simulation.say(RegionUnhealthy(region=A, evidence="operator", reason="smoke"))
    play.simulation.run(50)
    return list(play.invariants.check())


SCALE = ScaleEndpoint(workload="chat", region=A, replicas=6, epoch=0)


class TestTheGate:
    def test_what_is_not_on_record_must_not_be_asked_for(self) -> None:
        meddler = Meddler()
        play = Play(app=app(Meddle()), performers=[meddler])
        meddler.engine = play.simulation.engine
        found = {violation.rule for violation in played(play)}
        assert found == {"recorded", "obeyed"}

    @pytest.mark.parametrize(
        ("mode", "why"),
        [("observe", "its mode is observe"), ("propose", "nobody granted it")],
    )
    def test_nothing_passes_that_is_not_to_be_done(
        self, mode: str, why: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Gate, "decide", lambda *_: Go())
        play = Play(app=app(SCALE), fleet=trio("{default: act}", f"{{default: {mode}}}"))
        assert {(one.rule, one.why) for one in played(play)} == {("gate", why)}

    def test_nothing_passes_in_a_freeze(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Gate, "decide", lambda *_: Go())
        play = Play(app=app(SCALE))
        play.simulation.brakes.freeze("ann@example.com", "audit")
        assert {one.why for one in played(play)} == {"it is frozen by ann@example.com"}

    def test_what_is_let_through_is_no_violation(self) -> None:
        play = Play(app=app(SCALE))
        assert played(play) == []
        assert play.simulation.world.endpoint("chat", A).held == 6

    def test_what_was_granted_and_is_decided_anew_is_still_granted(self) -> None:
        asking = "modes: {default: act, kinds: {register.mark: propose}}"
        play = Play(
            OUTAGE, fleet=trio("modes: {default: act}", asking), people=Answering(100, spread=0)
        )
        play.run(4500)  # meanwhile more observers have said that the region is well
        assert play.outcomes == ["completed", "recovered"]

    def test_no_replicas_are_asked_for_where_a_region_was_left(self) -> None:
        play = Play(app=app(SCALE))
        leave(play, A, since=play.simulation.clock)
        play.simulation.run(10)
        assert {one.rule for one in played(play)} == {"left"}

    def test_every_chain_that_can_end_has_ended_by_its_deadline(self) -> None:
        play = Play()
        simulation = play.simulation
        head = Head(opened=simulation.clock, deadline=simulation.clock + 60)
        chain = "00000000-0000-5000-8000-000000000000"
        simulation.store.write(f"chain:{chain}", [Put("head", head.encode())], "token")
        simulation.run(600)
        assert not play.invariants.check()
        simulation.run(700)
        (violation,) = play.invariants.check()
        assert (violation.rule, violation.what) == ("deadline", chain)
