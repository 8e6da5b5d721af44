"""The performer of a simulated world: every kind is carried out, and calls fail as they do."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest

import crosswind.operations
from crosswind.actions import Action, Call, Pending, Query
from crosswind.operations.endpoints import (
    EndpointStates,
    EndpointStatus,
    Scaled,
    ScaleEndpoint,
)
from crosswind.operations.keys import DisableKey, EnableKey, KeyStatus, RotateKey
from crosswind.operations.notification import Notify
from crosswind.operations.secrets import (
    PromoteSecret,
    RenewSecret,
    RetireSecret,
    SecretVersions,
)
from crosswind.operations.spend import ReadSpend
from crosswind.operations.telemetry import (
    MeasureOutage,
    Probed,
    ProbeEndpoint,
    ReadTelemetry,
    Telemetry,
)
from crosswind.operations.traffic import CurrentWeights, SetWeights, WeightsSet
from crosswind.sim import START, Fault, Faults, Nature, SimulatedPerformer, World
from unit.sim.fleets import A, B, C, trio

Later = list[tuple[float, Callable[[], None]]]


class Stand:
    """A world and its performer, with what is put off."""

    def __init__(self, *faults: Fault, seed: int = 1) -> None:
        self.later: Later = []
        self.world = World(trio(), Faults(faults), seed, Nature(start_up_spread=0.0))
        self.performer = SimulatedPerformer(
            self.world, START, lambda seconds, effect: self.later.append((seconds, effect))
        )
        self.world.advance(1)

    def do(self, action: Any, key: str = "key", attempt: int = 1) -> Any:
        return self.performer.perform(action, Call(key, 50.0, attempt))

    def ask(self, query: Any) -> Any:
        return self.performer.answer(query, 50.0)


def away(epoch: int = 1) -> SetWeights:
    return SetWeights(workload="chat", weights={A: 0.0, B: 0.6, C: 0.4}, epoch=epoch)


def more(replicas: int = 6, epoch: int = 1, region: str = A) -> ScaleEndpoint:
    return ScaleEndpoint(workload="chat", region=region, replicas=replicas, epoch=epoch)


def kinds(base: type[Any]) -> set[type[Any]]:
    found = set()
    for module in pkgutil.iter_modules(crosswind.operations.__path__):
        for one in vars(import_module(f"crosswind.operations.{module.name}")).values():
            if isinstance(one, type) and issubclass(one, base) and getattr(one, "kind", None):
                found.add(one)
    return found


def test_every_kind_of_operation_is_carried_out() -> None:
    assert set(SimulatedPerformer.performs) == kinds(Action)
    assert set(SimulatedPerformer.answers) == kinds(Query)


class TestActions:
    def test_traffic_is_moved(self) -> None:
        stand = Stand()
        done = stand.do(away())
        assert done == WeightsSet(applied=True, epoch=1, weights={A: 0.0, B: 0.6, C: 0.4})
        assert stand.ask(CurrentWeights(workload="chat")).weights == done.weights

    def test_a_repeated_key_gets_the_first_answer_and_changes_nothing(self) -> None:
        stand = Stand()
        first = stand.do(away())
        stand.do(SetWeights(workload="chat", weights={A: 1.0}, epoch=2), key="other")
        assert stand.do(away()) == first
        assert stand.world.steered.weights["chat"] == {A: 1.0}

    def test_a_lower_epoch_is_refused_with_what_is_in_force(self) -> None:
        stand = Stand()
        stand.do(away(epoch=3))
        late = stand.do(SetWeights(workload="chat", weights={A: 1.0}, epoch=2), key="other")
        assert (late.applied, late.epoch, late.weights[B]) == (False, 3, 0.6)
        assert "epoch 3" in late.reason

    def test_replicas_are_under_way_until_they_serve(self) -> None:
        stand = Stand()
        assert isinstance(stand.do(more()), Pending)
        stand.world.advance(20)
        pending = stand.do(more(), attempt=2)
        assert isinstance(pending, Pending)
        assert "4 of 6" in pending.note
        stand.world.advance(40)
        assert stand.do(more(), attempt=3) == Scaled(requested=6, granted=6, ready=6)

    def test_less_is_granted_where_there_is_less(self) -> None:
        stand = Stand(Fault("stockout", 0, 99, region=A, size=0))
        assert stand.do(more()) == Scaled(
            requested=6, granted=4, ready=4, reason=f"{A} is out of capacity"
        )

    def test_a_newer_order_takes_the_place_of_one_under_way(self) -> None:
        stand = Stand()
        stand.do(more(6, epoch=1), key="first")
        stand.do(more(5, epoch=2), key="second")
        first = stand.do(more(6, epoch=1), key="first")
        assert (first.granted, "epoch 2" in first.reason) == (5, True)
        assert stand.do(more(7, epoch=1), key="third").granted == 5

    def test_a_workload_is_not_scaled_where_it_is_not_declared(self) -> None:
        action = ScaleEndpoint(workload="search", region=C, replicas=1, epoch=1)
        with pytest.raises(LookupError, match="search is not declared"):
            Stand().do(action)

    def test_people_are_told_once(self) -> None:
        stand = Stand()
        stand.do(Notify(title="down"))
        stand.do(Notify(title="down"))
        assert [notice.title for notice in stand.performer.told] == ["down"]

    def test_what_is_no_operation_is_an_error(self) -> None:
        with pytest.raises(TypeError):
            Stand().ask(object())


class TestCalls:
    def test_a_region_that_is_down_takes_no_orders(self) -> None:
        stand = Stand(Fault("outage", 0, 99, region=A))
        with pytest.raises(ConnectionError, match="takes no orders"):
            stand.do(more())
        assert stand.do(away()).applied

    def test_a_control_plane_may_fail_alone(self) -> None:
        stand = Stand(Fault("control-plane", 0, 99, region=A))
        with pytest.raises(ConnectionError):
            stand.do(more())
        states = stand.ask(EndpointStatus(workload="chat", regions=(A, B))).states
        assert (states[A].reachable, states[B].reachable) == (False, True)
        assert stand.world.failing("chat", A) < 0.001

    def test_a_call_that_fails_has_no_effect(self) -> None:
        stand = Stand(Fault("call-fails", 0, 99, action="traffic.*"))
        with pytest.raises(ConnectionRefusedError):
            stand.do(away())
        assert stand.world.epochs["chat"] == 0
        assert isinstance(stand.do(more()), Pending), "another kind of action"

    def test_a_share_of_the_calls_fails_and_repeating_helps(self) -> None:
        stand = Stand(Fault("call-fails", 0, 99, size=0.5))
        outcomes = []
        for attempt in range(1, 40):
            try:
                stand.do(away(), attempt=attempt)
                outcomes.append(True)
            except ConnectionRefusedError:
                outcomes.append(False)
        assert 8 < sum(outcomes) < 32

    def test_an_answer_may_be_lost_after_the_effect(self) -> None:
        stand = Stand(Fault("call-unanswered", 0, 99))
        with pytest.raises(TimeoutError):
            stand.do(away())
        assert stand.world.epochs["chat"] == 1

    def test_a_call_that_lands_late_lands_under_its_old_epoch_and_is_refused(self) -> None:
        stand = Stand(Fault("call-late", 0, 5, size=60))
        with pytest.raises(TimeoutError):
            stand.do(away(epoch=1))
        assert stand.world.epochs["chat"] == 0
        stand.world.advance(6)
        stand.do(SetWeights(workload="chat", weights={A: 1.0}, epoch=2), key="newer")
        ((seconds, land),) = stand.later
        assert seconds == 60
        land()
        assert stand.world.steered.weights["chat"] == {A: 1.0}

    def test_a_call_may_hang_until_the_fault_is_over(self) -> None:
        stand = Stand(Fault("call-hangs", 0, 30))
        assert isinstance(stand.do(away()), Pending)
        stand.world.advance(31)
        assert stand.do(away(), attempt=2).applied

    def test_what_stands_in_no_region_meets_only_what_is_everywhere(self) -> None:
        stand = Stand(Fault("call-fails", 0, 99, region=A))
        assert stand.do(away()).applied
        with pytest.raises(ConnectionRefusedError):
            stand.do(more())


class TestQueries:
    def test_endpoints_are_told_as_they_are(self) -> None:
        stand = Stand(Fault("outage", 0, 99, region=B))
        stand.do(more())
        seen: EndpointStates = stand.ask(EndpointStatus(workload="chat", regions=(A, B)))
        assert (seen.states[A].ready, seen.states[A].starting, seen.states[A].quota) == (4, 2, 8)
        assert not seen.states[B].reachable

    def test_a_workload_that_is_down_alone_has_no_ready_replica(self) -> None:
        stand = Stand(Fault("outage", 0, 99, region=A, workload="chat"))
        state = stand.ask(EndpointStatus(workload="chat", regions=(A,))).states[A]
        assert (state.reachable, state.ready) == (True, 0)

    def test_probes_say_how_soon_they_were_answered(self) -> None:
        seen: Probed = Stand().ask(ProbeEndpoint(workload="chat", region=A, count=3, vantage="us"))
        assert (seen.sent, seen.failed, seen.error) == (3, 0, "")
        assert seen.fastest is not None
        assert seen.latency is not None

    def test_telemetry_tells_of_all_windows_and_up_to_when(self) -> None:
        stand = Stand(Fault("late-telemetry", 0, 999, region=A, size=10))
        stand.world.advance(100)
        seen: Telemetry = stand.ask(
            ReadTelemetry(workload="chat", seconds=10, windows=(60.0,), slower_than=800)
        )
        assert seen.regions[A].requests == 600
        assert seen.regions[A].slow == 0
        assert seen.windows[0].regions[B].requests == 36 * 60
        assert seen.until == START + 90

    def test_slow_answers_are_counted_against_the_objective_only(self) -> None:
        stand = Stand()
        stand.world.advance(100)
        assert stand.ask(ReadTelemetry(workload="chat", slower_than=10)).regions[A].slow is None
        seen = stand.ask(ReadTelemetry(workload="chat"))
        assert (seen.regions[A].slow, seen.until) == (None, None)

    def test_outages_are_told_in_the_time_of_the_clock(self) -> None:
        stand = Stand(Fault("outage", 20, 50, region=A))
        stand.world.advance(100)
        seen = stand.ask(MeasureOutage(workload="chat", since=START))
        assert (seen.began, seen.ended) == (START + 20, START + 50)


class TestSecretsAndKeys:
    def test_a_secret_is_renewed_promoted_and_its_old_version_retired(self) -> None:
        stand = Stand()
        first = stand.ask(SecretVersions(secret="api")).of("current")
        made = stand.do(RenewSecret(secret="api"), "renew").version
        assert stand.do(RenewSecret(secret="api"), "renew").version == made
        assert stand.ask(SecretVersions(secret="api")).of("pending") == made
        promote = PromoteSecret(secret="api", version=made, over=first)
        assert stand.do(promote, "promote").promoted
        state = stand.ask(SecretVersions(secret="api"))
        assert (state.of("current"), state.of("previous"), state.of("pending")) == (
            made,
            first,
            None,
        )
        assert stand.do(RetireSecret(secret="api", version=first), "retire").retired
        assert stand.ask(SecretVersions(secret="api")).versions == {made: ("current",)}

    def test_a_version_is_promoted_only_over_the_one_that_is_current(self) -> None:
        stand = Stand()
        made = stand.do(RenewSecret(secret="api"), "renew").version
        late = stand.do(PromoteSecret(secret="api", version=made, over="another"), "late")
        assert (late.promoted, late.reason) == (False, "version first is current, not another")
        none = stand.do(PromoteSecret(secret="api", version="unknown", over="first"), "none")
        assert (none.promoted, none.reason) == (False, "there is no version unknown")
        again = stand.do(PromoteSecret(secret="api", version="first", over="first"), "again")
        assert again.promoted

    def test_a_pending_version_may_be_retired_and_the_current_one_never(self) -> None:
        stand = Stand()
        made = stand.do(RenewSecret(secret="api"), "renew").version
        assert not stand.do(RetireSecret(secret="api", version="first"), "never").retired
        assert stand.do(RetireSecret(secret="api", version=made), "retire").retired
        assert stand.ask(SecretVersions(secret="api")).of("pending") is None

    def test_a_key_is_rotated_once_a_call_and_may_be_disabled(self) -> None:
        stand = Stand()
        for _ in range(2):
            assert stand.do(RotateKey(key="data"), "rotate").rotations == 1
        assert stand.ask(KeyStatus(key="data")).rotated == START + 1
        assert stand.do(DisableKey(key="data"), "off").state == "disabled"
        assert not stand.ask(KeyStatus(key="data")).enabled
        assert stand.do(EnableKey(key="data"), "on").enabled


class TestSpend:
    def test_days_cost_what_replicas_have_cost_in_them(self) -> None:
        stand, other = Stand(), Stand()
        begun = datetime.fromtimestamp(START, UTC).date()
        first, second = begun + timedelta(days=1), begun + timedelta(days=2)
        morning = (datetime.combine(first, time.min, UTC)).timestamp() - START
        for one in (stand, other):
            one.world.advance(morning + 43_200)
        stand.do(more(5, region=B))  # two more, at 3 USD an hour, for half a day
        for one in (stand, other):
            one.world.advance(morning + 86_400 + 3_600)
        day, less = (one.ask(ReadSpend(begins=first, ends=second)) for one in (stand, other))
        assert day.workloads["chat"] - less.workloads["chat"] == Decimal(12 * 2 * 3)
        assert (day.currency, day.estimated) == ("USD", False)
        assert day.total == sum(day.workloads.values())
        halves = stand.ask(ReadSpend(begins=begun, ends=second + timedelta(days=1)))
        assert halves.estimated
        assert halves.total > day.total

    def test_days_before_the_beginning_cost_nothing(self) -> None:
        day = datetime.fromtimestamp(START, UTC).date() - timedelta(days=9)
        spent = Stand().ask(ReadSpend(begins=day, ends=day + timedelta(days=2)))
        assert spent.total == 0
