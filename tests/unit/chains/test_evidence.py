"""What evidence counts for, and when it is enough."""

from __future__ import annotations

import pytest

from crosswind.chains.failover.evidence import failing, recovered
from crosswind.chains.failover.words import since_recovery, taken_back
from crosswind_events import RegionRecovered
from unit.chains.fleets import CENTRAL, EAST, NOW, fleet, heard

FLEET = fleet(
    workloads={
        "chat": fleet().workloads["chat"].model_dump(),
        "search": fleet().workloads["chat"].model_dump(),
    },
    alerts=[
        {"match": "chat-*", "workload": "chat"},
        {"match": "grid-*", "workload": "search", "region": CENTRAL},
        {"match": "weak-*", "workload": "chat", "weight": 0.25},
    ],
)


def test_two_kinds_of_evidence_are_enough() -> None:
    verdict = failing([heard(), heard(evidence="telemetry", id="2")], EAST, FLEET, NOW)
    assert verdict.reached
    assert verdict.total == 2.0


def test_one_piece_is_not_enough() -> None:
    verdict = failing([heard()], EAST, FLEET, NOW)
    assert not verdict.reached
    assert "1 of 2 needed" in verdict.because


def test_two_vantages_are_independent() -> None:
    events = [heard(vantage="paris"), heard(vantage="tokyo", id="2")]
    assert failing(events, EAST, FLEET, NOW).reached


def test_an_observer_that_repeats_itself_counts_once_by_its_latest_word() -> None:
    events = [heard(id=str(n), ago=10.0 - n) for n in range(5)]
    verdict = failing(events, EAST, FLEET, NOW)
    assert verdict.total == 1.0
    assert [piece.event for piece in verdict.standing] == ["4"]
    assert "said again since" in verdict.pieces[0].because


def test_one_observer_that_sees_two_workloads_fail_is_still_one() -> None:
    events = [heard(workload="chat"), heard(workload="search", id="2")]
    verdict = failing(events, EAST, FLEET, NOW)
    assert not verdict.reached
    assert verdict.workloads == frozenset({"chat", "search"})


def test_two_alarms_are_heavy_and_yet_one_view() -> None:
    events = [
        heard(evidence="alarm", alarm="chat-5xx", source="//a.example.com"),
        heard(evidence="alarm", alarm="chat-slow", id="2", source="//b.example.com"),
    ]
    verdict = failing(events, EAST, FLEET, NOW)
    assert verdict.total == 2.0
    assert not verdict.reached
    assert "not independent enough" in verdict.because


@pytest.mark.parametrize("evidence", ["alarm", "probe", "telemetry", "provider"])
def test_one_source_alone_never_suffices_whatever_the_policy(evidence: str) -> None:
    lax = fleet(
        failover={"quorum": 0.5, "min_kinds": 1},
        alerts=[{"match": "*", "workload": "chat", "weight": 9}],
    )
    verdict = failing([heard(evidence=evidence, alarm="a")], EAST, lax, NOW)
    assert not verdict.reached
    assert "alone never suffice" in verdict.because
    two = [heard(evidence="probe", id=str(n), source=f"//{n}.example.com") for n in range(2)]
    assert failing(two, EAST, lax, NOW).reached


@pytest.mark.parametrize("weight", [1.0, 2.0, 50.0])
def test_the_providers_own_notices_alone_are_never_enough(weight: float) -> None:
    heavy = fleet(failover={"weights": {"provider": weight}, "min_kinds": 1, "quorum": 1.0})
    events = [heard(evidence="provider", id=str(n), source=f"//h/{n}") for n in range(5)]
    verdict = failing(events, EAST, heavy, NOW)
    assert not verdict.reached
    assert "provider" in verdict.because


def test_the_provider_together_with_a_probe_is_enough() -> None:
    events = [heard(evidence="provider", source="//health.example.com"), heard(id="2")]
    assert failing(events, EAST, FLEET, NOW).reached


def test_an_operators_word_is_judged_by_its_weight_alone() -> None:
    assert failing([heard(evidence="operator")], EAST, FLEET, NOW).reached
    light = fleet(failover={"weights": {"operator": 1.0}})
    assert not failing([heard(evidence="operator")], EAST, light, NOW).reached


def test_an_alarm_that_no_alert_admits_is_recorded_and_weighs_nothing() -> None:
    verdict = failing([heard(evidence="alarm", alarm="disk-full")], EAST, FLEET, NOW)
    (piece,) = verdict.pieces
    assert piece.weight == 0.0
    assert "unmapped" in piece.because


def test_an_alarm_without_a_name_weighs_nothing() -> None:
    (piece,) = failing([heard(evidence="alarm")], EAST, FLEET, NOW).pieces
    assert piece.weight == 0.0


def test_an_alarm_weighs_what_its_alert_says_and_names_its_workload() -> None:
    events = [
        heard(evidence="alarm", alarm="chat-5xx", source="//a.example.com"),
        heard(evidence="alarm", alarm="weak-1", id="2", source="//b.example.com"),
    ]
    verdict = failing(events, EAST, FLEET, NOW)
    assert [piece.weight for piece in verdict.pieces] == [1.0, 0.25]
    assert verdict.workloads == frozenset({"chat"})


def test_an_alarm_mapped_to_another_region_weighs_nothing_here() -> None:
    alarm = heard(evidence="alarm", alarm="grid-1")
    assert failing([alarm], EAST, FLEET, NOW).total == 0.0
    moved = heard(evidence="alarm", alarm="grid-1", region=CENTRAL)
    assert failing([moved], CENTRAL, FLEET, NOW).total == 1.0


def test_evidence_that_is_too_old_weighs_nothing() -> None:
    verdict = failing([heard(ago=301), heard(evidence="telemetry", id="2")], EAST, FLEET, NOW)
    assert verdict.total == 1.0
    assert "evidence counts for 300 s" in verdict.pieces[0].because


def test_what_an_observer_takes_back_no_longer_counts() -> None:
    events = [heard(ago=20), heard(RegionRecovered, ago=10, id="2")]
    verdict = failing(events, EAST, FLEET, NOW)
    assert verdict.total == 0.0
    assert "the opposite since (event 2)" in verdict.pieces[0].because


def test_a_late_alarm_about_the_past_does_not_undo_a_recovery() -> None:
    events = [heard(RegionRecovered, ago=5, id="2"), heard(ago=20)]
    assert failing(events, EAST, FLEET, NOW).total == 0.0


def test_a_word_about_the_whole_region_replaces_those_about_its_workloads() -> None:
    events = [heard(ago=20, workload="chat"), heard(ago=10, id="2")]
    verdict = failing(events, EAST, FLEET, NOW)
    assert [piece.event for piece in verdict.standing] == ["2"]
    assert verdict.workloads is None


def test_a_word_about_a_workload_adds_nothing_to_one_about_the_whole_region() -> None:
    events = [heard(ago=20), heard(ago=10, id="2", workload="chat")]
    verdict = failing(events, EAST, FLEET, NOW)
    assert verdict.total == 1.0
    assert [piece.weight for piece in verdict.pieces] == [1.0, 0.0]
    assert verdict.pieces[1].because == "the same observer says so of the whole region"


def test_a_word_about_the_whole_region_falls_with_the_first_workload_that_is_well() -> None:
    events = [heard(ago=20), heard(RegionRecovered, ago=10, id="2", workload="chat")]
    assert failing(events, EAST, FLEET, NOW).total == 0.0


def test_evidence_about_a_workload_concerns_that_workload_only() -> None:
    events = [heard(workload="chat"), heard(evidence="telemetry", id="2", workload="chat")]
    assert failing(events, EAST, FLEET, NOW).workloads == frozenset({"chat"})


def test_evidence_about_one_workload_is_none_about_another() -> None:
    events = [
        heard(workload="chat"),
        heard(evidence="telemetry", id="2", workload="search"),
    ]
    verdict = failing(events, EAST, FLEET, NOW)
    assert not verdict.reached
    assert "1 of 2 needed about chat" in verdict.because


def test_a_word_about_the_region_is_one_about_each_of_its_workloads() -> None:
    events = [heard(workload="chat"), heard(evidence="telemetry", id="2")]
    verdict = failing(events, EAST, FLEET, NOW)
    assert verdict.reached
    assert verdict.workloads == frozenset({"chat"})
    assert "2 of 2 needed about chat" in verdict.because


def test_only_workloads_of_which_enough_is_said_are_affected() -> None:
    events = [
        heard(workload="chat"),
        heard(workload="search", id="2"),
        heard(evidence="telemetry", id="3", workload="search"),
    ]
    assert failing(events, EAST, FLEET, NOW).workloads == frozenset({"search"})


def test_enough_about_the_region_affects_all_of_it() -> None:
    events = [heard(vantage="a"), heard(vantage="b", id="2"), heard(workload="chat", id="3")]
    assert failing(events, EAST, FLEET, NOW).workloads is None


def test_the_provider_does_not_condemn_the_workloads_that_nobody_else_sees_failing() -> None:
    events = [heard(evidence="provider", source="//health.example.com"), heard(workload="chat")]
    assert failing(events, EAST, FLEET, NOW).workloads == frozenset({"chat"})


def test_an_alarm_has_in_each_workload_the_weight_of_its_own_mapping() -> None:
    mapped = fleet(
        workloads={name: fleet().workloads["chat"].model_dump() for name in ("chat", "search")},
        alerts=[
            {"match": "gw-*", "workload": "chat", "weight": 1.0},
            {"match": "gw-5*", "workload": "search", "weight": 0.5},
        ],
    )
    events = [heard(evidence="alarm", alarm="gw-5xx"), heard(evidence="telemetry", id="2")]
    verdict = failing(events, EAST, mapped, NOW)
    assert verdict.workloads == frozenset({"chat"})
    assert verdict.total == 2.0


def test_a_fresh_look_that_contradicts_a_piece_takes_it_out() -> None:
    verdict = failing([heard()], EAST, FLEET, NOW, {"1": "a fresh probe was answered"})
    assert verdict.total == 0.0
    assert verdict.pieces[0].because == "a fresh probe was answered"


def test_a_region_has_recovered_when_enough_say_so_and_none_still_denies_it() -> None:
    well = [
        heard(RegionRecovered, vantage="a"),
        heard(RegionRecovered, vantage="b", id="2"),
    ]
    assert recovered(well, EAST, FLEET, NOW).reached
    still = [*well, heard(vantage="c", id="3")]
    verdict = recovered(still, EAST, FLEET, NOW)
    assert not verdict.reached
    assert "still say that it fails" in verdict.because


def test_evidence_is_taken_back_when_every_observer_has_said_the_opposite() -> None:
    events = [heard(ago=20, vantage="a"), heard(ago=20, vantage="b", id="2")]
    assert not taken_back(events, EAST)
    events.append(heard(RegionRecovered, vantage="a", id="3"))
    assert not taken_back(events, EAST)
    events.append(heard(RegionRecovered, vantage="b", id="4"))
    assert taken_back(events, EAST)


def test_what_was_said_before_the_first_word_of_recovery_belongs_to_the_past() -> None:
    old, new = heard(ago=30, vantage="a"), heard(ago=10, vantage="b", id="2")
    well = heard(RegionRecovered, ago=20, id="3")
    assert since_recovery([old, well, new]) == (well, new)
    assert since_recovery([old, new]) == (old, new)


def test_nothing_heard_is_not_taken_back() -> None:
    assert not taken_back([], EAST)
