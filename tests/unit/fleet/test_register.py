"""The register: what is accepted, what is refused, and what is intended afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.context import Lock
from crosswind.embedded.memory import MemoryStore
from crosswind.fleet.register import (
    NotInFleet,
    ReadRegister,
    RegionState,
)
from crosswind.operations.endpoints import EndpointStatus, ScaleEndpoint
from crosswind.ports import MAX_CHANGES, MAX_ITEM_BYTES
from unit.fleet.chains import NOON, Clock, Desk
from unit.fleet.fleets import CENTRAL, EAST, EUROPE, OHIO, document, fleet, placement, workload


@pytest.fixture
def desk() -> Desk:
    return Desk(MemoryStore(), fleet())


def lock(epoch: int, target: str = EAST) -> Lock:
    return Lock("region", target, epoch)


# What is intended


def test_a_workload_that_no_plan_has_touched_is_as_it_is_declared(desk: Desk) -> None:
    view = desk.view()
    assert view.workload.epoch == 0
    assert view.workload.weights == {EAST: 0.5, CENTRAL: 0.5, EUROPE: 0.0}
    assert view.workload.capacity == {EAST: 2, CENTRAL: 2, EUROPE: 0}
    assert view.workload.owner is None
    assert view.workload.priority is None
    assert {state.state for state in view.regions.values()} == {"serving"}
    assert set(view.versions.values()) == {""}


def test_an_accepted_plan_marks_its_region_and_moves_nothing_yet(desk: Desk) -> None:
    accepted = desk.accept(because="probes fail")
    assert accepted.accepted
    assert accepted.epoch == 1
    state, east = desk.workload(), desk.region(EAST)
    assert state.weights == {EAST: 0.5, CENTRAL: 0.5, EUROPE: 0.0}
    assert state.plan == "plan-1"
    assert state.owner == "chain-1"
    assert state.priority == "failover"
    assert state.moving is not None
    assert state.moving.target == {CENTRAL: 1.0}
    assert state.moving.because == "probes fail"
    assert (east.state, east.since, east.plan) == ("evacuated", NOON, "plan-1")


def test_until_the_last_step_both_what_is_left_and_what_is_gone_to_is_held(desk: Desk) -> None:
    desk.accept(capacity={EAST: 0, CENTRAL: 3})
    assert desk.workload().capacity == {EAST: 2, CENTRAL: 3, EUROPE: 0}
    assert desk.view().regions[EAST].reserved == {"chat": 2}
    desk.advance({EAST: 0.25, CENTRAL: 0.75}, 1, 2)
    assert desk.workload().capacity == {EAST: 2, CENTRAL: 3, EUROPE: 0}
    desk.advance({CENTRAL: 1.0}, 2, 2)
    assert desk.workload().capacity == {EAST: 0, CENTRAL: 3, EUROPE: 0}
    assert desk.view().regions[EAST].reserved == {"chat": 0}
    assert desk.view().regions[CENTRAL].reserved == {"chat": 3}


def test_each_step_takes_a_new_epoch_and_the_last_one_ends_the_plan(desk: Desk) -> None:
    desk.accept()
    first = desk.advance({EAST: 0.25, CENTRAL: 0.75}, 1, 2)
    assert (first.applied, first.epoch) == (True, 2)
    moving = desk.workload().moving
    assert moving is not None
    assert (moving.step, moving.of) == (1, 2)
    last = desk.advance({CENTRAL: 1.0}, 2, 2)
    assert (last.applied, last.epoch, last.weights) == (True, 3, {CENTRAL: 1.0})
    state = desk.workload()
    assert state.moving is None
    assert state.plan == "plan-1"
    assert state.weights == {CENTRAL: 1.0}


def test_a_revision_serves_from_the_end_of_the_plan_that_brings_it(desk: Desk) -> None:
    weights = {EAST: 0.5, CENTRAL: 0.5}
    arguments: dict[str, Any] = {"region": None, "state": None, "priority": "rollout"}
    desk.accept(target_weights=weights, capacity={}, revision="r2", **arguments)
    assert desk.workload().revision is None
    desk.advance(weights)
    assert desk.workload().revision == "r2"
    desk.accept(plan="plan-2", target_weights=weights, capacity={}, **arguments)
    desk.advance(weights, plan="plan-2")
    assert desk.workload().revision == "r2"


def test_the_way_back_soaks_the_region_and_then_lets_it_serve() -> None:
    clock = Clock()
    desk = Desk(MemoryStore(), fleet(), clock)
    desk.accept()
    desk.advance({CENTRAL: 1.0})
    clock.now += 100
    assert desk.mark(region=EAST, state="soaking").since == NOON + 100
    clock.now += 100
    back = desk.accept(
        plan="plan-2",
        state="serving",
        target_weights={EAST: 0.5, CENTRAL: 0.5},
        capacity={EAST: 2, CENTRAL: 2},
    )
    assert back.accepted, back.reason
    east = desk.region(EAST)
    assert (east.state, east.since, east.plan) == ("serving", NOON + 200, "plan-2")
    assert east.left == (NOON,)


def test_it_is_remembered_when_a_region_was_left_the_last_eight_times() -> None:
    clock = Clock()
    desk = Desk(MemoryStore(), fleet(), clock)
    for _ in range(9):
        desk.mark(region=EAST, state="evacuated")
        desk.mark(region=EAST, state="soaking")
        clock.now += 100
    assert desk.region(EAST).left == tuple(NOON + 100 * n for n in range(1, 9))


def test_a_region_that_is_evacuated_already_stays_so_since_then() -> None:
    clock = Clock()
    desk = Desk(MemoryStore(), fleet(), clock)
    desk.accept()
    clock.now += 50
    desk.accept(plan="plan-2")
    assert desk.region(EAST).since == NOON
    assert desk.region(EAST).plan == "plan-1"


def test_a_region_declared_later_has_its_declared_replicas_and_no_traffic() -> None:
    store = MemoryStore()
    narrow = workload(regions={EAST: placement(0.5, 2, 4), CENTRAL: placement(0.5, 2, 4)})
    Desk(store, fleet(workloads={"chat": narrow})).accept()
    wide = workload(
        regions={
            EAST: placement(0.5, 2, 4),
            CENTRAL: placement(0.4, 2, 4),
            EUROPE: placement(0.1, 1, 4),
        }
    )
    state = Desk(store, fleet(workloads={"chat": wide})).workload()
    assert state.weights == {EAST: 0.5, CENTRAL: 0.5}
    assert state.capacity == {EAST: 2, CENTRAL: 3, EUROPE: 1}


# What is refused


def test_a_plan_that_breaks_rules_is_refused_with_all_of_them(desk: Desk) -> None:
    refused = desk.accept(target_weights={EAST: 0.9, OHIO: 0.1}, capacity={CENTRAL: 5})
    assert not refused.accepted
    assert refused.epoch == 0
    rules = {reason.partition(":")[0] for reason in refused.reason.split("; ")}
    assert rules == {"placement", "evacuated", "failing-domain", "quota", "floor"}
    assert desk.workload().plan is None
    assert desk.region(EAST).state == "serving"


def test_a_plan_is_refused_when_what_it_relies_on_has_changed(desk: Desk) -> None:
    view = desk.view()
    desk.mark(region=EUROPE, state="evacuated")
    refused = desk.accept(relies_on=view.versions)
    assert not refused.accepted
    assert refused.changed == ("region:azure:westeurope",)
    assert desk.accept(relies_on=desk.view().versions).accepted


def test_a_plan_made_from_another_epoch_is_refused(desk: Desk) -> None:
    desk.accept()
    refused = desk.accept(plan="plan-2", relies_on_epoch=0)
    assert refused.changed == ("workload:chat",)
    assert desk.accept(plan="plan-2", relies_on_epoch=1).accepted


def test_a_plan_may_rely_on_items_that_no_rule_reads() -> None:
    declared = fleet(workloads={"chat": workload(), "search": workload()})
    desk = Desk(MemoryStore(), declared)
    versions = desk.view("search").versions
    assert desk.accept(relies_on=versions).accepted
    desk.accept(workload="search", plan="plan-s")
    refused = desk.accept(plan="plan-2", relies_on={**versions, "region:aws:gone": ""})
    assert set(refused.changed) == {
        "workload:search",
        "region:aws:us-east-1",
        "region:gcp:us-central1",
        "region:azure:westeurope",
        "region:aws:gone",
    }


def test_the_holder_of_an_older_lock_is_refused(desk: Desk) -> None:
    assert desk.accept(lock=lock(3)).accepted
    assert desk.accept(plan="plan-2", lock=lock(3)).accepted
    refused = desk.accept(plan="plan-3", lock=lock(2))
    assert not refused.accepted
    assert "its epoch is 3, this one's 2" in refused.reason
    assert "its epoch is 3" in desk.mark(region=EAST, state="soaking", lock=lock(1)).reason
    assert desk.mark(region=EAST, state="soaking", lock=lock(4)).marked
    assert not desk.accept(plan="plan-4", lock=lock(3)).accepted
    assert desk.accept(plan="plan-5", lock=lock(1, CENTRAL)).accepted


def test_a_mark_that_changes_nothing_still_shows_who_holds_the_lock(desk: Desk) -> None:
    assert desk.mark(region=EAST, state="serving", lock=lock(2)).marked
    assert not desk.accept(lock=lock(1)).accepted


@pytest.mark.parametrize(
    ("first", "second", "accepted"),
    [
        ("failover", "rollout", False),
        ("failover", "budget", False),
        ("failover", "failover", True),
        ("failover", "break-glass", True),
        ("rollout", "failover", True),
        ("rotation", "rollback", True),
    ],
)
def test_a_weaker_plan_waits_for_a_stronger_one(first: str, second: str, accepted: bool) -> None:
    desk = Desk(MemoryStore(), fleet())
    desk.accept(priority=first)
    answer = desk.accept(plan="plan-2", priority=second)
    assert answer.accepted == accepted
    if not accepted:
        assert answer.reason == f"{first} plan-1 is under way and goes before {second}"


def test_a_stronger_plan_holds_off_weaker_ones_until_it_ends_or_is_released(desk: Desk) -> None:
    weaker: dict[str, Any] = {"plan": "plan-2", "priority": "budget"}
    desk.accept()
    assert not desk.accept(**weaker).accepted
    released = desk.release()
    assert (released.released, released.epoch) == (True, 2)
    assert desk.workload().owner is None
    assert desk.accept(**weaker).accepted
    desk.advance({CENTRAL: 1.0}, plan="plan-2")
    assert desk.accept(plan="plan-3", priority="budget").accepted


def test_a_plan_whose_chain_died_holds_off_others_for_the_deadline_only() -> None:
    clock = Clock()
    desk = Desk(MemoryStore(), fleet(failover={"deadline": 100}), clock)
    desk.accept()
    clock.now += 99
    assert not desk.accept(plan="plan-2", priority="budget").accepted
    clock.now += 1
    assert desk.accept(plan="plan-2", priority="budget").accepted


def test_a_step_of_a_plan_that_is_no_longer_under_way_is_refused(desk: Desk) -> None:
    step = {EAST: 0.25, CENTRAL: 0.75}
    assert desk.advance(step).reason == "plan plan-1 was not accepted, or another has ended since"
    desk.accept()
    desk.accept(plan="plan-2")
    assert desk.advance(step).reason == "plan plan-2 has taken the place of plan-1"
    desk.advance({CENTRAL: 1.0}, plan="plan-2")
    refused = desk.advance({CENTRAL: 1.0}, plan="plan-2")
    assert refused.reason == "plan plan-2 has ended"
    assert (refused.applied, refused.epoch, refused.weights) == (False, 3, {CENTRAL: 1.0})
    assert desk.release().reason == "plan plan-1 was not accepted, or another has ended since"


def test_a_step_made_from_another_epoch_is_refused(desk: Desk) -> None:
    desk.accept()
    refused = desk.advance({EAST: 0.25, CENTRAL: 0.75}, epoch=0)
    assert refused.reason == "the epoch is 1, the step relies on 0"


def test_a_step_stays_on_the_accepted_way(desk: Desk) -> None:
    desk.accept()
    astray = desk.advance({EAST: 0.25, CENTRAL: 0.5, EUROPE: 0.25}, 1, 2)
    assert astray.reason == f"the shares of {EUROPE} are off the accepted way"
    short = desk.advance({EAST: 0.25, CENTRAL: 0.75}, 2, 2)
    assert short.reason == f"the last step must end at {CENTRAL} 100%"


def test_a_step_can_go_back_where_no_rule_forbids_it(desk: Desk) -> None:
    desk.accept(target_weights={EUROPE: 1.0}, capacity={EUROPE: 3}, region=None, state=None)
    assert desk.advance({EAST: 0.2, CENTRAL: 0.2, EUROPE: 0.6}, 1, 3).applied
    assert desk.advance({EAST: 0.3, CENTRAL: 0.3, EUROPE: 0.4}, 2, 3).applied


def test_the_rules_are_checked_again_at_every_step(desk: Desk) -> None:
    desk.accept(target_weights={EUROPE: 0.5, CENTRAL: 0.5}, capacity={EUROPE: 2})
    desk.mark(region=EUROPE, state="evacuated")
    refused = desk.advance({EAST: 0.25, CENTRAL: 0.5, EUROPE: 0.25}, 1, 2)
    assert not refused.applied
    assert refused.reason == f"evacuated: {EUROPE} is evacuated and would get traffic"


def test_the_last_region_of_a_fleet_is_never_marked_evacuated(desk: Desk) -> None:
    for region in (EAST, CENTRAL, EUROPE):
        assert desk.mark(region=region, state="evacuated").marked
    refused = desk.mark(region=OHIO, state="evacuated")
    assert (refused.marked, refused.state) == (False, "serving")
    assert refused.reason == "all-regions-off: no region of the fleet would serve"
    assert desk.mark(region=EAST, state="evacuated").since == NOON
    assert desk.mark(region=EAST, state="serving").marked
    assert desk.mark(region=OHIO, state="evacuated").marked


def test_a_region_is_marked_only_from_what_was_seen(desk: Desk) -> None:
    seen = desk.regions(EAST).versions
    desk.accept()
    refused = desk.mark(region=EAST, state="soaking", relies_on=seen)
    assert refused.changed == ("region:aws:us-east-1",)
    assert desk.region(EAST).state == "evacuated"


def test_what_the_fleet_does_not_declare_is_an_error(desk: Desk) -> None:
    with pytest.raises(NotInFleet, match="does not declare workload search"):
        desk.accept(workload="search")
    with pytest.raises(NotInFleet, match="does not declare region aws/gone"):
        desk.accept(region="aws/gone")
    with pytest.raises(NotInFleet):
        desk.mark(region="aws/gone", state="serving")
    with pytest.raises(NotInFleet):
        desk.view("search")
    with pytest.raises(LookupError):
        desk.regions("aws/gone")


def test_what_the_register_does_not_know_is_an_error(desk: Desk) -> None:
    with pytest.raises(TypeError, match="does not perform ScaleEndpoint"):
        desk.perform(ScaleEndpoint(workload="chat", region=EAST, replicas=1, epoch=1))
    foreign: Any = EndpointStatus(workload="chat", regions=())
    with pytest.raises(TypeError, match="does not answer EndpointStatus"):
        desk.performer.answer(foreign, 1.0)


# Views


def test_a_view_sums_up_what_other_workloads_hold() -> None:
    declared = fleet(
        workloads={"chat": workload(), "search": workload(), "mail": workload()},
    )
    desk = Desk(MemoryStore(), declared)
    desk.accept(workload="search", capacity={CENTRAL: 4}, target_weights={CENTRAL: 1.0})
    central = desk.view("chat").regions[CENTRAL]
    assert (central.reserved, central.others) == ({"chat": 2}, 6)
    assert desk.region(CENTRAL).others == 8
    assert desk.region(CENTRAL).reserved == {}


def test_a_view_names_every_region_that_the_rules_read_and_those_asked_for(desk: Desk) -> None:
    assert set(desk.view().regions) == {EAST, CENTRAL, EUROPE, OHIO}
    assert set(desk.regions().regions) == {EAST, CENTRAL, EUROPE, OHIO}
    narrow = fleet(workloads={"chat": workload(regions={CENTRAL: placement(1, 3, 3)})})
    performer = Desk(MemoryStore(), narrow).performer
    view = performer.answer(ReadRegister(workload="chat", regions=(EUROPE,)), 1.0)
    assert set(view.regions) == {CENTRAL, EUROPE}


def test_the_largest_fleet_fits_in_the_limits_of_a_store() -> None:
    names = [f"aws/region-{number}" for number in range(64)]
    region = {"jurisdiction": "US"}
    spread = {name: placement(1 / 64, 1, 9) for name in names}
    chat = workload(rate=64, per_replica=1, regions=spread)
    small = workload(rate=1, per_replica=1, regions={names[0]: placement(1, 1, 1)})
    large = fleet(
        regions=dict.fromkeys(names, region),
        workloads={"chat": chat} | {f"{number:063}": small for number in range(1999)},
    )
    store = MemoryStore()
    desk = Desk(store, large)
    target = dict.fromkeys(names[1:], 1 / 63)
    accepted = desk.accept(
        target_weights=target,
        capacity=dict.fromkeys(target, 2),
        region=names[0],
        lock=lock(1, names[0]),
        relies_on=desk.view().versions,
    )
    assert accepted.accepted, accepted.reason
    assert MAX_CHANGES >= 64 + 3
    everyone = RegionState(reserved=dict.fromkeys(large.workloads, 100_000))
    assert len(everyone.model_dump_json()) < MAX_ITEM_BYTES / 2


def test_a_long_list_of_broken_rules_is_cut(desk: Desk) -> None:
    gone = {f"aws/gone-{number}": 1 / 20 for number in range(20)}
    assert desk.accept(target_weights=gone).reason.endswith("; and 5 more")


def test_workloads_share_the_quota_of_a_region() -> None:
    regions = document()["regions"]
    regions[CENTRAL]["quota"] = 6
    declared = fleet(regions=regions, workloads={"chat": workload(), "search": workload()})
    desk = Desk(MemoryStore(), declared)
    assert desk.accept(capacity={CENTRAL: 4}).accepted
    refused = desk.accept(workload="search", plan="plan-s")
    assert refused.reason == (
        f"region-quota: all workloads would have 7 replicas in {CENTRAL}, its quota is 6"
    )
