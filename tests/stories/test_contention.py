"""A failover meets others: a rollout, another failover, a freeze, ten chains at one register."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from crosswind.sim import Answering, Fault
from crosswind.sim.simulation import START
from crosswind_events import RegionUnhealthy
from crosswind_events.catalogue.approval import ApprovalRequested
from crosswind_events.catalogue.failover import FailoverCompleted
from crosswind_events.catalogue.recovery import FailbackAbandoned, FailbackCompleted
from stories.telling import CENTRAL, EAST, EUROPE, HOUR, MINUTE, OHIO, declared, placed, tell


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(START + seconds, UTC).isoformat()


def test_a_second_region_that_fails_during_a_failover_is_left_as_well() -> None:
    fleet = declared()
    fleet["workloads"]["chat"]["regions"][EUROPE] = placed(0.0, 2, 20)
    story = tell(
        Fault("outage", 10 * MINUTE, 3 * HOUR, region=EAST),
        Fault("outage", 14 * MINUTE, 3 * HOUR, region=CENTRAL),
        fleet=fleet,
    ).until(HOUR)
    assert story.serves("chat", EUROPE) == 1


def test_in_a_freeze_a_person_is_asked_and_the_failover_goes_on_when_he_agrees() -> None:
    freeze = {
        "name": "peak",
        "begins": moment(0),
        "ends": moment(2 * HOUR),
        "kinds": ["*"],
        "because": "peak season",
    }
    outage = Fault("outage", 10 * MINUTE, 3 * HOUR, region=EAST)
    alone = tell(outage, fleet=declared(freezes=[freeze])).until(HOUR)
    assert alone.said(ApprovalRequested)
    assert alone.simulation.world.epochs == {"chat": 0, "search": 0}
    people = Answering(after=20)
    helped = tell(outage, fleet=declared(freezes=[freeze]), people=people).until(HOUR)
    assert helped.serves("chat", EAST) == 0


def test_a_way_back_that_fails_is_given_up_and_tried_again_later() -> None:
    story = tell(
        Fault("outage", 10 * MINUTE, 30 * MINUTE, region=EAST),
        # It fails again as soon as requests come back, and is well at last.
        Fault("brown-out", 35.2 * MINUTE, 70 * MINUTE, region=EAST, size=0.9),
    ).until(HOUR)
    assert story.serves("chat", EAST) == 0
    assert story.said(FailbackAbandoned)
    assert not story.said(FailbackCompleted)
    story.until(4 * HOUR)
    assert story.serves("chat", EAST) == 0.5


def test_ten_chains_contend_for_one_register_and_break_no_rule_together() -> None:
    regions = [f"gcp/region-{number:02}" for number in range(12)]
    fleet: dict[str, Any] = declared() | {
        "regions": {name: {"jurisdiction": "US", "quota": 40} for name in regions},
        "workloads": {
            name: {
                "rate": 240,
                "per_replica": 10,
                "regions": {region: placed(1 / 12, 3, 20) for region in regions},
                "shift": {"steps": 2, "pause": 10, "window": 10},
            }
            for name in ("chat", "search")
        },
        "alerts": [],
    }
    story = tell(
        *(Fault("outage", 60, 3 * HOUR, region=name) for name in regions[:10]), fleet=fleet
    )
    story.until(MINUTE + 1)
    for name in regions[:10]:
        story.simulation.say(
            RegionUnhealthy(region=name, evidence="operator", reason="no answers"), subject=name
        )
    story.until(HOUR)
    for workload in ("chat", "search"):
        assert sum(story.serves(workload, region) for region in regions[10:]) == pytest.approx(1)
    assert {one.region for one in story.said(FailoverCompleted)} <= set(regions[:10])
    assert all(story.region(name).state == "evacuated" for name in regions[:10])


def test_a_rollout_under_way_gives_way_to_a_failover() -> None:
    from crosswind.actions import Call
    from crosswind.fleet.operations import AcceptPlan
    from crosswind.fleet.register import RegisterPerformer

    story = tell(Fault("outage", 10 * MINUTE, 3 * HOUR, region=EAST)).until(9 * MINUTE)
    simulation = story.simulation
    register = RegisterPerformer(simulation.store, story.fleet, clock=simulation.agenda.clock)
    rollout = AcceptPlan(
        workload="chat",
        plan="rollout-7",
        target_weights={EAST: 0.5, OHIO: 0.0, CENTRAL: 0.5, EUROPE: 0.0},
        capacity={EAST: 7, CENTRAL: 7},
        priority="rollout",
        chain="rollout-chain",
        revision="r7",
        because="a new revision",
    )
    accepted = register.perform(rollout, Call(key="rollout-7", attempt=1, timeout=10.0))
    assert accepted.accepted  # type: ignore[union-attr]  # the answer to AcceptPlan
    story.until(HOUR)
    assert story.serves("chat", EAST) == 0
    moving = story.workload("chat").moving
    assert moving is None or moving.priority == "failover"
