"""Several regions are asked at once where a grant is uncertain; what is not needed goes back."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.chains.failover.plan import propose
from crosswind_events.catalogue.capacity import CapacityRequested
from crosswind_events.catalogue.failover import FailoverPlanned
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, EUROPE, fleet, situation, workload


def gpus(**changes: Any) -> Any:
    return fleet(workloads={"chat": workload(gpu="h100", **changes)})


def test_for_gpus_the_region_that_would_be_next_is_asked_at_the_same_time() -> None:
    proposal = propose(situation(gpus()))
    assert proposal.chosen is not None
    assert proposal.chosen.replicas == {CENTRAL: 10}
    assert proposal.spare == {EUROPE: 5}
    assert "azure/westeurope for 5 replicas are asked as well" in proposal.decision.because


def test_without_gpus_a_grant_is_not_uncertain_until_less_was_granted() -> None:
    assert propose(situation(fleet())).spare == {}
    north = "azure/northeurope"
    regions = fleet().model_dump()["regions"] | {north: {"jurisdiction": "IE", "price": 4.0}}
    placements = workload()["regions"] | {north: {"weight": 0.0, "replicas": 0, "quota": 10}}
    found = fleet(regions=regions, workloads={"chat": workload(regions=placements)})
    proposal = propose(situation(found, ceilings={CENTRAL: 7}, ready={CENTRAL: 7}))
    assert proposal.chosen is not None
    assert proposal.chosen.replicas[EUROPE] == 3
    assert proposal.spare == {north: 3}


def test_what_serves_already_needs_no_second_region() -> None:
    assert propose(situation(gpus(), ready={CENTRAL: 10})).spare == {}


def test_where_no_other_region_could_do_none_is_asked() -> None:
    assert propose(situation(gpus(), silent=(EUROPE,))).spare == {}


def test_what_was_asked_besides_is_reserved_until_the_end_and_then_given_back() -> None:
    drama = Drama(gpus())
    drama.cloud.pending[CENTRAL] = 2
    chain = drama.fail()
    drama.pass_time(5)
    assert drama.workload().capacity[EUROPE] == 5
    assert drama.cloud.replicas["chat", EUROPE] == 5
    drama.pass_time(90)
    assert drama.outcome(chain) == "completed"
    assert drama.cloud.weights["chat"] == {EAST: 0.0, CENTRAL: 1.0, EUROPE: 0.0}
    assert drama.cloud.replicas["chat", EUROPE] == 0
    assert drama.workload().capacity == {EAST: 5, CENTRAL: 10, EUROPE: 0}


def test_a_refusal_finds_the_other_region_s_replicas_there_already() -> None:
    drama = Drama(gpus())
    drama.cloud.most[CENTRAL] = 5
    chain = drama.fail()
    drama.pass_time(90)
    assert drama.outcome(chain) == "completed"
    first, second = (event.data.plan for event in drama.said(FailoverPlanned))
    assert first.spare == {EUROPE: 5}
    assert second.ready[EUROPE] == 5
    asked = [event.data for event in drama.said(CapacityRequested)]
    assert [(one.region, one.spare) for one in asked] == [(CENTRAL, False), (EUROPE, True)]
    assert drama.cloud.weights["chat"] == pytest.approx({EAST: 0.0, CENTRAL: 0.5, EUROPE: 0.5})
    assert drama.workload().capacity == {EAST: 5, CENTRAL: 5, EUROPE: 5}


def test_what_is_asked_besides_is_not_waited_for_and_its_dead_letter_ends_nothing() -> None:
    drama = Drama(gpus())
    drama.cloud.broken.add(EUROPE)
    chain = drama.fail()
    drama.pass_time(60)
    assert drama.outcome(chain) == "completed"
    assert drama.cloud.weights["chat"][CENTRAL] == 1.0


def test_replicas_of_a_plan_that_did_not_hold_go_back_as_well() -> None:
    drama = Drama(fleet())

    def fail_after_first(step: object) -> None:
        if len(drama.cloud.steps) == 1:
            drama.cloud.errors[CENTRAL] = 0.5

    drama.cloud.on_step = fail_after_first
    chain = drama.fail()
    drama.pass_time(200)
    assert drama.outcome(chain) == "completed"
    assert drama.cloud.weights["chat"][EUROPE] == 1.0
    # The region was found unfit, so nothing is asked of it; what is intended there is as before.
    assert drama.workload().capacity == {EAST: 5, CENTRAL: 5, EUROPE: 10}


def test_replicas_that_take_long_to_start_are_waited_for_as_long_as_they_take() -> None:
    slow = fleet(
        workloads={"chat": workload(start_up=600)},
        failover={"capacity_timeout": 60, "deadline": 3600},
    )
    drama = Drama(slow)
    drama.cloud.pending[CENTRAL] = 1000
    chain = drama.fail()
    drama.pass_time(590)
    assert drama.outcome(chain) is None
    assert drama.cloud.weights["chat"][CENTRAL] == 0.5
    drama.cloud.pending[CENTRAL] = 0
    drama.pass_time(60)
    assert drama.outcome(chain) == "completed"
    assert drama.cloud.weights["chat"][CENTRAL] == 1.0
    assert len(drama.said(FailoverPlanned)) == 1
