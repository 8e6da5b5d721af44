"""Accounts are exact, and say what would have been without anybody."""

from __future__ import annotations

import json

import pytest

from crosswind.sim import Accounts, Fault, Faults, Nature, Spread, World, random_faults
from unit.sim.fleets import A, B, C, trio
from unit.sim.plays import OUTAGE, Play

PURE = Nature(errors=0.0, spot=0.0)
AWAY = {A: 0.0, B: 0.6, C: 0.4}
HOME = {A: 0.5, B: 0.3, C: 0.2}


def accounts(*faults: Fault) -> Accounts:
    return Accounts(World(trio(), Faults(faults), nature=PURE))


def test_requests_that_failed_are_counted_to_the_last_one() -> None:
    kept = accounts(Fault("outage", 100, 1900, region=A, workload="chat"))
    kept.world.advance(7200)
    report = kept.report()
    chat = report.total("chat", A)
    assert chat.sent == pytest.approx(60 * 7200)
    assert chat.failed == pytest.approx(60 * 1800)
    assert report.total("search").failed == 0
    assert report.total().served == pytest.approx((120 + 40) * 7200 - 60 * 1800)


def test_minutes_of_a_broken_promise_are_counted_whole_and_by_users() -> None:
    kept = accounts(Fault("outage", 100, 1900, region=A, workload="chat"))
    kept.world.advance(7200)
    promise = kept.report().kept["chat"].steered
    assert promise.broken == pytest.approx(30)
    assert promise.lost == pytest.approx(15), "half of its users were there"


def test_slow_answers_break_a_promise_too() -> None:
    kept = accounts(Fault("slow", 0, 600, region=A, size=30))
    kept.world.advance(600)
    report = kept.report()
    assert report.total("chat").failed == 0
    assert report.total("chat", A).slow > 0.9 * 60 * 600
    assert report.kept["chat"].steered.broken == pytest.approx(10)
    assert report.kept["search"].steered.broken == 0, "nothing was promised of its latency"


def test_what_was_saved_is_the_difference_to_doing_nothing() -> None:
    kept = accounts(Fault("outage", 100, 1900, region=A, workload="chat"))
    kept.world.advance(150)
    kept.world.order_weights("chat", AWAY, epoch=1)
    kept.world.order_replicas("chat", B, 6, epoch=1, key="more")
    kept.world.order_replicas("chat", C, 4, epoch=1, key="more too")
    kept.world.advance(250)
    assert kept.report().kept["chat"].saved.broken < 2, "replicas start meanwhile"
    kept.world.advance(1900)
    kept.world.order_weights("chat", HOME, epoch=2)
    kept.world.advance(7200)
    chat = kept.report().kept["chat"]
    assert chat.untouched.broken == pytest.approx(30)
    assert 26 < chat.saved.broken < 29.2
    assert kept.report().saved == chat.saved


def test_money_is_replicas_and_what_leaves_a_region() -> None:
    kept = accounts()
    kept.world.advance(3600)
    kept.world.order_replicas("chat", C, 4, epoch=1, key="more")
    kept.world.advance(7200)
    report = kept.report()
    home = 2 * (4 * 6 + 3 * 5 + 5 * 2)
    assert report.total().replicas_usd == pytest.approx(home + 5 * 2)
    assert report.added_usd == pytest.approx(10)
    assert report.total("chat", A).egress_usd == pytest.approx(60 * 7200 * 0.00001 * 0.09)
    assert report.total(region=C).replica_hours == pytest.approx(2 + 4)


def test_an_outage_is_told_with_when_it_was_seen_and_answered() -> None:
    kept = accounts(Fault("outage", 100, 1900, region=A))
    world, outages = kept.world, kept.outages
    world.advance(130)
    outages.evidence(A)
    world.advance(160)
    outages.confirmed(A)
    world.advance(170)
    world.order_weights("chat", AWAY, epoch=1)
    world.advance(200)
    world.order_weights("search", {A: 0.0, B: 1.0}, epoch=1)
    world.advance(2500)
    world.order_weights("chat", HOME, epoch=2)
    report = kept.report()
    (outage,) = report.outages
    assert (outage.detection, outage.response, outage.recovery) == (60, 70, 100)
    assert (outage.moved, outage.complete, outage.ended) == (170, True, 1900)
    assert outage.share == pytest.approx(0.5)
    (failover,) = report.failovers
    assert (failover.truth, failover.left, failover.back) == ("failing", 200, 2500)
    assert report.recovery == Spread(1, 100, 100, 100, 100, 100)
    assert (report.missed, report.false, report.needless) == (0, 0, 0)


def test_an_outage_that_nobody_answers_is_missed_once_it_has_lasted() -> None:
    kept = accounts(Fault("outage", 100, 1900, region=A), Fault("outage", 3000, 3060, region=B))
    kept.world.advance(5000)
    assert kept.report().missed == 1
    assert kept.report(patience=10).missed == 2


def test_what_users_do_not_see_is_not_missed() -> None:
    kept = accounts(
        Fault("brown-out", 100, 1900, region=A, size=0.01), Fault("crash", 100, 1900, size=0.1)
    )
    kept.world.advance(5000)
    assert not any(outage.failing for outage in kept.report().outages)
    assert kept.report().missed == 0


@pytest.mark.parametrize(
    ("ended", "truth"), [(990, "over"), (100, "false")], ids=["just-over", "long-over"]
)
def test_a_region_with_which_nothing_is_wrong_is_left_falsely(ended: float, truth: str) -> None:
    kept = accounts(Fault("outage", 50, ended, region=A))
    kept.world.advance(1500)
    kept.outages.confirmed(A)
    kept.world.order_weights("chat", AWAY, epoch=1)
    assert [one.truth for one in kept.report().failovers] == [truth]
    assert kept.report().false == (truth == "false")


def test_traffic_that_moves_for_another_reason_is_no_failover() -> None:
    kept = accounts()
    kept.world.order_weights("chat", {A: 0.4, B: 0.4, C: 0.2}, epoch=1)
    assert kept.report().failovers == ()


def test_a_decision_that_led_nowhere_is_not_held_against_what_moves_later() -> None:
    kept = accounts()
    kept.outages.confirmed(A)
    kept.outages.settled(A)
    kept.world.order_weights("chat", {A: 0.4, B: 0.4, C: 0.2}, epoch=1)
    assert kept.report().failovers == ()


def test_a_report_goes_to_json() -> None:
    play = Play(OUTAGE)
    report = play.run(4000)
    told = json.loads(json.dumps(report.to_dict()))
    assert told["outages"][0]["fault"]["kind"] == "outage"
    assert told["workloads"]["chat"]["saved"]["broken"] > 20
    assert told["total"]["sent"] == pytest.approx(160 * 4000)


def test_steering_saves_what_the_chain_promises_over_days_of_faults() -> None:
    play = Play(*random_faults(trio(), 8, 5, intensity=2), seed=8)
    report = play.run(5 * 86_400)
    assert report.saved.broken > 0
    assert report.days == 5


def test_a_spread_of_nothing_is_nothing() -> None:
    assert Spread.of([None]) == Spread(0)
    assert Spread.of([3.0, None]) == Spread(1, 3, 3, 3, 3, 3)
    assert Spread.of(range(101)).p90 == 90
