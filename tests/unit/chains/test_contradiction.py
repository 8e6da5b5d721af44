"""A fresh word of an independent observer that all is well weighs against those that deny it."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.chains.failover.evidence import failing
from crosswind.fleet.declaration import Fleet
from crosswind_events import Event, RegionRecovered
from unit.chains.fleets import EAST, NOW, fleet, heard

FLEET = fleet(
    workloads={name: fleet().workloads["chat"].model_dump() for name in ("chat", "search")},
    alerts=[{"match": "chat-*", "workload": "chat", "weight": 0.5}],
)
BAD = (heard(vantage="a", ago=40), heard(evidence="provider", id="t", ago=20))
"""Two observers whose words suffice; the latest is 20 seconds old, a round of probes takes 30."""


def well(ago: float, vantage: str = "b", **more: Any) -> Event[Any]:
    return heard(RegionRecovered, ago=ago, id=f"w-{ago}-{vantage}", vantage=vantage, **more)


def policy(**failover: Any) -> Fleet:
    return FLEET.model_copy(update={"failover": fleet(failover=failover).failover})


def test_without_contradiction_the_words_suffice() -> None:
    assert failing(BAD, EAST, FLEET, NOW).reached


def test_a_fresh_word_that_all_is_well_is_taken_off_the_sum() -> None:
    verdict = failing([*BAD, well(5)], EAST, FLEET, NOW)
    assert not verdict.reached
    assert (verdict.total, verdict.weighing.against) == (1.0, 1.0)
    assert "1 taken off it by 1 fresh word(s) that all is well" in verdict.because
    (piece,) = (piece for piece in verdict.pieces if piece.says == "recovered")
    assert (piece.weight, piece.against) == (0.0, 1.0)
    assert piece.because == "says that the region is well, freshly: takes 1 from the sum"


@pytest.mark.parametrize(
    ("ago", "counts"),
    [(0, True), (20, True), (50, True), (51, False), (200, False)],
)
def test_it_is_fresh_while_it_is_no_more_than_a_round_older_than_the_last_that_denies_it(
    ago: float, counts: bool
) -> None:
    assert failing([*BAD, well(ago)], EAST, FLEET, NOW).reached is not counts


@pytest.mark.parametrize(("factor", "total"), [(0.0, 2.0), (0.5, 1.5), (1.0, 1.0), (3.0, 0.0)])
def test_the_policy_says_how_much_it_weighs(factor: float, total: float) -> None:
    assert failing([*BAD, well(5)], EAST, policy(contradiction=factor), NOW).total == total


def test_more_evidence_outweighs_it() -> None:
    assert failing([*BAD, well(5), heard(vantage="c", id="c")], EAST, FLEET, NOW).reached


def test_each_observer_contradicts_once() -> None:
    events = [*BAD, well(5), well(4), well(3, workload="chat")]
    assert failing(events, EAST, FLEET, NOW).weighing.against == 1.0


def test_an_observer_that_has_denied_it_again_contradicts_nothing() -> None:
    events = [*BAD, well(5, vantage="a"), heard(vantage="a", id="again")]
    assert failing(events, EAST, FLEET, NOW).reached


def test_an_alarm_that_is_over_weighs_as_much_as_it_did() -> None:
    over = heard(RegionRecovered, "alarm", id="ok", alarm="chat-5xx")
    chat = [*BAD[:1], heard(evidence="telemetry", id="t", ago=20, workload="chat"), over]
    assert failing(chat, EAST, FLEET, NOW).total == 1.5
    unmapped = heard(RegionRecovered, "alarm", id="ok", alarm="disk-full")
    assert failing([*BAD, unmapped], EAST, FLEET, NOW).reached


def test_what_is_well_in_one_workload_says_nothing_of_another() -> None:
    events = [
        heard(workload="search", vantage="a"),
        heard(evidence="telemetry", id="t", workload="search"),
        well(1, workload="chat"),
    ]
    assert failing(events, EAST, FLEET, NOW).workloads == frozenset({"search"})


def test_a_region_as_a_whole_does_not_fail_where_one_of_its_workloads_is_well() -> None:
    verdict = failing([*BAD, well(1, workload="chat")], EAST, FLEET, NOW)
    assert verdict.workloads == frozenset({"search"})


def test_nothing_that_is_measured_weighs_against_a_person() -> None:
    assert failing([heard(evidence="operator"), well(0)], EAST, FLEET, NOW).reached


def test_a_probe_takes_nothing_from_a_sum_in_which_real_traffic_fails() -> None:
    traffic = heard(evidence="telemetry", id="traffic", ago=10)
    verdict = failing([BAD[0], traffic, well(0)], EAST, FLEET, NOW)
    assert (verdict.reached, verdict.weighing.against) == (True, 0.0)
    stale = heard(evidence="telemetry", id="traffic", ago=100)
    assert not failing([BAD[0], stale, well(0)], EAST, FLEET, NOW).reached


def test_that_a_reading_lags_behind_is_no_reason_to_believe_a_probe_more() -> None:
    lagging = heard(evidence="telemetry", id="traffic", ago=2, measured={"age": 60.0})
    verdict = failing([BAD[0], lagging, well(0)], EAST, FLEET, NOW)
    assert (verdict.reached, verdict.weighing.against) == (True, 0.0)


def test_real_traffic_that_is_well_is_taken_off_what_probes_say() -> None:
    probes = (heard(vantage="a"), heard(vantage="b", id="b"))
    traffic = heard(RegionRecovered, "telemetry", id="traffic")
    assert failing([*probes, traffic], EAST, FLEET, NOW).total == 1.0


def test_a_person_may_contradict_a_person() -> None:
    other = heard(RegionRecovered, "operator", id="2", source="//people.example.com")
    assert not failing([heard(evidence="operator"), other], EAST, FLEET, NOW).reached


def test_it_is_told_whether_only_the_contradiction_makes_it_too_little() -> None:
    assert failing([*BAD, well(5)], EAST, FLEET, NOW).contradicted
    assert not failing([*BAD[:1], well(5)], EAST, FLEET, NOW).contradicted
    assert not failing(BAD, EAST, FLEET, NOW).contradicted


def test_nothing_is_contradicted_where_nothing_is_said() -> None:
    verdict = failing([well(5)], EAST, FLEET, NOW)
    assert (verdict.total, verdict.weighing.against) == (0.0, 0.0)
