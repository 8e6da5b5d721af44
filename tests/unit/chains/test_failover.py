"""The failover chain, from the first evidence to its end."""

from __future__ import annotations

import pytest

from crosswind_events import RegionRecovered
from crosswind_events.catalogue.failover import (
    EvidenceDue,
    FailoverCompleted,
    FailoverConfirmed,
    FailoverImpossible,
    FailoverPlanned,
    FailoverUnconfirmed,
    FailoverUnneeded,
)
from crosswind_events.catalogue.incident import IncidentOpened
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, EUROPE, fleet, placement, workload


def test_a_failed_region_is_left_and_the_recovery_is_measured() -> None:
    drama = Drama(fleet())
    chain = drama.fail()
    drama.pass_time(60)
    assert drama.outcome(chain) == "completed"
    assert drama.cloud.weights["chat"][EAST] == 0.0
    assert drama.workload().weights == pytest.approx(drama.cloud.weights["chat"])
    assert drama.state() == "evacuated"
    done = drama.one(FailoverCompleted).data
    assert done.outcomes == {"chat": "moved"}
    assert done.recovery_seconds == pytest.approx(10.0, abs=1.0)
    assert not drama.said(IncidentOpened)


def test_traffic_moves_in_steps_and_each_carries_a_higher_epoch() -> None:
    drama = Drama(fleet())
    drama.fail()
    drama.pass_time(60)
    steps = drama.cloud.steps
    assert [step.weights[EAST] for step in steps] == [0.25, 0.0]
    assert steps[0].epoch < steps[1].epoch
    assert [step.moved for step in steps] == [0.25, 0.25]


def test_capacity_is_there_before_traffic_moves() -> None:
    drama = Drama(fleet())
    drama.cloud.pending[CENTRAL] = 3
    drama.fail()
    drama.pass_time(14)
    assert not drama.cloud.steps
    drama.pass_time(60)
    assert drama.cloud.replicas["chat", CENTRAL] == 10
    assert drama.cloud.weights["chat"][CENTRAL] == 1.0


def test_one_piece_of_evidence_changes_nothing_and_the_chain_ends_unconfirmed() -> None:
    drama = Drama(fleet())
    chain = drama.hear()
    assert drama.outcome(chain) is None
    drama.pass_time(301)
    assert drama.outcome(chain) == "unconfirmed"
    assert not drama.cloud.steps
    assert drama.state() == "serving"
    assert (
        "1 of 2 needed" in drama.one(FailoverUnconfirmed).data.because
        or drama.one(FailoverUnconfirmed).data.pieces
    )


def test_only_one_timer_waits_for_more_evidence() -> None:
    drama = Drama(fleet())
    drama.hear()
    drama.hear()
    drama.hear()
    timers = [letter for letter in drama.post.letters if letter.type == EvidenceDue.event_type]
    assert len(timers) == 1


def test_evidence_taken_back_in_time_leads_to_nothing() -> None:
    drama = Drama(fleet())
    chain = drama.hear()
    drama.pass_time(5)
    drama.hear(RegionRecovered)
    drama.pass_time(5)
    drama.hear(evidence="telemetry")
    drama.pass_time(700)
    assert drama.outcome(chain) == "unconfirmed"
    assert not drama.said(FailoverConfirmed)


def test_an_unmapped_alarm_is_recorded_and_never_fails_over() -> None:
    drama = Drama(fleet())
    native = {"kind": "aws.cloudwatch.alarm", "id": "a", "name": "disk-full"}
    chain = drama.hear(evidence="alarm", source="//alarm.example.com/1", native=native)
    drama.hear()
    drama.pass_time(700)
    assert drama.outcome(chain) == "unconfirmed"
    pieces = drama.one(FailoverUnconfirmed).data.pieces
    assert any("unmapped" in piece.because for piece in pieces)


def test_an_old_probe_that_is_answered_again_is_found_out_before_the_region_is_left() -> None:
    drama = Drama(fleet())
    drama.cloud.fail(EAST)
    chain = drama.hear(vantage="home", workload="chat")
    drama.cloud.recover(EAST)
    drama.pass_time(60)
    drama.hear(evidence="telemetry", workload="chat")
    drama.pass_time(700)
    assert drama.outcome(chain) == "unconfirmed"
    assert not drama.said(FailoverConfirmed)


def test_a_second_alert_joins_and_nothing_is_done_twice() -> None:
    drama = Drama(fleet())
    chain = drama.fail()
    drama.hear(vantage="paris")
    drama.hear(evidence="provider", source="//health.example.com")
    drama.pass_time(60)
    assert drama.outcome(chain) == "completed"
    assert len(drama.said(FailoverConfirmed)) == 1
    assert len(drama.said(FailoverPlanned)) == 1
    assert len(drama.cloud.steps) == 2


def test_a_region_that_is_evacuated_already_needs_nothing() -> None:
    drama = Drama(fleet())
    drama.fail()
    drama.pass_time(120)
    chain = drama.hear()
    drama.pass_time(30)
    assert drama.outcome(chain) == "nothing-to-do"
    assert "evacuated already" in drama.one(FailoverUnneeded).data.because


def test_a_region_that_is_not_declared_needs_nothing() -> None:
    drama = Drama(fleet())
    chain = drama.hear(region="aws/eu-north-1")
    assert drama.outcome(chain) == "nothing-to-do"


def test_without_a_safe_plan_nothing_is_changed_and_an_incident_is_opened() -> None:
    lonely = fleet(workloads={"chat": workload(regions={EAST: placement(1.0, 10, 10)})})
    drama = Drama(lonely)
    chain = drama.fail()
    drama.pass_time(30)
    assert drama.outcome(chain) == "no-safe-plan"
    assert drama.one(FailoverImpossible).data.outcomes == {"chat": "impossible"}
    incident = drama.one(IncidentOpened).data
    assert incident.severity == "critical"
    assert "no safe plan" in incident.gathered["chat"]
    assert drama.state() == "serving"
    assert drama.workload().epoch == 0
    assert not drama.cloud.steps
    assert [told.title for told in drama.cloud.told] == [f"critical: {incident.title}"]


def test_the_same_trouble_is_told_once_and_tried_again_after_a_while() -> None:
    lonely = fleet(workloads={"chat": workload(regions={EAST: placement(1.0, 10, 10)})})
    drama = Drama(lonely)
    drama.fail()
    drama.pass_time(30)
    drama.fail()
    assert len(drama.said(FailoverImpossible)) == 1
    assert "could not be left 30 s ago" in drama.said(FailoverUnneeded)[-1].data.because
    drama.pass_time(2 * lonely.probes.every)
    drama.fail()
    drama.pass_time(30)
    assert len(drama.said(FailoverImpossible)) == 2
    assert len(drama.said(IncidentOpened)) == 2
    assert len(drama.cloud.told) == 1


def test_a_person_who_says_that_a_region_fails_is_heard_at_once() -> None:
    lonely = fleet(workloads={"chat": workload(regions={EAST: placement(1.0, 10, 10)})})
    drama = Drama(lonely)
    drama.fail()
    drama.pass_time(30)
    drama.hear(evidence="operator")
    drama.pass_time(30)
    assert len(drama.said(FailoverImpossible)) == 2


def test_a_region_that_grants_only_a_part_is_planned_around() -> None:
    drama = Drama(fleet())
    drama.cloud.most[CENTRAL] = 7
    chain = drama.fail()
    drama.pass_time(90)
    assert drama.outcome(chain) == "completed"
    first, second = (event.data for event in drama.said(FailoverPlanned))
    assert first.plan.target == {EAST: 0.0, CENTRAL: 1.0, EUROPE: 0.0}
    assert second.plan.replicas[CENTRAL] == 7
    assert "grants 7 of 10 replicas (the region is short of machines)" in second.because
    assert drama.cloud.weights["chat"][EUROPE] == pytest.approx(0.3)


def test_a_region_whose_request_ends_in_a_dead_letter_counts_as_refused() -> None:
    drama = Drama(fleet())
    drama.cloud.broken.add(CENTRAL)
    chain = drama.fail()
    drama.pass_time(120)
    assert drama.outcome(chain) == "completed"
    assert drama.cloud.weights["chat"] == pytest.approx({EAST: 0.0, CENTRAL: 0.5, EUROPE: 0.5})


def test_capacity_that_does_not_come_in_time_counts_as_refused() -> None:
    drama = Drama(fleet(failover={"capacity_timeout": 30, "deadline": 600}))
    drama.cloud.pending[CENTRAL] = 100
    chain = drama.fail()
    drama.pass_time(300)
    assert drama.outcome(chain) == "completed"
    second = drama.said(FailoverPlanned)[1].data
    assert "no answer in time" in second.because


def test_a_survivor_that_fails_in_mid_shift_is_left_as_well() -> None:
    drama = Drama(fleet())

    def fail_after_first(step: object) -> None:
        if len(drama.cloud.steps) == 1:
            drama.cloud.fail(CENTRAL)

    drama.cloud.on_step = fail_after_first
    chain = drama.fail()
    drama.pass_time(120)
    assert drama.outcome(chain) == "completed"
    assert drama.cloud.weights["chat"] == pytest.approx({EAST: 0.0, CENTRAL: 0.0, EUROPE: 1.0})
    assert drama.said(FailoverPlanned)[1].data.plan.excluded == (CENTRAL,)


def test_two_regions_that_fail_one_after_the_other_are_both_left() -> None:
    drama = Drama(fleet())
    first = drama.fail(EAST)
    drama.pass_time(3)
    second = drama.fail(CENTRAL)
    drama.pass_time(400)
    assert drama.cloud.weights["chat"] == pytest.approx({EAST: 0.0, CENTRAL: 0.0, EUROPE: 1.0})
    assert drama.outcome(first) == "completed"
    assert drama.outcome(second) == "completed"
    assert drama.state(EAST) == drama.state(CENTRAL) == "evacuated"


def test_a_survivor_that_errs_is_given_time_and_then_left() -> None:
    drama = Drama(fleet())
    drama.cloud.errors[CENTRAL] = 0.5
    chain = drama.fail()
    drama.pass_time(25)
    assert not drama.cloud.steps
    drama.pass_time(120)
    assert drama.outcome(chain) == "completed"
    assert drama.cloud.weights["chat"][CENTRAL] == 0.0


def test_only_the_workloads_that_the_evidence_names_are_moved() -> None:
    drama = Drama(fleet(workloads={"chat": workload(), "search": workload()}))
    drama.cloud.fail(EAST)
    chain = drama.hear(workload="chat", vantage="a")
    drama.hear(workload="chat", vantage="b")
    drama.pass_time(60)
    assert drama.outcome(chain) == "completed"
    assert drama.cloud.weights["chat"][EAST] == 0.0
    assert drama.cloud.weights["search"][EAST] == 0.5


def test_a_workload_named_while_the_others_move_moves_too() -> None:
    drama = Drama(fleet(workloads={"chat": workload(), "search": workload()}))
    drama.cloud.fail(EAST)
    chain = drama.hear(workload="chat", vantage="a")
    drama.hear(workload="chat", vantage="b")
    drama.pass_time(5)
    drama.hear(workload="search", vantage="a")
    drama.hear(workload="search", vantage="b")
    drama.pass_time(120)
    assert drama.outcome(chain) == "completed"
    assert drama.cloud.weights["search"][EAST] == 0.0
    assert drama.one(FailoverCompleted).data.outcomes == {"chat": "moved", "search": "moved"}


def test_an_alarm_mapped_to_another_region_is_evidence_there() -> None:
    alerts = [{"match": "grid-*", "workload": "chat", "region": CENTRAL}]
    drama = Drama(fleet(alerts=alerts))
    native = {"kind": "aws.cloudwatch.alarm", "id": "a", "name": "grid-1"}
    drama.cloud.fail(CENTRAL)
    drama.hear(evidence="alarm", source="//alarm.example.com/1", native=native)
    chain = drama.hear(region=CENTRAL, workload="chat")
    drama.pass_time(120)
    assert drama.cloud.weights["chat"][CENTRAL] == 0.0
    assert drama.cloud.weights["chat"][EAST] > 0.0
    assert chain


def test_what_is_only_observed_changes_nothing_and_runs_to_its_end() -> None:
    drama = Drama(fleet(modes={"default": "observe"}))
    chain = drama.fail()
    drama.pass_time(120)
    assert drama.outcome(chain) == "completed"
    assert drama.one(FailoverCompleted).extensions["simulated"]
    assert not drama.cloud.steps
    assert not drama.cloud.scaled
    assert drama.state() == "serving"
    assert drama.workload().epoch == 0


@pytest.mark.parametrize("many", [3, 45])
def test_all_workloads_of_a_region_are_moved_however_many(many: int) -> None:
    names = [f"w{number}" for number in range(many)]
    drama = Drama(fleet(workloads={name: workload() for name in names}))
    chain = drama.fail()
    drama.pass_time(300)
    assert drama.outcome(chain) == "completed"
    done = drama.one(FailoverCompleted).data
    assert done.outcomes == dict.fromkeys(names, "moved")
    assert all(drama.cloud.weights[name][EAST] == 0.0 for name in names)
