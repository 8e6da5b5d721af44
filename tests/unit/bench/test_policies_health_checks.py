"""DNS failover by health check, as it is modelled after Route 53's rules."""

from __future__ import annotations

import pytest

from bench.policies.fleet import NATURE, PLACES, WORKLOAD, fleet
from bench.policies.healthchecks import Caches, Checker, DnsFailover, HealthCheck, answered
from crosswind.sim import Accounts, Fault, Faults, World

EAST = "aws/us-east-1"
BEGINS = 600.0


def opinions(checker: Checker, results: str) -> str:
    """What a checker says after each result: `x` failed, `.` answered; `U`nhealthy, `H`ealthy."""
    return "".join("H" if checker.saw(failed=result == "x") else "U" for result in results)


def test_a_checker_calls_an_endpoint_unhealthy_after_three_failures_in_a_row() -> None:
    assert opinions(Checker(), "xxxx") == "HHUU"


def test_a_success_in_between_begins_the_count_anew() -> None:
    assert opinions(Checker(), "xx.xx.xx") == "HHHHHHHH"


def test_a_checker_calls_it_healthy_again_after_three_successes_in_a_row() -> None:
    assert opinions(Checker(), "xxx..x...") == "HHUUUUUUH"


def test_the_failure_threshold_can_be_another() -> None:
    assert opinions(Checker(threshold=1), "x.x") == "UHU"


@pytest.mark.parametrize(("healthy", "verdict"), [(16, True), (3, True), (2, False), (0, False)])
def test_an_endpoint_is_healthy_while_more_than_18_percent_of_its_checkers_say_so(
    healthy: int, verdict: bool
) -> None:
    checkers = [Checker(healthy=number < healthy) for number in range(16)]
    assert HealthCheck(checkers).healthy is verdict


def test_healthy_records_share_the_requests_by_their_weights() -> None:
    declared = {"a": 0.5, "b": 0.3, "c": 0.2}
    assert answered(declared, {"b", "c"}) == pytest.approx({"a": 0.0, "b": 0.6, "c": 0.4})


def test_where_no_record_is_healthy_all_are_answered() -> None:
    assert answered({"a": 0.5, "b": 0.5}, ()) == {"a": 0.5, "b": 0.5}


def test_users_move_evenly_while_their_cached_answers_run_out() -> None:
    world = World(fleet())
    caches = Caches(world, ttl=60.0)
    everywhere_else = answered(
        world.fleet.workloads[WORKLOAD].weights, set(fleet().regions) - {EAST}
    )
    world.advance(100.0)
    caches.answer(everywhere_else)
    assert share(world) == 0.2  # everybody has just asked
    run(world, caches, 130.0)
    assert share(world) == pytest.approx(0.1)
    run(world, caches, 160.0)
    assert share(world) == pytest.approx(0.0)


def test_behind_a_balancer_all_move_at_once() -> None:
    world = World(fleet())
    caches = Caches(world, ttl=0.0)
    caches.answer(answered(world.fleet.workloads[WORKLOAD].weights, set(fleet().regions) - {EAST}))
    assert share(world) == 0.0


def test_another_answer_replaces_the_one_that_is_still_spreading() -> None:
    world = World(fleet())
    caches = Caches(world, ttl=60.0)
    declared = world.fleet.workloads[WORKLOAD].weights
    caches.answer(answered(declared, set(declared) - {EAST}))
    run(world, caches, 30.0)
    caches.answer(declared)
    run(world, caches, 90.0)
    assert share(world) == pytest.approx(0.2)


@pytest.mark.parametrize(("every", "soonest", "latest"), [(30.0, 60.0, 90.0), (10.0, 20.0, 30.0)])
def test_a_region_that_is_dead_is_left_after_three_failures_and_the_time_to_live(
    every: float, soonest: float, latest: float
) -> None:
    _, accounts = played(Fault("outage", BEGINS, 3600, region=EAST), every=every)
    (outage,) = accounts.outages.outages
    assert outage.detection is not None
    assert soonest <= outage.detection <= latest
    assert outage.recovery == pytest.approx(outage.detection + 60.0)
    assert outage.complete


def test_it_returns_by_itself_when_the_region_is_well_again() -> None:
    world, accounts = played(Fault("outage", BEGINS, 1200, region=EAST))
    (failover,) = accounts.outages.failovers
    assert failover.back is not None
    assert 60.0 < failover.back - 1200 <= 160.0
    assert share(world) == pytest.approx(0.2)


def test_networks_that_fail_in_six_of_eight_places_leave_no_region() -> None:
    faults = [
        Fault("false-alarm", BEGINS, 2400, region=EAST, vantage=place) for place in PLACES[:6]
    ]
    _, accounts = played(*faults)
    assert not accounts.outages.failovers


def test_a_check_that_is_broken_leaves_a_region_that_is_well() -> None:
    _, accounts = played(Fault("false-alarm", BEGINS, 2400, region=EAST))
    assert [one.truth for one in accounts.outages.failovers] == ["false"]


def test_one_checker_alone_is_misled_by_its_own_network() -> None:
    fault = Fault("false-alarm", BEGINS, 2400, region=EAST, vantage=PLACES[0])
    _, accounts = played(fault, places=PLACES[:1], each=1)
    assert [one.truth for one in accounts.outages.failovers] == ["false"]


@pytest.mark.parametrize("kind", ["brown-out", "slow"])
def test_a_region_that_fails_in_part_or_is_slow_is_not_seen(kind: str) -> None:
    made = {
        "brown-out": Fault("brown-out", BEGINS, 2400, region=EAST, size=0.2),
        "slow": Fault("slow", BEGINS, 2400, region=EAST, size=10),
    }
    _, accounts = played(made[kind])
    assert not accounts.outages.failovers


def test_where_every_region_fails_nobody_is_moved() -> None:
    world, accounts = played(Fault("outage", BEGINS, 2400))
    assert world.steered.weights[WORKLOAD] == fleet().workloads[WORKLOAD].weights
    assert not accounts.outages.failovers


def played(*faults: Fault, **how: object) -> tuple[World, Accounts]:
    """A world of 4,000 s under some faults, steered by health checks."""
    world = World(fleet(vantages=len(PLACES)), Faults(faults), seed=3, nature=NATURE)
    accounts = Accounts(world)
    world.advance(300.0)
    steering = DnsFailover(world, accounts, 300.0, **how)  # type: ignore[arg-type]  # of each case
    while (at := steering.next()) <= 4000.0:
        world.advance(at)
        steering.act()
    return world, accounts


def run(world: World, caches: Caches, until: float) -> None:
    while (at := caches.next()) <= until:
        world.advance(at)
        caches.act()
    world.advance(until)


def share(world: World) -> float:
    return world.steered.weights[WORKLOAD][EAST]
