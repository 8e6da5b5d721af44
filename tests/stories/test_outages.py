"""Regions that fail: one, two on one grid, all of a provider, one that flaps, one that is slow."""

from __future__ import annotations

from crosswind.sim import Fault
from crosswind_events.catalogue.failover import FailoverCompleted, FailoverConfirmed
from crosswind_events.catalogue.incident import IncidentOpened
from crosswind_events.catalogue.recovery import FailbackCompleted
from stories.telling import CENTRAL, EAST, EUROPE, HOUR, MINUTE, OHIO, declared, tell


def test_a_region_that_fails_is_left_within_minutes_and_returned_to_when_it_is_well() -> None:
    story = tell(Fault("outage", 10 * MINUTE, 40 * MINUTE, region=EAST))
    story.until(20 * MINUTE)
    assert (
        story.when(
            FailoverConfirmed,
        )
        < 11 * MINUTE
    )
    assert (story.serves("chat", EAST), story.serves("search", EAST)) == (0, 0)
    assert story.region(EAST).state == "evacuated"
    story.until(2 * HOUR)
    assert len(story.said(FailoverCompleted)) == 1
    assert len(story.said(FailbackCompleted)) == 1
    assert (story.serves("chat", EAST), story.serves("search", EAST)) == (0.5, 1.0)
    assert story.region(EAST).state == "serving"


def test_nothing_moves_into_a_region_on_the_same_grid_though_it_stands_by() -> None:
    story = tell(Fault("outage", 10 * MINUTE, 40 * MINUTE, region=EAST)).until(30 * MINUTE)
    assert story.serves("chat", OHIO) == 0
    assert story.serves("chat", CENTRAL) + story.serves("chat", EUROPE) == 1


def test_two_regions_of_one_grid_fail_together_and_both_are_left() -> None:
    fleet = declared()
    fleet["workloads"]["chat"]["regions"][OHIO]["weight"] = 0.25
    fleet["workloads"]["chat"]["regions"][OHIO]["replicas"] = 4
    fleet["workloads"]["chat"]["regions"][CENTRAL]["weight"] = 0.25
    fleet["failover"]["weights"] = {"probe": 1}
    story = tell(Fault("outage", 10 * MINUTE, HOUR, domain="grid:pjm"), fleet=fleet)
    story.until(30 * MINUTE)
    assert (story.serves("chat", EAST), story.serves("chat", OHIO)) == (0, 0)
    assert len(story.said(FailoverCompleted)) == 2


def test_a_provider_that_fails_everywhere_is_left_for_the_others() -> None:
    story = tell(Fault("outage", 10 * MINUTE, HOUR, cloud="aws")).until(30 * MINUTE)
    left = [region for region in (EAST, OHIO) if story.serves("chat", region) > 0]
    assert not left
    assert story.serves("search", CENTRAL) == 1


def test_where_everything_fails_nothing_is_moved_and_people_are_told() -> None:
    story = tell(
        *(Fault("outage", 10 * MINUTE, HOUR, cloud=cloud) for cloud in ("aws", "gcp", "azure"))
    ).until(50 * MINUTE)
    assert story.simulation.world.epochs == {"chat": 0, "search": 0}
    assert story.said(IncidentOpened)


def test_a_region_that_flaps_is_left_once_and_not_returned_to_while_it_flaps() -> None:
    story = tell(Fault("flapping", 10 * MINUTE, 2 * HOUR, region=EAST, size=0.5, every=240))
    story.until(2 * HOUR)
    assert story.serves("chat", EAST) == 0
    assert len(story.said(FailoverCompleted, region=EAST)) == 1
    assert not story.said(FailbackCompleted)
    story.until(4 * HOUR)
    assert story.serves("chat", EAST) == 0.5


def test_a_region_that_answers_but_too_slowly_is_left() -> None:
    fleet = declared()
    fleet["workloads"]["chat"]["slo"] = {"availability": 0.999, "latency_ms": 800}
    story = tell(Fault("slow", 10 * MINUTE, HOUR, region=EAST, size=50), fleet=fleet)
    story.until(40 * MINUTE)
    assert story.serves("chat", EAST) == 0
    assert story.serves("chat", CENTRAL) > 0.5


def test_a_brown_out_in_which_a_third_of_the_requests_fails_is_left() -> None:
    story = tell(Fault("brown-out", 10 * MINUTE, HOUR, region=EAST, size=0.33)).until(40 * MINUTE)
    assert story.serves("chat", EAST) == 0


def test_a_minute_of_trouble_is_sat_out() -> None:
    story = tell(Fault("brown-out", 10 * MINUTE, 10 * MINUTE + 10, region=EAST, size=0.3))
    story.until(HOUR)
    assert story.simulation.world.epochs == {"chat": 0, "search": 0}


def test_a_standby_without_a_replica_is_not_taken_for_a_region_that_fails() -> None:
    fleet = declared()
    for region in (OHIO, EUROPE):
        fleet["workloads"]["chat"]["regions"][region]["replicas"] = 0
    story = tell(fleet=fleet).until(30 * MINUTE)
    assert not story.said(FailoverConfirmed)
    assert story.region(EUROPE).state == "serving"
