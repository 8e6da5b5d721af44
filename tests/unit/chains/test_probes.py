"""What the probes say, and that they are enough to leave a region and to come back to it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from crosswind.chains.failover.probes import shift
from crosswind.fleet.policies import ProbePolicy
from crosswind.operations.telemetry import RegionTelemetry
from crosswind_events import RegionRecovered, RegionUnhealthy
from crosswind_events.catalogue.deadletter import DeadLettered
from crosswind_events.catalogue.failover import FailoverCompleted
from crosswind_events.catalogue.incident import IncidentResolved
from crosswind_events.catalogue.probe import ProbeDue, TelemetryDue
from crosswind_events.catalogue.recovery import FailbackCompleted
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, fleet, placement, workload

CHAIN = "00000000-0000-5000-8000-000000000000"
STALE: dict[str, str | int | bool] = {"correlationid": CHAIN, "hop": 1}


def probing(**changes: Any) -> Drama:
    policy = {"soak": 60, "failback_steps": 2, "failback_pause": 10, "window": 60}
    return Drama(
        fleet(
            **{"probes": {"every": 5, "vantages": ["home", "away"]}, "failover": policy, **changes}
        )
    )


def test_nothing_is_said_while_all_is_well() -> None:
    drama = probing()
    drama.watch(20)
    assert not drama.said(RegionUnhealthy)
    assert not drama.said(RegionRecovered)


def test_a_region_that_does_not_answer_is_called_unhealthy_from_every_vantage() -> None:
    drama = probing()
    drama.cloud.fail(EAST)
    drama.round()
    probed = [e.data for e in drama.said(RegionUnhealthy) if e.data.evidence == "probe"]
    assert {(data.region, data.vantage, data.workload) for data in probed} == {
        (EAST, "home", "chat"),
        (EAST, "away", "chat"),
    }


def test_real_traffic_that_fails_is_evidence_of_another_kind() -> None:
    drama = probing(probes={"every": 5, "vantages": ["home"]})
    drama.cloud.fail(EAST)
    drama.round()
    kinds = [event.data.evidence for event in drama.said(RegionUnhealthy)]
    assert sorted(kinds) == ["probe", "telemetry"]


def test_where_all_workloads_fail_it_is_said_once_of_the_region() -> None:
    drama = probing(workloads={"chat": workload(), "search": workload()})
    drama.cloud.fail(EAST)
    drama.round()
    probed = [e.data for e in drama.said(RegionUnhealthy) if e.data.evidence == "probe"]
    assert [(data.vantage, data.workload) for data in probed] == [("home", None), ("away", None)]
    assert "all 2 workloads failed" in probed[0].reason


def test_the_probes_alone_lead_a_region_out_and_back() -> None:
    drama = probing()
    drama.watch(10)
    drama.cloud.fail(EAST)
    drama.watch(60)
    assert drama.one(FailoverCompleted)
    assert drama.state() == "evacuated"
    assert drama.cloud.weights["chat"][EAST] == 0.0
    drama.cloud.recover(EAST)
    drama.watch(250)
    assert drama.one(FailbackCompleted)
    assert drama.state() == "serving"
    assert drama.cloud.weights["chat"] == pytest.approx(drama.fleet.workloads["chat"].weights)


def test_a_region_that_was_left_is_no_longer_called_unhealthy() -> None:
    drama = probing()
    drama.cloud.fail(EAST)
    drama.watch(60)
    before = len(drama.said(RegionUnhealthy))
    drama.watch(60)
    assert len(drama.said(RegionUnhealthy)) == before


def test_the_last_traffic_of_a_region_that_was_left_is_not_held_against_it() -> None:
    drama = probing()
    drama.cloud.fail(EAST)
    drama.watch(60)
    drama.cloud.weights["chat"] = {EAST: 0.5, CENTRAL: 0.5}  # as in a window that reaches back
    before = len(drama.said(RegionUnhealthy))
    drama.round()
    assert len(drama.said(RegionUnhealthy)) == before


def test_a_soaking_region_is_called_well_once_in_a_window_only() -> None:
    drama = probing(failover={"soak": 600, "window": 60})
    drama.cloud.fail(EAST)
    drama.watch(90)
    drama.cloud.recover(EAST)
    drama.watch(60)
    assert drama.state() == "soaking"
    before = len(drama.said(RegionRecovered))
    drama.watch(120)
    assert len(drama.said(RegionRecovered)) - before == 2 * 2


def test_a_region_with_an_open_incident_is_called_well_so_that_it_can_be_resolved() -> None:
    drama = probing(workloads={"chat": workload(regions={EAST: placement(1.0, 10, 10)})})
    drama.cloud.fail(EAST)
    drama.watch(30)
    assert drama.cloud.told
    drama.cloud.recover(EAST)
    drama.watch(300)
    assert drama.one(IncidentResolved)


def test_a_round_that_comes_too_late_says_nothing() -> None:
    drama = probing()
    drama.cloud.fail(EAST)
    drama.publish(drama.event(ProbeDue(region=EAST), ago=60, extensions=STALE))
    assert drama.records(CHAIN)[0].state == "committed"
    assert not drama.said(RegionUnhealthy)


def test_only_the_region_that_fails_is_spoken_of() -> None:
    drama = probing()
    drama.cloud.fail(EAST)
    drama.watch(20)
    assert {event.data.region for event in drama.said(RegionUnhealthy)} == {EAST}
    assert CENTRAL not in drama.cloud.down


# -- jitter -----------------------------------------------------------------------------------


def regions(count: int) -> dict[str, Any]:
    """A fleet's regions, and a workload that is in each of them."""
    names = [f"aws/region-{number}" for number in range(count)]
    placed = {name: placement(1.0 if name == names[0] else 0.0, 10, 10) for name in names}
    return {
        "regions": {name: {"jurisdiction": "US"} for name in names},
        "workloads": {"chat": workload(regions=placed)},
    }


def moments(drama: Drama) -> dict[tuple[str, str], list[float]]:
    """When each region was probed from each vantage."""
    found: dict[tuple[str, str], list[float]] = {}
    for at, query in drama.cloud.probes:
        found.setdefault((query.region, query.vantage), []).append(at)
    return found


def test_sixty_regions_are_not_probed_in_one_moment() -> None:
    policy = {"every": 30, "vantages": ["home", "away"], "jitter": 0.5}
    drama = probing(probes=policy, **regions(60))
    began = drama.now
    drama.round()
    offsets = sorted(at - began for ats in moments(drama).values() for at in ats)
    assert len(offsets) == 120
    assert 0 <= offsets[0] < offsets[-1] < 15
    fullest = max(sum(second <= at < second + 1 for at in offsets) for second in range(15))
    assert fullest < 24, "the fifteenth part would be eight"


def test_each_region_is_looked_at_from_each_vantage_in_even_distances() -> None:
    policy = {"every": 30, "vantages": ["home", "away"], "jitter": 1.0}
    drama = probing(probes=policy, **regions(5))
    drama.watch(120, every=30)
    for ats in moments(drama).values():
        assert [round(after - before, 1) for before, after in pairwise(ats)] == [30.0] * 3


def test_vantages_are_shifted_against_each_other() -> None:
    policy = ProbePolicy(every=30, jitter=0.5)
    shifts = {shift(policy, EAST, vantage) for vantage in ("home", "away", "far")}
    assert len(shifts) == 3
    assert all(0 <= one < 15 for one in shifts)


def test_a_shift_is_the_same_in_every_process() -> None:
    assert shift(ProbePolicy(every=30, jitter=0.1), EAST, "home") == pytest.approx(
        0.391457, abs=1e-6
    )


def test_without_jitter_a_round_is_one_moment() -> None:
    drama = probing(probes={"every": 5, "jitter": 0})
    began = drama.now
    drama.tick()
    assert {round(at - began, 1) for ats in moments(drama).values() for at in ats} == {0.0}


def test_a_round_that_waits_for_its_shift_is_not_late() -> None:
    drama = probing(probes={"every": 5, "jitter": 1.0, "vantages": ["home"]})
    drama.cloud.fail(EAST)
    drama.round()
    assert drama.said(RegionUnhealthy)


# -- very many workloads ----------------------------------------------------------------------


def crowd(count: int, **changes: Any) -> dict[str, Any]:
    return {f"w{number:04}": workload(**{"rate": 1, **changes}) for number in range(count)}


def test_a_region_with_many_workloads_is_probed_by_several_runs() -> None:
    drama = probing(workloads=crowd(90), probes={"every": 30, "vantages": ["home", "away"]})
    drama.round()
    asked = {(q.vantage, q.workload) for _, q in drama.cloud.probes if q.region == EAST}
    assert len(asked) == 180
    handed_on = [e.data for e in drama.said(ProbeDue) if e.data.after and e.data.region == EAST]
    assert sorted((due.vantage, due.asked) for due in handed_on) == [
        ("away", 40),
        ("away", 80),
        ("home", 40),
        ("home", 80),
    ]


def test_where_all_of_very_many_fail_it_is_said_of_the_region_in_the_end() -> None:
    drama = probing(workloads=crowd(50), probes={"every": 30, "vantages": ["home"]})
    drama.cloud.fail(EAST)
    drama.round()
    probed = [e.data for e in drama.said(RegionUnhealthy) if e.data.evidence == "probe"]
    assert len(probed) == 20 + 1
    assert probed[-1].workload is None
    assert "all 50 workloads" in probed[-1].reason


def test_once_a_region_is_silent_each_further_workload_is_asked_once() -> None:
    drama = probing(workloads=crowd(30), probes={"every": 30, "vantages": ["home"]})
    drama.cloud.fail(EAST)
    drama.round()
    counts = [query.count for _, query in drama.cloud.probes if query.region == EAST]
    assert counts == [3] * 3 + [1] * 27


def test_a_region_is_called_well_only_when_the_last_of_its_workloads_was_probed() -> None:
    drama = probing(workloads=crowd(50), probes={"every": 30, "vantages": ["home", "away"]})
    drama.cloud.fail(EAST)
    drama.watch(90, every=30)
    assert drama.state() == "evacuated"
    drama.cloud.recover(EAST)
    drama.round()
    said = [event.data for event in drama.said(RegionRecovered)]
    assert {(data.vantage, data.workload) for data in said} == {("home", None), ("away", None)}


def test_a_region_is_not_called_well_where_one_of_the_first_of_its_workloads_failed() -> None:
    drama = probing(workloads=crowd(50), probes={"every": 30, "vantages": ["home", "away"]})
    drama.cloud.fail(EAST)
    drama.watch(90, every=30)
    drama.cloud.recover(EAST)
    drama.cloud.ill.add(("w0003", EAST))
    drama.round()
    assert not drama.said(RegionRecovered)


def test_a_workload_that_fails_alone_is_named() -> None:
    drama = probing(workloads=crowd(50), probes={"every": 30, "vantages": ["home"]})
    drama.cloud.ill.add(("w0003", EAST))
    drama.round()
    assert [event.data.workload for event in drama.said(RegionUnhealthy)] == ["w0003"]


def test_the_traffic_of_every_workload_of_a_large_fleet_is_looked_at() -> None:
    drama = probing(workloads=crowd(250), probes={"every": 30})
    drama.round()
    assert {query.workload for query in drama.cloud.read} == set(drama.fleet.workloads)


def test_a_wide_workload_is_read_in_a_run_of_its_own() -> None:
    drama = probing(
        probes={"every": 30},
        **{
            **regions(60),
            "workloads": crowd(6, regions=regions(60)["workloads"]["chat"]["regions"]),
        },
    )
    drama.round()
    runs = [event.data.workloads for event in drama.said(TelemetryDue)]
    assert [len(names) for names in runs] == [6, 4, 2]


def test_a_round_that_fails_everywhere_says_no_more_than_a_run_may() -> None:
    drama = probing(workloads=crowd(60, rate=100), probes={"every": 30, "vantages": ["home"]})
    for region in drama.fleet.regions:
        drama.cloud.fail(region)
    drama.round()
    assert not drama.said(DeadLettered)
    assert drama.said(RegionUnhealthy)


# -- grey failures ----------------------------------------------------------------------------


def slow_fleet(**changes: Any) -> Drama:
    return probing(workloads={"chat": workload(slo={"latency_ms": 800})}, **changes)


def test_a_region_that_answers_too_late_is_called_unhealthy_by_probes_and_traffic() -> None:
    drama = slow_fleet(probes={"every": 5, "vantages": ["home"]})
    drama.cloud.slow[EAST] = 2500.0
    drama.round()
    said = {event.data.evidence: event.data.reason for event in drama.said(RegionUnhealthy)}
    assert said["probe"] == "chat took 2500 ms or more, 800 ms are promised"
    assert said["telemetry"] == "100.0% of its answers took longer than 800 ms"


def test_a_grey_failure_leads_a_region_out() -> None:
    drama = slow_fleet()
    drama.cloud.slow[EAST] = 2500.0
    drama.watch(60)
    assert drama.one(FailoverCompleted)


def test_a_region_that_is_slow_and_within_its_objective_is_left_alone() -> None:
    drama = slow_fleet()
    drama.cloud.slow[EAST] = 700.0
    drama.watch(30)
    assert not drama.said(RegionUnhealthy)


# -- telemetry --------------------------------------------------------------------------------


def test_a_budget_that_burns_is_evidence_though_the_last_round_is_fair() -> None:
    drama = probing(probes={"every": 5})
    drama.cloud.past = {
        (EAST, 3600.0): RegionTelemetry(requests=100_000, errors=2000),
        (EAST, 300.0): RegionTelemetry(requests=10_000, errors=200),
    }
    drama.round()
    said = drama.one(RegionUnhealthy).data
    assert said.reason == "chat burns 20 times its budget over 1 h and 5 min, more than 14.4 times"


def test_telemetry_that_is_missing_says_nothing() -> None:
    drama = probing(probes={"every": 5})
    drama.cloud.lag = None
    drama.round()
    assert not drama.said(RegionUnhealthy)
    assert not drama.said(RegionRecovered)


def test_telemetry_that_is_late_says_how_late() -> None:
    drama = probing(probes={"every": 5})
    drama.cloud.fail(EAST)
    drama.cloud.lag = 40.0
    drama.round()
    (said,) = (e.data for e in drama.said(RegionUnhealthy) if e.data.evidence == "telemetry")
    assert said.measured["age"] == pytest.approx(40.0)


def test_telemetry_that_is_older_than_evidence_may_be_says_nothing() -> None:
    drama = probing(probes={"every": 5})
    drama.cloud.fail(EAST)
    drama.cloud.lag = 61.0
    drama.round()
    assert [e.data.evidence for e in drama.said(RegionUnhealthy)] == ["probe"]
