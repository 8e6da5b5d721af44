"""What a review says was not known, and what could be better."""

from __future__ import annotations

from typing import Any

from crosswind.testing import FaultPlan, On
from crosswind_events import Event, RegionUnhealthy
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, EUROPE, fleet, workload
from unit.chains.test_brakes import PROPOSE, answer
from unit.journal.reviews import LONELY, lessons, reviewed, slowly_approved, there_and_back, unknown

# -- what was not known ---------------------------------------------------------------------------


def test_a_piece_that_came_late_is_told_with_how_late() -> None:
    drama = Drama(fleet(workloads=LONELY))
    late: Event[Any] = drama.event(
        RegionUnhealthy(region=EAST, evidence="provider", reason="r"),
        event_id="late",
        source="//health.example.com",
        ago=180,
        subject=EAST,
    )
    drama.pass_time(60)
    drama.hear()
    drama.publish(late)
    drama.hear(evidence="telemetry")
    drama.pass_time(60)
    told = reviewed(drama)
    assert "which came 4 min later" in unknown(told)
    assert "came late, the latest of them by 4 min (provider)" in lessons(told)


def test_an_endpoint_that_did_not_answer_is_told_once_with_how_often() -> None:
    drama = Drama(fleet())
    drama.cloud.down[CENTRAL] = drama.now
    drama.cloud.most[EUROPE] = 0
    drama.fail()
    drama.pass_time(120)
    told = reviewed(drama)
    assert f"the endpoint of chat in {CENTRAL} did not answer" in unknown(told)
    assert len([one for one in told.unknown if "did not answer" in one.what]) == 1


def test_what_was_only_observed_says_so_and_claims_no_recovery_time() -> None:
    drama = Drama(fleet(modes={"default": "observe"}, workloads=LONELY))
    drama.fail()
    drama.pass_time(60)
    told = reviewed(drama)
    assert told.incident.state == "observed"
    assert "it was only observed, so that nothing was done" in unknown(told)
    assert "no recovery time" not in unknown(told)


def test_a_recovery_that_was_not_measured_is_not_claimed() -> None:
    from crosswind.operations.telemetry import Outage

    drama = Drama(fleet())
    drama.cloud.measured = Outage(began=drama.now, ended=None, failed=9)
    drama.fail()
    drama.pass_time(300)
    drama.recover()
    drama.cloud.errors[EAST] = 0.5
    drama.pass_time(600)
    assert "no recovery time was measured" in unknown(reviewed(drama))


def test_where_nobody_counted_requests_no_outage_is_claimed_and_none_denied() -> None:
    from crosswind.operations.telemetry import Outage

    drama = Drama(fleet())
    drama.cloud.measured = Outage(began=None, ended=None, failed=0, counted=0)
    drama.fail()
    drama.pass_time(300)
    drama.recover()
    drama.cloud.errors[EAST] = 0.5
    drama.pass_time(600)
    told = reviewed(drama)
    assert all(way.outage is None for ways in told.ways.values() for way in ways)
    assert "no recovery time was measured" in unknown(told)


def test_what_was_asked_for_in_vain_before_it_was_answered_is_told() -> None:
    faults = FaultPlan(On("answer", about="endpoint.status", times=2))
    drama = Drama(fleet(modes=PROPOSE), faults=faults)
    drama.fail()
    drama.pass_time(30)
    answer(drama, "rejected")
    drama.pass_time(30)
    assert "what plan_failover asked for in vain 2 time(s) before it was answered" in unknown(
        reviewed(drama)
    )


def test_a_region_that_did_not_answer_in_time_is_told() -> None:
    drama = Drama(fleet(failover={"capacity_timeout": 30, "deadline": 600}))
    drama.cloud.pending |= {CENTRAL: 1_000, EUROPE: 1_000}
    drama.fail()
    drama.pass_time(900)
    assert f"no answer in time from {CENTRAL}" in unknown(reviewed(drama))


def test_a_story_that_is_not_over_says_what_it_waits_for() -> None:
    drama = Drama(fleet(modes=PROPOSE))
    drama.cloud.mute.add("chat")
    drama.fail()
    drama.pass_time(300)
    drama.cloud.mute.clear()
    drama.fail()
    drama.pass_time(10)
    told = reviewed(drama)
    assert told.chains[-1].closed is None
    assert "the chain is still open; plan_failover: approval is required" in unknown(told)


def test_a_step_that_was_judged_without_traffic_says_so() -> None:
    drama = Drama(fleet(workloads={"chat": workload(rate=0.1, per_replica=0.01)}))
    drama.fail()
    drama.pass_time(300)
    drama.cloud.mute.add("chat")
    drama.recover()
    drama.pass_time(300)
    assert f"too little real traffic of chat in {CENTRAL}" in unknown(reviewed(drama))


# -- what to improve ------------------------------------------------------------------------------


def test_the_share_of_the_wait_for_a_person_is_a_lesson_with_what_governs_it() -> None:
    told = reviewed(slowly_approved())
    (lesson,) = [one for one in told.lessons if one.fact.startswith("Approval")]
    assert lesson.fact.startswith("Approval took 100% of the time of chat (11 min of 11 min)")
    assert lesson.governs == "modes, limits"


def test_plans_that_did_not_hold_are_counted_by_what_they_met() -> None:
    drama = Drama(fleet())
    drama.cloud.most |= {CENTRAL: 6, EUROPE: 0}
    drama.fail()
    drama.pass_time(300)
    assert f"did not hold: {CENTRAL} grants 6 of" in lessons(reviewed(drama))


def test_an_alarm_that_nobody_mapped_is_named() -> None:
    drama = Drama(fleet(workloads=LONELY))
    native = {"kind": "aws.cloudwatch.alarm", "id": "a", "name": "disk-full"}
    drama.hear(evidence="alarm", source="//alarm.example.com/1", native=native)
    drama.fail()
    drama.pass_time(60)
    assert "alarm(s) `disk-full`" in lessons(reviewed(drama))


def test_that_nobody_answered_is_a_lesson() -> None:
    drama = Drama(fleet(modes=PROPOSE))
    drama.fail()
    drama.pass_time(3_700)
    assert "Nobody answered the question whether register.accept of chat may be done" in lessons(
        reviewed(drama)
    )


def test_a_relapse_is_a_lesson_with_its_reason() -> None:
    assert "The region relapsed at" in lessons(reviewed(there_and_back()))


def test_a_run_that_gave_up_says_where_to_look() -> None:
    drama = Drama(fleet())
    drama.cloud.mute.add("chat")
    drama.fail()
    drama.pass_time(120)
    (lesson,) = [one for one in reviewed(drama).lessons if "gave up after" in one.fact]
    assert lesson.governs.startswith("crosswind dlq show ")


def test_where_nothing_took_long_and_nothing_failed_there_is_little_to_say() -> None:
    drama = Drama(fleet(workloads=LONELY))
    drama.fail()
    drama.pass_time(30)
    told = reviewed(drama)
    assert [one.fact.partition(":")[0] for one in told.lessons] == ["chat could not be moved"]
