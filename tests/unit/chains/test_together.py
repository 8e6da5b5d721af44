"""When workloads that leave a region would all go to one that has not room for all."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.actions import Call
from crosswind.chains.failover.plan import TOGETHER, propose
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.operations import AcceptPlan, AdvanceShift
from crosswind.fleet.quantities import MAX_WORKLOADS
from crosswind.limits import MAX_EVENT_BYTES
from crosswind_events.catalogue.failover import (
    Allotted,
    FailoverCompleted,
    FailoverFailed,
    FailoverPlanned,
    FailoverRequested,
    Sweep,
    SweepSettled,
    WorkloadSettled,
)
from crosswind_events.catalogue.incident import IncidentOpened
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, EUROPE, NOW, document, fleet, placement, situation
from unit.chains.fleets import workload as declared


def rivals(room: int, **tiers: dict[str, Any]) -> Fleet:
    """Workloads of the east that have to go to the centre, which has some room besides."""
    regions = document()["regions"]
    held = 5 * len(tiers)
    regions[CENTRAL] = regions[CENTRAL] | {"quota": held + room}
    both = {EAST: placement(0.5, 5, 10), CENTRAL: placement(0.5, 5, 10)}
    return fleet(
        regions=regions,
        workloads={name: declared(regions=both) | more for name, more in tiers.items()},
    )


BATCH: dict[str, Any] = {"tier": "batch"}
CRITICAL: dict[str, Any] = {"tier": "critical"}
ELSEWHERE: dict[str, Any] = {
    "regions": {
        EAST: placement(0.5, 5, 10),
        CENTRAL: placement(0.5, 5, 10),
        EUROPE: placement(0.0, 0, 10),
    }
}


def test_the_critical_one_gets_the_region_however_it_is_called() -> None:
    drama = Drama(rivals(5, a_batch=BATCH, z_critical=CRITICAL))
    chain = drama.fail()
    drama.pass_time(120)
    assert drama.outcome(chain) == "failed"
    assert drama.one(FailoverFailed).data.outcomes == {
        "a_batch": "impossible",
        "z_critical": "moved",
    }
    assert drama.cloud.weights["z_critical"][CENTRAL] == 1.0
    assert (
        "others that are as important have what there is in gcp/us-central1"
        in (drama.one(IncidentOpened).data.gathered["a_batch"])
    )


def test_a_batch_is_never_planned_first_into_what_a_critical_one_needs() -> None:
    drama = Drama(rivals(5, a_batch=BATCH, z_critical=CRITICAL))
    drama.fail()
    asked = {event.data.workload: event.data for event in drama.said(FailoverRequested)}
    assert asked["a_batch"].allotted == {CENTRAL: Allotted(replicas=5, most=5)}
    assert asked["z_critical"].allotted == {CENTRAL: Allotted(replicas=10, most=10)}


def test_one_that_could_go_there_more_cheaply_leaves_it_to_one_that_must() -> None:
    drama = Drama(rivals(5, choosy=CRITICAL | ELSEWHERE, stuck=BATCH))
    chain = drama.fail()
    drama.pass_time(120)
    assert drama.outcome(chain) == "completed"
    assert drama.cloud.weights["choosy"][EUROPE] == pytest.approx(0.5)
    assert drama.cloud.weights["stuck"][CENTRAL] == 1.0
    plans = {event.data.plan.workload: event.data.decision for event in drama.said(FailoverPlanned)}
    decision = plans["choosy"]
    assert decision.chosen == TOGETHER
    (cheaper,) = [
        one for one in decision.alternatives if one.name == f"all that moves to {CENTRAL}"
    ]
    assert "takes 5 in gcp/us-central1 more replica(s) than are left" in cheaper.because


def test_where_there_is_room_for_all_nothing_is_allotted() -> None:
    drama = Drama(rivals(10, one=BATCH, other=CRITICAL))
    drama.fail()
    assert all(not event.data.allotted for event in drama.said(FailoverRequested))


def test_each_is_counted_as_it_is_intended_now_and_not_as_it_is_declared() -> None:
    drama = Drama(rivals(5, one=CRITICAL, two=BATCH))
    all_east = {EAST: 1.0, CENTRAL: 0.0}
    accept = AcceptPlan(
        workload="one",
        plan="by-hand",
        target_weights=all_east,
        capacity={EAST: 10, CENTRAL: 0},
        priority="break-glass",
    )
    advance = AdvanceShift(
        workload="one", plan="by-hand", weights=all_east, step=1, of=1, relies_on_epoch=1
    )
    for key, action in (("accept", accept), ("advance", advance)):
        drama.register.perform(action, Call(key, 5.0))
    drama.fail()
    asked = {event.data.workload: event.data for event in drama.said(FailoverRequested)}
    assert asked["one"].allotted == {CENTRAL: Allotted(replicas=10, most=10)}
    assert asked["two"].allotted == {CENTRAL: Allotted(replicas=5, most=5)}


def test_one_whose_part_is_not_granted_keeps_off_what_others_as_important_have() -> None:
    both = {"first": CRITICAL | ELSEWHERE, "second": CRITICAL}
    drama = Drama(rivals(5, **both))
    drama.cloud.most[EUROPE] = 0
    chain = drama.fail()
    drama.pass_time(200)
    assert drama.outcome(chain) == "failed"
    settled = {event.data.workload: event.data.outcome for event in drama.said(WorkloadSettled)}
    assert settled == {"first": "failed", "second": "moved"}


def test_one_whose_part_is_not_granted_may_take_what_a_less_important_one_has_not_yet() -> None:
    found = rivals(5, chat=CRITICAL | ELSEWHERE, stuck=BATCH)
    part = {CENTRAL: Allotted(replicas=5, most=10)}
    refused = situation(found, ceilings={EUROPE: 0}, allotted=part)
    proposal = propose(refused)
    assert proposal.chosen is not None
    assert proposal.chosen.weights[CENTRAL] == 1.0


def test_a_region_s_workloads_of_later_rounds_are_planned_for_from_the_first() -> None:
    many = {f"w{number:02}": dict(BATCH) for number in range(44)}
    many["w43"] = CRITICAL | ELSEWHERE
    drama = Drama(rivals(44 * 5 - 5, **many))
    chain = drama.fail()
    drama.pass_time(300)
    assert drama.outcome(chain) == "completed"
    assert set(drama.one(FailoverCompleted).data.outcomes.values()) == {"moved"}
    assert drama.cloud.weights["w43"][EUROPE] == pytest.approx(0.5)


def test_branches_do_not_carry_what_only_the_end_of_the_round_needs() -> None:
    names = [f"w{number:03}" for number in range(90)]
    drama = Drama(fleet(workloads={name: declared() for name in names}))
    chain = drama.fail()
    drama.pass_time(400)
    assert all(not event.data.sweep.waiting for event in drama.said(FailoverRequested))
    assert all(not event.data.sweep.earlier for event in drama.said(WorkloadSettled))
    assert drama.outcome(chain) == "completed"
    assert list(drama.one(FailoverCompleted).data.outcomes) == names


def test_a_sweep_of_as_many_workloads_as_a_fleet_may_have_fits_in_an_event() -> None:
    names = tuple(f"workload-of-team-{number:04}" for number in range(MAX_WORKLOADS))
    sweep = Sweep(
        purpose="failover",
        region=EAST,
        workloads=names[:40],
        waiting=names[40:],
        began=NOW,
        earlier=dict.fromkeys(names, "moved"),
    )
    settled = SweepSettled(sweep=sweep, outcomes={}, reasons={})
    assert len(settled.model_dump_json()) < MAX_EVENT_BYTES / 2
