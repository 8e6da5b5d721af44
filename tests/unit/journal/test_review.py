"""The review of an incident: seen, decided, done, how long, not known, to improve."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind import App
from crosswind.journal.review import episode, reading
from crosswind.journal.review.facts import Decided
from crosswind.journal.review.incidents import incidents
from crosswind.journal.review.story import Review, review
from crosswind.testing import FaultPlan, On
from crosswind_events import Event, RegionRecovered, RegionUnhealthy
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, EUROPE, fleet, placement, workload
from unit.chains.test_brakes import PROPOSE, answer

LONELY = {"chat": workload(regions={EAST: placement(1.0, 10, 10)})}
MONTH = 30 * 86_400.0


def reviewed(drama: Drama) -> Review:
    """The review of the one incident of a drama."""
    found = incidents(drama.engine.ledger, ["shop"], drama.now, MONTH)
    (incident,) = found
    return review(drama.engine.ledger, drama.app, incident, drama.now, found)


def decided(told: Review, type: str) -> list[Decided]:
    return [one for one in told.decided if one.type == f"dev.crosswind.{type}.v1"]


def lessons(told: Review) -> str:
    return "\n".join(lesson.fact for lesson in told.lessons)


def unknown(told: Review) -> str:
    return "\n".join(one.what for one in told.unknown)


def slowly_approved() -> Drama:
    """A failover that a person lets wait, whose first plan does not hold, and that then fails."""
    drama = Drama(fleet(modes=PROPOSE))
    drama.cloud.most[CENTRAL] = 7
    drama.fail()
    drama.pass_time(600)
    answer(drama, "granted")
    drama.pass_time(60)
    answer(drama, "rejected")
    drama.pass_time(60)
    return drama


def there_and_back() -> Drama:
    """Left; relapsed on its way back, which is the incident; then back for good."""
    drama = Drama(fleet())
    drama.fail()
    drama.pass_time(300)
    drama.recover()
    drama.cloud.errors[EAST] = 0.5
    drama.pass_time(600)
    drama.cloud.errors.clear()
    drama.recover()
    drama.recover()
    drama.pass_time(600)
    return drama


# -- what was seen -------------------------------------------------------------------------------


def test_each_observer_is_shown_with_what_its_word_counted_for() -> None:
    drama = Drama(fleet(workloads=LONELY))
    native = {"kind": "aws.cloudwatch.alarm", "id": "a", "name": "disk-full"}
    drama.hear(evidence="alarm", source="//alarm.example.com/1", native=native)
    drama.fail()
    drama.pass_time(60)
    told = reviewed(drama)
    assert [(one.kind, one.weight) for one in told.seen] == [
        ("alarm", 0.0),
        ("probe", 1.0),
        ("telemetry", 1.0),
    ]
    assert told.seen[0].alarm == "disk-full"
    assert "unmapped" in told.seen[0].because


def test_what_an_observer_says_again_and_again_is_one_line() -> None:
    drama = Drama(fleet(modes=PROPOSE, workloads=LONELY))
    drama.fail()
    drama.pass_time(90)
    for _ in range(20):
        drama.pass_time(1)
        drama.hear(vantage="paris")
    drama.pass_time(4_000)
    paris = [one for one in reviewed(drama).seen if one.vantage == "paris"]
    assert [one.times for one in paris] == [20]
    assert paris[0].last - paris[0].at == pytest.approx(19.0, abs=1.0)


def test_a_word_that_is_taken_back_and_given_again_is_three_lines() -> None:
    drama = Drama(fleet(workloads=LONELY))
    for says in (RegionUnhealthy, RegionRecovered, RegionUnhealthy):
        drama.hear(says)
        drama.pass_time(1)
    drama.hear(evidence="operator")
    drama.pass_time(60)
    told = reviewed(drama)
    assert [one.says for one in told.seen if one.kind == "probe"] == [
        "unhealthy",
        "recovered",
        "unhealthy",
    ]


# -- what was decided ----------------------------------------------------------------------------


def test_a_decision_is_shown_with_the_ways_that_were_not_taken() -> None:
    told = reviewed(slowly_approved())
    first = decided(told, "failover.planned")[0]
    assert first.chosen == f"all that moves to {CENTRAL}"
    rejected = [way for way in first.alternatives if not way.chosen]
    assert f"all that moves to {EUROPE}" in {way.name for way in rejected}
    assert all(way.because.startswith("rejected: ") for way in rejected)
    assert first.rule


def test_why_a_plan_was_given_up_for_another_is_decided_too() -> None:
    (again,) = decided(reviewed(slowly_approved()), "failover.requested")
    assert again.attempt == 2
    assert "grants 7 of 10 replicas (the region is short of machines)" in again.because


def test_the_end_of_a_chain_is_its_last_decision() -> None:
    told = reviewed(slowly_approved())
    assert told.decided[-1].ends == "failed"
    assert "rejected by ada@example.com" in told.decided[-1].because


# -- what was done -------------------------------------------------------------------------------


def test_an_action_is_told_in_its_own_words_with_what_was_asked_and_granted() -> None:
    told = reviewed(slowly_approved())
    (scaled,) = [one for one in told.done if one.kind == "endpoint.scale"]
    assert scaled.words == f"scale chat in {CENTRAL} to 10 replicas"
    assert scaled.result == ("7 granted of 10 requested, 7 ready: the region is short of machines")
    assert scaled.covered, "its plan was approved"


def test_an_action_of_a_kind_that_the_app_does_not_know_is_told_by_its_arguments() -> None:
    drama = slowly_approved()
    found = incidents(drama.engine.ledger, ["shop"], drama.now, MONTH)
    told = review(drama.engine.ledger, App("other"), found[0], drama.now, found)
    (scaled,) = [one for one in told.done if one.kind == "endpoint.scale"]
    assert scaled.words.startswith(f"workload chat, region {CENTRAL}, replicas 10")


def test_what_was_refused_says_by_whom() -> None:
    told = reviewed(slowly_approved())
    (refused,) = [one for one in told.done if one.refused and one.kind == "register.accept"]
    assert refused.result == "rejected by ada@example.com"


def test_a_question_is_told_with_how_long_it_waited_and_who_answered() -> None:
    first, second = reviewed(slowly_approved()).asked
    assert (first.outcome, first.by) == ("granted", "ada@example.com")
    assert first.answered is not None
    assert first.answered - first.at == pytest.approx(600, abs=1)
    assert second.outcome == "rejected"


def test_a_question_that_was_decided_anew_on_later_evidence_waited_from_the_beginning() -> None:
    drama = Drama(fleet(modes=PROPOSE))
    drama.cloud.most |= {CENTRAL: 7}
    drama.fail()
    drama.pass_time(300)
    drama.hear(vantage="paris")
    drama.pass_time(300)
    answer(drama, "granted")
    drama.pass_time(10)
    answer(drama, "rejected")
    drama.pass_time(60)
    first = reviewed(drama).asked[0]
    assert first.answered is not None
    assert first.answered - first.at == pytest.approx(600, abs=1)


def test_attempts_that_failed_are_told_apart_from_those_given_up() -> None:
    drama = Drama(fleet(workloads={"chat": workload(), "search": workload()}))
    drama.cloud.mute.add("search")
    drama.fail()
    drama.pass_time(120)
    (failed,) = reviewed(drama).failed
    assert failed.final
    assert failed.handler == "plan_failover"
    assert failed.times == 5


# -- how long ------------------------------------------------------------------------------------


def test_the_parts_add_up_and_the_wait_for_a_person_is_told_apart() -> None:
    told = reviewed(slowly_approved())
    (way,) = told.ways[told.chains[0].chain]
    assert way.took("approval") == pytest.approx(660, abs=1)
    assert sum(part.seconds for part in way.parts) == pytest.approx(way.seconds)


def test_detection_and_outage_come_from_what_the_callers_saw() -> None:
    drama = Drama(fleet())
    drama.cloud.fail(EAST)
    drama.pass_time(20)
    drama.hear()
    drama.hear(evidence="telemetry")
    drama.pass_time(300)
    drama.recover()
    drama.cloud.errors[EAST] = 0.5
    drama.pass_time(600)
    told = reviewed(drama)
    (way,) = told.ways[told.chains[0].chain]
    assert way.took("detection") == pytest.approx(20, abs=0.1)
    assert way.outage is not None
    assert way.outage.seconds == pytest.approx(30, abs=1)


# -- one story over several chains ---------------------------------------------------------------


def test_the_failover_before_a_relapse_and_the_way_back_after_it_belong_to_its_story() -> None:
    drama = there_and_back()
    told = reviewed(drama)
    assert [facts.outcome for facts in told.chains] == ["completed", "relapsed", "recovered"]
    assert told.incident.state == "resolved"
    assert told.incident.chains == (told.chains[1].chain,)


def test_the_way_back_after_it_was_resolved_belongs_to_its_story() -> None:
    drama = Drama(fleet())
    drama.cloud.mute.add("chat")
    drama.fail()
    drama.pass_time(300)
    drama.cloud.mute.clear()
    drama.fail()
    drama.pass_time(300)
    drama.recover()
    drama.hear(RegionRecovered, vantage="c")
    drama.pass_time(600)
    told = reviewed(drama)
    assert told.incident.state == "resolved"
    assert [facts.outcome for facts in told.chains] == ["failed", "completed", "recovered"]


def test_of_very_many_chains_the_first_and_the_latest_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drama = Drama(fleet(workloads=LONELY))
    for number in range(7):
        drama.hear(evidence="operator", source=f"//people.example.com/{number}")
        drama.pass_time(30)
    monkeypatch.setattr(episode, "MOST", 4)
    told = reviewed(drama)
    assert len(told.chains) == 4
    assert told.left_out == 3
    opened = [facts.opened for facts in told.chains]
    assert opened[1] - opened[0] == pytest.approx(30, abs=1)
    assert opened[2] - opened[1] > 100


def test_an_earlier_outage_that_was_over_is_another_story() -> None:
    drama = Drama(fleet())
    drama.fail()
    drama.pass_time(300)
    drama.recover()
    drama.pass_time(600)
    assert drama.state() == "serving"
    drama.cloud.mute.add("chat")
    drama.fail()
    drama.pass_time(300)
    told = reviewed(drama)
    assert [facts.outcome for facts in told.chains] == ["failed"]


def test_the_same_trouble_again_has_a_story_of_its_own() -> None:
    drama = there_and_back()
    drama.cloud.mute.add("chat")
    drama.fail()
    drama.pass_time(300)
    found = incidents(drama.engine.ledger, ["shop"], drama.now, MONTH)
    now, before = (review(drama.engine.ledger, drama.app, one, drama.now, found) for one in found)
    assert [facts.outcome for facts in now.chains] == ["failed"]
    assert [facts.outcome for facts in before.chains] == ["completed", "relapsed", "recovered"]


def test_a_word_that_came_to_nothing_shortly_before_belongs_to_it_and_an_old_one_does_not() -> None:
    drama = Drama(fleet(workloads=LONELY))
    drama.hear(vantage="long ago")
    drama.pass_time(5_000)
    drama.hear(vantage="just before")
    drama.pass_time(700)
    drama.fail()
    drama.pass_time(60)
    told = reviewed(drama)
    assert [facts.outcome for facts in told.chains] == ["unconfirmed", "no-safe-plan"]
    assert "ended unconfirmed" in lessons(told)


def test_a_chain_that_is_no_longer_in_the_journal_is_said_to_be_missing() -> None:
    drama = slowly_approved()
    drama.store.purge(drama.now + 40 * 86_400)
    told = reviewed(drama)
    assert told.chains == ()
    assert len(told.missing) == 1


# -- what was not known --------------------------------------------------------------------------


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


# -- what to improve -----------------------------------------------------------------------------


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


# -- bounds --------------------------------------------------------------------------------------


def test_of_a_huge_chain_a_part_is_read_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    drama = Drama(fleet(modes=PROPOSE))
    drama.fail()
    for number in range(120):
        drama.hear(vantage=f"v{number}")
    drama.pass_time(4_000)
    monkeypatch.setattr(reading, "READ", 100)
    told = reviewed(drama)
    assert told.chains[0].cut
    assert len(told.seen) <= 200
    assert "no more were read" in unknown(told)


def test_a_review_for_programs_is_json() -> None:
    import json

    from pydantic_core import to_json

    document = json.loads(to_json(reviewed(there_and_back()).as_json()))
    assert document["incident"] == f"region:{EAST}"
    assert {way["phase"] for took in document["took"] for way in took["parts"]} >= {"shift", "soak"}
    assert len(document["chains"]) == 3
