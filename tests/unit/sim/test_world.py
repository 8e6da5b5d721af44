"""The world goes its way: faults begin and end, orders take effect, observers see what they see."""

from __future__ import annotations

import pytest

from crosswind.sim import Fault, Faults, Nature, Order, World
from crosswind.sim import readings as see
from crosswind.sim.conditions import Change
from unit.sim.fleets import A, B, C, trio


def world(*faults: Fault, nature: Nature | None = None, seed: int = 1) -> World:
    return World(trio(), Faults(faults), seed, nature or Nature())


def at(moment: float, *faults: Fault) -> World:
    one = world(*faults)
    one.advance(moment)
    return one


def errors(one: World, workload: str = "chat", region: str = A) -> float:
    return one.steered.flows[workload, region].flow.error_rate


class TestFaults:
    def test_a_region_that_is_down_answers_nothing_while_it_lasts(self) -> None:
        one = world(Fault("outage", 10, 20, region=A))
        assert errors(one) < 0.001
        one.advance(10)
        assert errors(one) == 1
        assert one.conditions.unreachable(A)
        one.advance(20)
        assert errors(one) < 0.001

    def test_one_workload_can_fail_alone(self) -> None:
        one = at(15, Fault("outage", 10, 20, region=A, workload="search"))
        assert errors(one, "search") == 1
        assert errors(one, "chat") < 0.001
        assert not one.conditions.unreachable(A)

    @pytest.mark.parametrize(
        ("fault", "failing"),
        [
            (Fault("outage", 0, 9, domain="grid:miso"), {B}),
            (Fault("outage", 0, 9, cloud="azure"), {C}),
            (Fault("outage", 0, 9), {A, B, C}),
        ],
        ids=["domain", "cloud", "everywhere"],
    )
    def test_what_regions_share_fails_in_all_of_them(self, fault: Fault, failing: set[str]) -> None:
        one = at(5, fault)
        assert {region for region in (A, B, C) if errors(one, "chat", region) == 1} == failing

    def test_faults_that_overlap_add_up(self) -> None:
        one = at(
            6,
            Fault("brown-out", 0, 9, region=A, size=0.5),
            Fault("brown-out", 5, 7, region=A, size=0.5),
            Fault("slow", 5, 7, region=A, size=3),
            Fault("slow", 5, 8, region=A, size=2),
        )
        assert one.conditions.of(A, "chat") == (False, 0.75, 6)
        one.advance(8.5)
        assert one.conditions.of(A, "chat") == (False, 0.5, 1)

    def test_the_same_fault_twice_is_over_when_both_are(self) -> None:
        twice = [Fault("outage", 0, 9, region=A), Fault("outage", 0, 9, region=A)]
        one = at(5, *twice)
        assert errors(one) == 1
        one.advance(9)
        assert errors(one) < 0.001
        assert one.conditions.nominal

    def test_a_region_that_flaps_comes_and_goes(self) -> None:
        one = world(Fault("flapping", 0, 300, region=A, every=100, size=0.2))
        seen = []
        for moment in (10, 50, 110, 150, 210, 299, 301):
            one.advance(moment)
            seen.append(errors(one) == 1)
        assert seen == [True, False, True, False, True, False, False]

    def test_a_surge_is_more_than_a_region_has_room_for(self) -> None:
        one = at(5, Fault("surge", 0, 9, workload="chat", size=2))
        assert one.steered.flows["chat", A].flow.sent == 120
        assert errors(one) == pytest.approx(1 - 100 / 120, abs=1e-3)
        assert errors(one, "search") < 0.001

    def test_whoever_listens_is_told_of_every_change_in_its_moment(self) -> None:
        one = world(Fault("outage", 10, 20, region=A), Fault("slow", 10, 15, region=B))
        told: list[tuple[float, bool, str]] = []
        changes: list[Change] = []
        one.on_change(changes.append)
        one.on_change(lambda c: told.append((one.now, c.begins, c.fault.kind)))
        one.advance(100)
        assert told == [
            (10, True, "slow"),
            (10, True, "outage"),
            (15, False, "slow"),
            (20, False, "outage"),
        ]
        assert [change.at for change in changes] == [10, 10, 15, 20]


class TestOrders:
    def test_requests_go_where_they_are_sent(self) -> None:
        one = world()
        assert one.order_weights("chat", {A: 0.0, B: 0.6, C: 0.4}, epoch=1).applied
        assert one.steered.flows["chat", A].flow.sent == 0
        assert one.steered.flows["chat", B].flow.sent == 72
        assert one.untouched.flows["chat", A].flow.sent == 60

    def test_an_order_of_an_old_epoch_is_refused(self) -> None:
        one = world()
        one.order_weights("chat", {A: 0.0, B: 1.0, C: 0.0}, epoch=5)
        late = one.order_weights("chat", {A: 1.0, B: 0.0, C: 0.0}, epoch=4)
        assert (late.applied, late.epoch, late.weights[B]) == (False, 5, 1.0)
        one.order_replicas("chat", A, 5, epoch=5, key="k")
        assert one.order_replicas("chat", A, 8, epoch=4, key="l") is None
        assert one.endpoint("chat", A).held == 5

    def test_an_order_that_would_lose_requests_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"not declared in mars/one; the shares sum to 0\.9"):
            world().order_weights("chat", {A: 0.5, "mars/one": 0.4}, epoch=1)

    def test_whoever_listens_is_told_what_an_order_has_changed(self) -> None:
        one, told = world(), list[Order]()
        one.on_order(told.append)
        one.order_weights("chat", {A: 0.4, B: 0.4, C: 0.2}, epoch=1)
        one.order_replicas("chat", A, 5, epoch=1, key="k")
        one.order_replicas("chat", A, 5, epoch=0, key="l")
        assert [(order.region, order.after) for order in told] == [
            (None, {A: 0.4, B: 0.4, C: 0.2}),
            (A, 5),
        ]


class TestSameness:
    def test_the_same_faults_and_seed_make_the_same_world(self) -> None:
        def looks() -> list[int]:
            fault = Fault("brown-out", 0, 500, region=A, size=0.4)
            worlds = [world(fault, seed=seed) for seed in range(8)]
            for one in worlds:
                one.advance(7)
            return [see.probe(one, "chat", A, "us", 20).failed for one in worlds]

        assert looks() == looks()
        assert len(set(looks())) > 1

    def test_another_fault_elsewhere_changes_no_draw(self) -> None:
        fault = Fault("brown-out", 0, 500, region=A, size=0.4)
        alone, accompanied = at(7, fault), at(7, fault, Fault("slow", 0, 500, region=B))
        assert see.probe(alone, "chat", A, "us", 20) == see.probe(accompanied, "chat", A, "us", 20)


class TestProbes:
    def test_probes_of_a_region_that_is_well_are_all_answered(self) -> None:
        look = see.probe(at(5), "chat", A, "us", 20)
        assert (look.sent, look.failed) == (20, 0)
        assert look.median_ms is not None
        assert look.fastest_ms is not None
        assert look.fastest_ms < look.median_ms < 100

    def test_probes_of_a_region_that_is_down_all_fail(self) -> None:
        look = see.probe(at(5, Fault("outage", 0, 9, region=A)), "chat", A, "us", 3)
        assert look == (3, 3, None, None)

    def test_probes_see_a_brown_out_in_proportion(self) -> None:
        one = at(5, Fault("brown-out", 0, 9, region=A, size=0.3))
        assert see.failing_probes(one, "chat", A, "us") == pytest.approx(0.3, abs=1e-3)

    def test_probes_see_a_region_that_nobody_is_sent_to(self) -> None:
        one = at(5, Fault("outage", 0, 9, region=A))
        one.order_weights("chat", {A: 0.0, B: 0.6, C: 0.4}, epoch=1)
        assert see.failing_probes(one, "chat", A, "us") == 1
        one.advance(10)
        assert see.failing_probes(one, "chat", A, "us") == 0

    def test_a_false_alarm_is_seen_from_its_vantage_alone(self) -> None:
        one = at(5, Fault("false-alarm", 0, 9, region=A, vantage="us"))
        assert see.failing_probes(one, "chat", A, "us") == 1
        assert see.failing_probes(one, "chat", A, "eu") == 0
        assert errors(one) < 0.001

    def test_a_blind_probe_sees_no_outage(self) -> None:
        one = at(5, Fault("outage", 0, 9, region=A), Fault("blind-probe", 0, 9, region=A))
        assert see.probe(one, "chat", A, "us", 3).failed == 0
        assert errors(one) == 1

    def test_a_region_that_is_far_too_slow_does_not_answer_in_time(self) -> None:
        one = at(5, Fault("slow", 0, 9, region=A, size=200))
        assert see.failing_probes(one, "chat", A, "us") > 0.9


class TestTelemetry:
    def test_it_counts_what_has_flowed_in_the_window(self) -> None:
        one = at(30, Fault("outage", 20, 99, region=A))
        seen = see.telemetry(one, "chat", 20)[A]
        assert (seen.requests, seen.errors) == (1200, 600)
        assert seen.median_ms == pytest.approx(85, abs=5)

    def test_late_it_shows_the_past(self) -> None:
        one = at(
            30, Fault("outage", 20, 99, region=A), Fault("late-telemetry", 0, 99, region=A, size=15)
        )
        assert see.telemetry(one, "chat", 10)[A].errors == 0
        assert see.measured_until(one, "chat") == 15
        one.advance(45)
        assert see.telemetry(one, "chat", 10)[A].errors == 600

    def test_stale_it_stands_still(self) -> None:
        one = at(60, Fault("outage", 20, 99, region=A), Fault("stale-telemetry", 15, 70, region=A))
        assert see.telemetry(one, "chat", 10)[A].errors == 0
        one.advance(71)
        assert see.telemetry(one, "chat", 10)[A].errors == 600

    def test_missing_it_does_not_name_the_region(self) -> None:
        one = at(60, Fault("missing-telemetry", 15, 99, region=A, workload="chat"))
        assert set(see.telemetry(one, "chat", 10)) == {B, C}
        assert set(see.telemetry(one, "search", 10)) == {A, B}

    def test_wrong_it_shows_what_is_not_the_case(self) -> None:
        one = at(60, Fault("wrong-telemetry", 15, 99, region=A, size=0.5))
        assert see.telemetry(one, "chat", 10)[A].errors == 300
        assert errors(one) < 0.001

    def test_an_outage_is_measured_as_users_saw_it(self) -> None:
        one = at(100, Fault("outage", 20, 50, region=A))
        assert see.outage(one, "chat", 0, 0.01) == (20, 50, 1800, 12_000)
        assert see.outage(one, "chat", 60, 0.01) == (None, None, 0, 4_800)
        assert see.outage(at(55, Fault("outage", 20, 50, region=A)), "chat", 0, 0.01)[:2] == (
            20,
            None,
        )
