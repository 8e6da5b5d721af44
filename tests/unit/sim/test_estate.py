"""Replicas: what a region grants, when they serve, and what they cost."""

from __future__ import annotations

import pytest

from crosswind.fleet.declaration import Fleet
from crosswind.sim import Fault, Faults, Nature, World
from unit.sim.fleets import A, B, trio

STEADY = Nature(start_up_spread=0.0, spot=0.0)


def world(*faults: Fault, fleet: Fleet | None = None, nature: Nature = STEADY) -> World:
    return World(fleet or trio(), Faults(faults), seed=1, nature=nature)


def ask(one: World, replicas: int, workload: str = "chat", region: str = A) -> tuple[int, str]:
    grant = one.order_replicas(workload, region, replicas, 1, "key")
    assert grant is not None
    return grant.granted, grant.reason


def ready(one: World, workload: str = "chat", region: str = A) -> int:
    return one.endpoint(workload, region).ready(one.now)


def test_new_replicas_serve_once_they_have_started() -> None:
    one = world()
    assert ask(one, 6) == (6, "")
    assert ready(one) == 4
    one.advance(29.9)
    assert ready(one) == 4
    one.advance(30.1)
    assert ready(one) == 6


def test_a_workload_says_how_long_its_replicas_take_to_start() -> None:
    one = world()
    ask(one, 3, "search")
    one.advance(59)
    assert ready(one, "search") == 2
    one.advance(61)
    assert ready(one, "search") == 3


def test_a_slow_start_is_slow_for_what_is_asked_for_meanwhile() -> None:
    one = world(Fault("slow-start", 0, 10, region=A, size=10))
    one.advance(1)
    ask(one, 6)
    one.advance(290)
    assert ready(one) == 4
    one.advance(302)
    assert ready(one) == 6


@pytest.mark.parametrize(
    ("faults", "fleet", "wanted", "granted", "why"),
    [
        ((), ("", ""), 9, 8, "the quota of chat"),
        ((), ("quota: 20\n    latency", "quota: 7\n    latency"), 8, 5, "2 of them held by others"),
        ((Fault("quota", 0, 9, region=A, size=0.75),), ("", ""), 8, 6, "the quota of chat"),
        ((Fault("stockout", 0, 9, region=A, size=0),), ("", ""), 8, 4, "out of capacity"),
        ((Fault("stockout", 0, 9, region=A, size=0.5),), ("", ""), 8, 6, "out of capacity"),
        ((Fault("stockout", 0, 9, region=B, size=0),), ("", ""), 8, 8, ""),
    ],
    ids=["quota", "region-quota", "less-quota", "none-left", "in-part", "elsewhere"],
)
def test_what_is_granted_and_why_not_more(
    faults: tuple[Fault, ...], fleet: tuple[str, str], wanted: int, granted: int, why: str
) -> None:
    one = world(*faults, fleet=trio(*fleet))
    one.advance(1)
    given, reason = ask(one, wanted)
    assert given == granted
    assert why in reason


def test_gpus_of_a_kind_are_shared_by_those_who_need_them() -> None:
    fleet = trio("    price: 4\n", "    price: 4\n    gpus: {h100: 10}\n").model_copy()
    chat = fleet.workloads["chat"].model_copy(update={"gpu": "h100", "gpus_per_replica": 2})
    one = world(fleet=fleet.model_copy(update={"workloads": {**fleet.workloads, "chat": chat}}))
    granted, why = ask(one, 8)
    assert granted == 5
    assert "GPUs of kind h100" in why


def test_fewer_replicas_are_taken_away_at_once_and_those_that_began_last() -> None:
    one = world()
    ask(one, 6)
    assert ask(one, 3) == (3, "")
    assert (ready(one), one.endpoint("chat", A).held) == (3, 3)


def test_a_region_never_takes_away_what_is_held_however_little_it_grants() -> None:
    one = world(Fault("quota", 0, 100, region=A, size=0))
    one.advance(1)
    assert ask(one, 6)[0] == 4


def test_replicas_that_crash_start_again_when_it_is_over() -> None:
    one = world(Fault("crash", 10, 50, region=A, workload="chat", size=0.5))
    one.advance(20)
    assert (ready(one), one.endpoint("chat", A).held) == (2, 4)
    one.advance(79)
    assert ready(one) == 2
    one.advance(81)
    assert ready(one) == 4


def test_only_spot_replicas_are_taken_back_by_the_cloud() -> None:
    half = Nature(start_up_spread=0.0, spot=0.5)
    taken = Fault("preemption", 10, 50, size=1)
    one = world(taken, nature=half)
    one.advance(20)
    assert ready(one) == 2
    assert ready(one, region=B) == 3, "it sells no spot capacity"


def test_replicas_cost_what_they_are_held_for_and_not_a_cent_more() -> None:
    one = world()
    one.advance(1800)
    ask(one, 6)
    one.advance(3600)
    spent = one.steered.estate.spent("chat", A, one.now)
    assert spent.hours == pytest.approx(4 * 0.5 + 6 * 0.5)
    assert spent.usd == pytest.approx(4 * (4 * 0.5 + 6 * 0.5))
    assert one.untouched.estate.spent("chat", A, one.now).usd == pytest.approx(16)


def test_a_rise_of_prices_is_paid_while_it_lasts() -> None:
    one = world(Fault("price", 900, 2700, region=A, size=3))
    one.advance(3600)
    assert one.prices.at(A, 1000) == 12
    assert one.steered.estate.spent("chat", A, one.now).usd == pytest.approx(4 * 4 * (0.5 + 1.5))


def test_spot_prices_wander_about_the_declared_one() -> None:
    one = world(nature=Nature(spot=1.0))
    prices = [one.prices.spot(A, hour) for hour in range(500)]
    assert len(set(prices)) == 500
    assert 0.9 < sum(prices) / 500 < 1.15
    assert one.prices.spot(B, 3) == 3, "it sells none"
    assert prices == [world(nature=Nature(spot=1.0)).prices.spot(A, hour) for hour in range(500)]
    one.advance(7200)
    paid = one.steered.estate.spent("chat", A, one.now).usd
    assert paid == pytest.approx(4 * (prices[0] + prices[1]))
