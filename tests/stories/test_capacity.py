"""What a surviving region gives: all, a part, nothing; later, or never."""

from __future__ import annotations

from typing import Any

from crosswind.sim import Fault
from crosswind_events.catalogue.failover import (
    FailoverCompleted,
    FailoverImpossible,
    FailoverPlanned,
)
from crosswind_events.catalogue.incident import IncidentOpened
from stories.telling import CENTRAL, EAST, EUROPE, HOUR, MINUTE, OHIO, declared, placed, tell


def test_capacity_that_is_granted_in_part_is_used_and_the_rest_is_found_elsewhere() -> None:
    story = tell(
        Fault("outage", 10 * MINUTE, HOUR, region=EAST),
        Fault("stockout", 5 * MINUTE, HOUR, region=CENTRAL, size=0.5),
    ).until(40 * MINUTE)
    assert story.serves("chat", EAST) == 0
    assert story.serves("chat", EUROPE) > 0
    assert len(story.said(FailoverPlanned)) > 1


def test_a_quota_that_is_refused_sends_the_traffic_to_another_region() -> None:
    story = tell(
        Fault("outage", 10 * MINUTE, HOUR, region=EAST),
        Fault("quota", 5 * MINUTE, HOUR, region=CENTRAL, size=0.4),
    ).until(40 * MINUTE)
    assert story.serves("chat", EAST) == 0
    assert story.serves("chat", EUROPE) > 0


def test_where_no_region_has_room_nothing_is_moved_below_the_floor_and_people_are_told() -> None:
    fleet = declared()
    fleet["workloads"] = {
        "chat": fleet["workloads"]["chat"]
        | {"regions": {EAST: placed(0.9, 9, 9), CENTRAL: placed(0.1, 2, 3)}, "floor": 0.9}
    }
    story = tell(Fault("outage", 10 * MINUTE, HOUR, region=EAST), fleet=fleet).until(50 * MINUTE)
    assert story.serves("chat", EAST) == 0.9
    assert story.said(FailoverImpossible)
    assert story.said(IncidentOpened)


def test_replicas_that_start_slowly_are_waited_for_before_traffic_comes() -> None:
    story = tell(
        Fault("outage", 10 * MINUTE, HOUR, region=EAST),
        Fault("slow-start", 5 * MINUTE, HOUR, size=4),
    ).until(50 * MINUTE)
    assert story.serves("chat", EAST) == 0
    world = story.simulation.world
    total = world.steered.totals["chat"].totals(world.now)
    lost = total.failed / total.sent
    untouched = world.untouched.totals["chat"].totals(world.now)
    assert lost < untouched.failed / untouched.sent


def test_a_survivor_that_fails_in_mid_shift_is_left_out_of_the_next_plan() -> None:
    story = tell(
        Fault("outage", 10 * MINUTE, 2 * HOUR, region=EAST),
        Fault("outage", 11 * MINUTE, 2 * HOUR, region=CENTRAL),
    ).until(HOUR)
    assert (story.serves("chat", EAST), story.serves("chat", CENTRAL)) == (0, 0)
    assert story.serves("chat", EUROPE) == 1
    assert story.serves("chat", OHIO) == 0


def test_the_critical_workload_gets_the_scarce_region() -> None:
    fleet = declared()
    fleet["regions"][CENTRAL]["quota"] = 13
    fleet["workloads"]["chat"]["regions"] = {EAST: placed(0.5, 6, 12), CENTRAL: placed(0.5, 6, 12)}
    story = tell(Fault("outage", 10 * MINUTE, HOUR, region=EAST), fleet=fleet).until(40 * MINUTE)
    assert story.serves("chat", EAST) == 0
    assert story.serves("search", EAST) == 1
    assert story.said(FailoverImpossible) or not story.said(FailoverCompleted)


def crowded() -> dict[str, Any]:
    """Chat has too few replicas in the east for a rush, and no room for all of it elsewhere."""
    fleet = declared()
    regions = {EAST: placed(0.5, 5, 10), CENTRAL: placed(0.5, 7, 10)}
    fleet["workloads"] = {"chat": fleet["workloads"]["chat"] | {"regions": regions}}
    return fleet


def test_a_region_that_is_asked_too_much_is_held_where_the_others_would_fall_after_it() -> None:
    rush = Fault("surge", 10 * MINUTE, 40 * MINUTE, size=1.3, workload="chat")
    story = tell(rush, fleet=crowded()).until(2 * HOUR)
    assert not story.said(FailoverPlanned)
    held, *_ = story.said(FailoverImpossible)
    assert "130 requests/s are measured, 100 are declared" in held.because
    assert story.said(IncidentOpened)
    assert story.serves("chat", EAST) == 0.5


def test_a_region_that_is_lost_in_a_rush_is_left_all_the_same() -> None:
    story = tell(
        Fault("surge", 10 * MINUTE, 40 * MINUTE, size=1.3, workload="chat"),
        Fault("outage", 12 * MINUTE, 40 * MINUTE, region=EAST),
        fleet=crowded(),
    ).until(20 * MINUTE)
    assert story.serves("chat", CENTRAL) == 1.0


def test_what_is_asked_for_in_a_rush_has_its_replicas_and_waits_with_its_way_back() -> None:
    story = tell(
        Fault("surge", 10 * MINUTE, 70 * MINUTE, size=1.4, workload="chat"),
        Fault("outage", 12 * MINUTE, 20 * MINUTE, region=EAST),
    ).until(60 * MINUTE)
    (plan, *_) = [one.plan for one in story.said(FailoverPlanned) if one.plan.workload == "chat"]
    assert sum(plan.replicas.values()) >= 14
    assert story.serves("chat", EAST) == 0, "the rush goes on, and the others are made for it"
    story.until(2 * HOUR)
    assert story.serves("chat", EAST) == 0.5
    assert story.workload("chat").capacity == {EAST: 6, OHIO: 1, CENTRAL: 6, EUROPE: 1}
