"""The review of an incident: what was seen, decided and done, and how long it took."""

from __future__ import annotations

import pytest

from crosswind import App
from crosswind.journal.review import reading
from crosswind.journal.review.incidents import incidents
from crosswind.journal.review.story import review
from crosswind_events import RegionRecovered, RegionUnhealthy
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, EUROPE, fleet, workload
from unit.chains.test_brakes import PROPOSE, answer
from unit.journal.reviews import (
    LONELY,
    MONTH,
    decided,
    reviewed,
    slowly_approved,
    there_and_back,
    unknown,
)

# -- what was seen --------------------------------------------------------------------------------


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


# -- what was decided -----------------------------------------------------------------------------


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


# -- what was done --------------------------------------------------------------------------------


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


# -- how long -------------------------------------------------------------------------------------


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


# -- bounds ---------------------------------------------------------------------------------------


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
