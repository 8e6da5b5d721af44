"""When more is asked for than is declared: what is planned for, and when a region is held."""

from __future__ import annotations

import pytest

from crosswind.chains.failover.situation import busy
from crosswind_events.catalogue.failover import (
    FailoverImpossible,
    FailoverPlanned,
    WorkloadSettled,
)
from crosswind_events.catalogue.incident import IncidentOpened
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, EUROPE, fleet, placement, situation, workload


def tight() -> Drama:
    """The survivors have room for what is declared, and for a tenth more."""
    regions = {EAST: placement(0.5, 5, 10), CENTRAL: placement(0.5, 5, 11)}
    return Drama(fleet(workloads={"chat": workload(regions=regions)}))


def test_replicas_are_asked_for_as_many_as_the_measured_demand_needs() -> None:
    drama = Drama(fleet())
    drama.cloud.surge = 1.5
    drama.fail()
    drama.pass_time(60)
    planned = drama.one(FailoverPlanned).data
    assert planned.plan.demand == 150
    assert sum(planned.plan.replicas.values()) == 15
    assert "150 requests/s are measured, 100 are declared" in planned.because
    assert drama.outcome() == "completed"


def test_a_step_waits_for_the_replicas_that_the_measured_demand_needs() -> None:
    drama = Drama(fleet())
    drama.cloud.surge = 1.5
    drama.fail()
    drama.pass_time(60)
    last = drama.cloud.steps[-1]
    for region, weight in last.weights.items():
        assert drama.cloud.replicas.get(("chat", region), 0) * 10 >= weight * 150 - 1e-6


@pytest.mark.parametrize("surge", [0.2, 1.0, 1.1])
def test_less_than_declared_or_hardly_more_is_planned_for_as_declared(surge: float) -> None:
    drama = Drama(fleet())
    drama.cloud.surge = surge
    drama.fail()
    drama.pass_time(60)
    assert drama.one(FailoverPlanned).data.plan.demand == 100


def test_a_region_that_answers_most_is_not_left_for_others_that_cannot_bear_it() -> None:
    drama = tight()
    drama.cloud.surge, drama.cloud.errors[EAST] = 1.5, 0.3
    drama.hear(evidence="operator")
    drama.pass_time(60)
    assert drama.outcome() == "no-safe-plan"
    assert "answers 70% of its own" in drama.one(WorkloadSettled).data.because
    assert drama.one(IncidentOpened)
    assert not drama.cloud.steps


def test_a_region_that_is_lost_is_left_as_far_as_the_declared_demand_goes() -> None:
    drama = tight()
    drama.cloud.surge = 1.5
    drama.fail()
    drama.pass_time(60)
    assert drama.one(FailoverPlanned).data.plan.demand == 100
    assert drama.cloud.weights["chat"][EAST] == 0.0
    assert not drama.said(FailoverImpossible)


@pytest.mark.parametrize("lag", [None, 301.0])
def test_where_demand_is_not_known_for_now_it_is_taken_as_declared(lag: float | None) -> None:
    drama = Drama(fleet())
    drama.cloud.surge, drama.cloud.lag = 3.0, lag
    drama.hear(evidence="operator")
    drama.pass_time(5)
    assert drama.one(FailoverPlanned).data.plan.demand == 100


def test_the_way_back_waits_for_demand_to_fall_and_takes_it_as_it_is_after_an_hour() -> None:
    drama = Drama(fleet())
    drama.fail()
    drama.pass_time(60)
    drama.cloud.surge = 1.5
    drama.recover()
    drama.pass_time(61 + 3000)
    assert drama.cloud.weights["chat"][EAST] == 0.0
    drama.pass_time(1000)
    assert drama.outcome() == "completed"
    assert drama.cloud.weights["chat"][EAST] == 0.5
    assert drama.workload().capacity == {EAST: 8, CENTRAL: 8, EUROPE: 0}


def test_counting_may_be_wrong_by_a_tenth() -> None:
    spec = fleet().workloads["chat"]
    assert not busy(spec, 110.0)
    assert busy(spec, 110.1)
    assert situation(fleet()).busier is None
