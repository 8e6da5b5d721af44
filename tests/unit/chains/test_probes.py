"""What the probes say, and that they are enough to leave a region and to come back to it."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind_events import RegionRecovered, RegionUnhealthy
from crosswind_events.catalogue.failover import FailoverCompleted
from crosswind_events.catalogue.incident import IncidentResolved
from crosswind_events.catalogue.probe import ProbeDue
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
    drama.tick()
    probed = [e.data for e in drama.said(RegionUnhealthy) if e.data.evidence == "probe"]
    assert {(data.region, data.vantage, data.workload) for data in probed} == {
        (EAST, "home", "chat"),
        (EAST, "away", "chat"),
    }


def test_real_traffic_that_fails_is_evidence_of_another_kind() -> None:
    drama = probing(probes={"every": 5, "vantages": ["home"]})
    drama.cloud.fail(EAST)
    drama.tick()
    kinds = [event.data.evidence for event in drama.said(RegionUnhealthy)]
    assert sorted(kinds) == ["probe", "telemetry"]


def test_where_all_workloads_fail_it_is_said_once_of_the_region() -> None:
    drama = probing(workloads={"chat": workload(), "search": workload()})
    drama.cloud.fail(EAST)
    drama.tick()
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
    drama.tick()
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
