"""What is seen is wrong, missing, late, or contradicts itself."""

from __future__ import annotations

import pytest

from crosswind.sim import Fault
from crosswind_events.catalogue.failover import FailoverCompleted, FailoverConfirmed
from crosswind_events.catalogue.recovery import FailbackCompleted
from stories.telling import CENTRAL, EAST, HOUR, MINUTE, declared, tell


def test_telemetry_that_is_wrong_about_one_region_moves_nothing_alone() -> None:
    wrong = Fault("wrong-telemetry", 10 * MINUTE, HOUR, region=EAST, workload="chat", size=0.6)
    story = tell(wrong).until(HOUR)
    assert not story.said(FailoverConfirmed)
    assert story.simulation.world.epochs == {"chat": 0, "search": 0}


def test_a_vantage_whose_own_network_is_broken_is_not_believed() -> None:
    story = tell(Fault("false-alarm", 10 * MINUTE, 40 * MINUTE, vantage="eu")).until(HOUR)
    assert story.simulation.world.epochs == {"chat": 0, "search": 0}


def test_a_providers_notice_alone_moves_nothing() -> None:
    story = tell(Fault("notice", 10 * MINUTE, 40 * MINUTE, region=EAST)).until(HOUR)
    assert story.simulation.world.epochs == {"chat": 0, "search": 0}


def test_telemetry_that_is_missing_does_not_keep_a_dead_region() -> None:
    story = tell(
        Fault("outage", 10 * MINUTE, HOUR, region=EAST),
        Fault("missing-telemetry", 5 * MINUTE, HOUR, region=EAST),
    ).until(30 * MINUTE)
    assert story.serves("chat", EAST) == 0


def test_telemetry_that_stands_still_does_not_keep_a_dead_region() -> None:
    story = tell(
        Fault("outage", 10 * MINUTE, HOUR, region=EAST),
        Fault("stale-telemetry", 5 * MINUTE, HOUR, region=EAST),
    ).until(30 * MINUTE)
    assert story.serves("chat", EAST) == 0


@pytest.mark.parametrize("vantage", ["us", "eu"])
def test_one_blind_vantage_does_not_keep_a_dead_region(vantage: str) -> None:
    story = tell(
        Fault("outage", 10 * MINUTE, HOUR, region=EAST),
        Fault("blind-probe", 5 * MINUTE, HOUR, region=EAST, vantage=vantage),
    ).until(40 * MINUTE)
    assert story.serves("chat", EAST) == 0


def test_evidence_that_turns_out_false_after_the_shift_leads_back_gradually() -> None:
    story = tell(
        Fault("false-alarm", 10 * MINUTE, 20 * MINUTE, region=EAST),
        Fault("notice", 10 * MINUTE, 20 * MINUTE, region=EAST),
    ).until(20 * MINUTE)
    moved = story.said(FailoverCompleted, region=EAST)
    if not moved:  # the fresh look has contradicted it: nothing was moved at all
        assert story.serves("chat", EAST) == 0.5
        return
    story.until(2 * HOUR)
    assert story.said(FailbackCompleted)
    assert (story.serves("chat", EAST), story.serves("chat", CENTRAL)) == (0.5, 0.5)


def test_an_alarm_and_a_probe_agree_before_telemetry_has_seen_enough() -> None:
    fleet = declared()
    fleet["probes"]["vantages"] = ["us"]
    story = tell(
        Fault("outage", 10 * MINUTE, HOUR, region=EAST),
        Fault("missing-telemetry", 5 * MINUTE, HOUR, region=EAST),
        Fault("alarm", 11 * MINUTE, HOUR, region=EAST, workload="chat", name="chat-5xx"),
        fleet=fleet,
    ).until(30 * MINUTE)
    (confirmed,) = story.said(FailoverConfirmed)
    assert {piece.kind for piece in confirmed.pieces} == {"alarm", "probe"}
