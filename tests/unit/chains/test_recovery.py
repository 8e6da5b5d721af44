"""The way back: soak, failback in steps, relapse."""

from __future__ import annotations

import pytest

from crosswind.chains.failover.recovery import soak_of
from crosswind.fleet.policies import FailoverPolicy
from crosswind_events import RegionRecovered, RegionUnhealthy
from crosswind_events.catalogue.failover import FailoverUnneeded
from crosswind_events.catalogue.incident import IncidentOpened, IncidentResolved
from crosswind_events.catalogue.recovery import (
    FailbackAbandoned,
    FailbackBegun,
    FailbackCompleted,
    FailbackPlanned,
    RecoveryConfirmed,
    RecoveryUnneeded,
    RegionRelapsed,
)
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, EUROPE, fleet, placement, workload

REST = 12.0
"""Seconds after the end of a chain in which its target is not taken: lease and skew."""


def left() -> Drama:
    """A drama in which the east has been left."""
    drama = Drama(fleet())
    drama.fail()
    drama.pass_time(60)
    assert drama.state() == "evacuated"
    drama.cloud.steps.clear()
    return drama


def test_a_recovered_region_soaks_and_gets_its_traffic_back_in_steps() -> None:
    drama = left()
    chain = drama.recover()
    assert drama.state() == "soaking"
    drama.pass_time(59)
    assert not drama.cloud.steps
    drama.pass_time(60)
    assert drama.outcome(chain) == "recovered"
    assert [step.weights[EAST] for step in drama.cloud.steps] == [0.25, 0.5]
    assert drama.state() == "serving"
    assert drama.workload().weights == pytest.approx({EAST: 0.5, CENTRAL: 0.5, EUROPE: 0.0})


def test_capacity_comes_back_first_and_what_was_added_is_given_back_last() -> None:
    drama = left()
    drama.cloud.replicas["chat", EAST] = 0
    drama.cloud.scaled.clear()
    drama.recover()
    drama.pass_time(150)
    assert [(one.region, one.replicas, one.removed) for one in drama.cloud.scaled] == [
        (EAST, 5, 0),
        (CENTRAL, 5, 5),
    ]
    assert drama.workload().capacity == {EAST: 5, CENTRAL: 5, EUROPE: 0}


def test_a_recovery_that_too_few_report_ends_unconfirmed() -> None:
    drama = left()
    chain = drama.hear(RegionRecovered, vantage="a")
    drama.pass_time(301)
    assert drama.outcome(chain) == "unconfirmed"
    assert drama.state() == "evacuated"


def test_a_region_that_serves_has_nothing_to_recover_from() -> None:
    drama = Drama(fleet())
    chain = drama.hear(RegionRecovered)
    assert drama.outcome(chain) == "nothing-to-do"
    assert "serves" in drama.one(RecoveryUnneeded).data.because


def test_a_word_of_recovery_in_an_open_failover_is_evidence_and_not_a_recovery() -> None:
    drama = Drama(fleet())
    chain = drama.hear()
    drama.hear(RegionRecovered, vantage="elsewhere")
    assert drama.outcome(chain) is None
    assert not drama.said(RecoveryConfirmed)


def test_a_recovery_reported_while_traffic_still_moves_begins_when_that_has_ended() -> None:
    drama = Drama(fleet())
    first = drama.fail()
    drama.pass_time(5)
    drama.cloud.recover(EAST)
    drama.hear(RegionRecovered, vantage="a")
    drama.hear(RegionRecovered, vantage="b")
    drama.pass_time(200)
    assert drama.outcome(first) == "completed"
    assert drama.said(FailbackCompleted)
    assert drama.state() == "serving"


def test_a_region_that_fails_while_it_soaks_stays_evacuated() -> None:
    drama = left()
    chain = drama.recover()
    drama.pass_time(30)
    drama.hear(vantage="a")
    drama.hear(vantage="b")
    drama.pass_time(120)
    assert drama.outcome(chain) == "relapsed"
    assert drama.state() == "evacuated"
    assert not drama.cloud.steps
    assert drama.one(IncidentOpened).data.title == f"{EAST} has relapsed on its way back"


def test_a_word_that_is_too_little_for_a_relapse_makes_it_soak_anew() -> None:
    drama = left()
    chain = drama.recover()
    drama.pass_time(50)
    drama.hear(vantage="a")
    drama.pass_time(20)
    assert drama.state() == "soaking"
    assert not drama.said(FailbackBegun)
    drama.hear(RegionRecovered, vantage="a")
    drama.pass_time(30)
    assert not drama.said(FailbackBegun)  # the word came 50 s ago, and it soaks for 60
    drama.pass_time(60)
    assert drama.outcome(chain) == "recovered"
    assert not drama.said(RegionRelapsed)


def test_a_word_against_it_holds_up_the_way_back_until_it_is_taken_back() -> None:
    drama = left()
    chain = drama.recover()
    drama.pass_time(65)
    assert drama.cloud.weights["chat"][EAST] == 0.25
    drama.hear(vantage="a")
    drama.pass_time(120)
    assert drama.cloud.weights["chat"][EAST] == 0.25
    assert drama.outcome(chain) is None
    drama.hear(RegionRecovered, vantage="a")
    drama.pass_time(60)
    assert drama.cloud.weights["chat"][EAST] == 0.5
    assert drama.outcome(chain) == "recovered"


def test_a_word_that_is_said_again_and_again_ends_the_way_back_where_it_stands() -> None:
    drama = left()
    chain = drama.recover()
    drama.pass_time(65)
    for _ in range(8):
        drama.hear(vantage="a")
        drama.pass_time(100)
    assert drama.cloud.weights["chat"][EAST] == 0.25
    assert drama.outcome(chain) == "failed"
    assert "not all of its traffic is back" in drama.one(IncidentOpened).data.title


def test_a_region_that_was_left_again_and_again_soaks_the_longer() -> None:
    policy = FailoverPolicy(soak=100.0)
    assert soak_of(policy, (), 1e9) == 100.0
    assert soak_of(policy, (1e9 - 300,), 1e9) == 100.0
    assert soak_of(policy, (1e9 - 900, 1e9 - 300), 1e9) == 200.0
    assert soak_of(policy, (1e9 - 90_000, 1e9 - 300), 1e9) == 100.0  # more than a day ago
    assert soak_of(policy, tuple(1e9 - n for n in range(8)), 1e9) == 800.0
    assert soak_of(FailoverPolicy(soak=100.0, soak_growth=1.0), (1e9, 1e9), 1e9) == 100.0


def test_a_second_outage_within_a_day_makes_the_region_soak_twice_as_long() -> None:
    drama = left()
    drama.recover()
    drama.pass_time(150)
    drama.fail()
    drama.pass_time(90)
    drama.recover()
    drama.pass_time(100)
    assert drama.state() == "soaking"
    drama.pass_time(100)
    assert drama.state() == "serving"


def test_words_of_recovery_while_it_soaks_confirm_nothing_anew() -> None:
    drama = left()
    drama.recover()
    for vantage in ("a", "b", "c"):
        drama.hear(RegionRecovered, vantage=vantage)
    assert len(drama.said(RecoveryConfirmed)) == 1


def test_a_late_word_about_the_outage_before_is_no_relapse() -> None:
    drama = left()
    chain = drama.recover()
    said = RegionUnhealthy(region=EAST, evidence="telemetry", reason="r")
    drama.publish(drama.event(said, event_id="late", ago=20))
    drama.pass_time(150)
    assert drama.outcome(chain) == "recovered"


def test_a_region_that_fails_on_its_way_back_is_left_again_at_once() -> None:
    drama = left()
    chain = drama.recover()
    drama.pass_time(65)
    assert drama.cloud.weights["chat"][EAST] == 0.25
    drama.cloud.fail(EAST)
    drama.hear(vantage="a")
    drama.hear(vantage="b")
    drama.pass_time(1)
    assert drama.said(RegionRelapsed)
    drama.pass_time(120)
    assert drama.cloud.weights["chat"][EAST] == 0.0
    assert drama.state() == "evacuated"
    assert drama.outcome(chain) == "relapsed"
    assert drama.one(FailbackAbandoned)


def test_a_region_that_does_not_answer_on_its_way_back_is_left_though_nobody_says_so() -> None:
    drama = left()
    chain = drama.recover()
    drama.pass_time(65)
    drama.cloud.fail(EAST)
    drama.pass_time(120)
    assert drama.cloud.weights["chat"][EAST] == 0.0
    assert drama.outcome(chain) == "relapsed"


def test_a_region_that_errs_on_its_way_back_is_left() -> None:
    drama = left()
    chain = drama.recover()
    drama.cloud.errors[EAST] = 0.5
    drama.pass_time(250)
    assert drama.cloud.weights["chat"][EAST] == 0.0
    assert drama.outcome(chain) == "relapsed"


def test_a_relapse_is_not_followed_by_another_recovery_on_the_same_evidence() -> None:
    drama = left()
    drama.recover()
    drama.cloud.errors[EAST] = 0.5
    drama.pass_time(1000)
    assert len(drama.said(RecoveryConfirmed)) == 1
    assert drama.state() == "evacuated"


def test_the_incident_of_a_region_is_resolved_when_it_is_well_again() -> None:
    lonely = fleet(workloads={"chat": workload(regions={EAST: placement(1.0, 10, 10)})})
    drama = Drama(lonely)
    drama.fail()
    drama.pass_time(60)
    opened = drama.one(IncidentOpened).data
    chain = drama.recover()
    drama.pass_time(120)
    assert drama.outcome(chain) == "recovered"
    assert drama.one(IncidentResolved).data.incident == opened.incident


def test_a_workload_comes_back_as_far_as_capacity_reaches() -> None:
    drama = left()
    drama.cloud.replicas["chat", EAST] = 0
    drama.cloud.most[EAST] = 3
    chain = drama.recover()
    drama.pass_time(200)
    assert drama.cloud.weights["chat"][EAST] == pytest.approx(0.3)
    assert "as far as capacity reaches" in drama.said(FailbackPlanned)[-1].data.because
    assert drama.outcome(chain) == "recovered"


def test_while_another_region_is_away_its_share_stays_where_it_is() -> None:
    drama = left()
    drama.fail(CENTRAL)
    drama.pass_time(120)
    assert drama.cloud.weights["chat"][EUROPE] == 1.0
    chain = drama.recover(EAST)
    drama.pass_time(150)
    assert drama.outcome(chain) == "recovered"
    assert drama.cloud.weights["chat"] == pytest.approx({EAST: 1.0, CENTRAL: 0.0, EUROPE: 0.0})
    assert drama.state(CENTRAL) == "evacuated"


def test_a_failover_after_a_failback_works_as_the_first() -> None:
    drama = left()
    drama.recover()
    drama.pass_time(150)
    chain = drama.fail()
    drama.pass_time(90)
    assert drama.outcome(chain) == "completed"
    assert drama.cloud.weights["chat"][EAST] == 0.0
    assert not drama.said(FailoverUnneeded)
