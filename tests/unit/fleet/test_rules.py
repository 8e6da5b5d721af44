"""What no plan may break."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from crosswind.fleet.declaration import Fleet
from crosswind.fleet.rules import (
    Rule,
    depends_on,
    egress_cost,
    gpus_reserved,
    held,
    reserved,
    servable,
    strays,
    violations,
)
from crosswind.fleet.state import Movement, RegionState, WorkloadState, workload_state
from unit.fleet.fleets import CENTRAL, EAST, EUROPE, OHIO, document, fleet, placement, workload

OFF = RegionState(state="evacuated")
SOAKING = RegionState(state="soaking")


def broken(
    declared: Fleet,
    weights: Mapping[str, float],
    capacity: Mapping[str, int] | None = None,
    *,
    current: WorkloadState | None = None,
    underway: bool = False,
    **regions: RegionState,
) -> list[Rule]:
    """The rules that chat would break; regions are given by short names."""
    names = {"east": EAST, "central": CENTRAL, "europe": EUROPE, "ohio": OHIO}
    current = current or workload_state(declared, "chat", None)
    found = violations(
        declared,
        "chat",
        current,
        {names[short]: state for short, state in regions.items()},
        weights,
        capacity if capacity is not None else {EAST: 4, CENTRAL: 4, EUROPE: 4},
        underway=underway,
    )
    return [violation.rule for violation in found]


def with_chat(**changes: Any) -> Fleet:
    return fleet(workloads={"chat": workload(**changes)})


def test_the_declared_placement_breaks_nothing() -> None:
    declared = fleet()
    state = workload_state(declared, "chat", None)
    assert broken(declared, state.weights, state.capacity) == []


def narrowed(declared: Fleet) -> Fleet:
    """The same fleet after chat was forbidden to leave the United States."""
    chat = declared.workloads["chat"].model_copy(update={"residency": ("US",)})
    return declared.model_copy(update={"workloads": {"chat": chat}})


@pytest.mark.parametrize(
    "weights", [{EAST: 0.5}, {EAST: 0.6, CENTRAL: 0.6}, {}, {EAST: 1.0, CENTRAL: 1e-5}]
)
def test_shares_sum_to_one(weights: Mapping[str, float]) -> None:
    assert "shares" in broken(fleet(), weights)


def test_a_share_goes_from_zero_to_one() -> None:
    assert broken(fleet(), {EAST: 1.5, CENTRAL: -0.5}).count("shares") == 2
    assert "shares" in broken(fleet(), {EAST: float("nan"), CENTRAL: 1.0})


def test_traffic_goes_only_where_the_workload_is_declared() -> None:
    assert "placement" in broken(fleet(), {OHIO: 0.5, CENTRAL: 0.5}, {OHIO: 2, CENTRAL: 4})
    assert "placement" in broken(fleet(), {"aws/unheard-of": 1.0})


def test_traffic_stays_under_the_jurisdictions_that_are_allowed() -> None:
    both = with_chat(residency=["US", "EU"])
    assert broken(both, {CENTRAL: 0.5, EUROPE: 0.5}) == []
    assert broken(narrowed(both), {CENTRAL: 0.5, EUROPE: 0.5}) == ["residency"]
    assert broken(narrowed(both), {CENTRAL: 0.5, EAST: 0.5}) == []


def test_what_is_there_already_may_leave_by_steps_but_not_be_made_the_end_of_a_plan() -> None:
    declared = narrowed(with_chat(residency=["US", "EU"]))
    current = WorkloadState(weights={EUROPE: 1.0}, capacity={EUROPE: 4, CENTRAL: 4})
    step = {EUROPE: 0.5, CENTRAL: 0.5}
    assert broken(declared, step, current=current, underway=True) == []
    assert broken(declared, step, current=current) == ["residency"]


def test_nothing_is_moved_into_an_evacuated_region() -> None:
    declared = with_chat(floor=0)
    assert broken(declared, {EAST: 0.6, CENTRAL: 0.4}, east=OFF) == ["evacuated"]
    assert broken(declared, {EAST: 0.4, CENTRAL: 0.6}, east=OFF) == []
    assert broken(declared, {EAST: 0.6, CENTRAL: 0.4}, east=SOAKING) == []


def test_nothing_is_moved_into_what_fails_together_with_an_evacuated_region() -> None:
    assert broken(fleet(), {EAST: 0.75, CENTRAL: 0.25}, ohio=OFF) == ["failing-domain"]
    assert broken(fleet(), {EAST: 0.25, CENTRAL: 0.75}, ohio=OFF) == []
    assert broken(fleet(), {EAST: 0.75, CENTRAL: 0.25}, ohio=SOAKING) == []
    assert broken(fleet(), {EAST: 0.75, CENTRAL: 0.25}, europe=OFF) == []


def test_a_workload_has_at_most_its_quota() -> None:
    assert broken(fleet(), {CENTRAL: 1.0}, {CENTRAL: 5}) == ["quota"]
    assert broken(fleet(), {CENTRAL: 1.0}, {CENTRAL: 4, OHIO: 1}) == ["quota"]
    before = WorkloadState(weights={CENTRAL: 1.0}, capacity={CENTRAL: 6})
    assert broken(fleet(), {CENTRAL: 1.0}, {CENTRAL: 5}, current=before) == []


def test_all_workloads_together_have_at_most_the_quota_of_a_region() -> None:
    regions = document()["regions"]
    regions[CENTRAL]["quota"] = 5
    declared = fleet(regions=regions, workloads={"chat": workload(), "search": workload()})
    assert broken(declared, {CENTRAL: 1.0}, {CENTRAL: 3}) == []
    assert broken(declared, {CENTRAL: 1.0}, {CENTRAL: 4}) == ["region-quota"]
    less = RegionState(reserved={"search": 1})
    assert broken(declared, {CENTRAL: 1.0}, {CENTRAL: 4}, central=less) == []
    view = RegionState(reserved={"chat": 2}, others=2)
    assert broken(declared, {CENTRAL: 1.0}, {CENTRAL: 4}, central=view) == ["region-quota"]
    full = RegionState(reserved={"search": 4, "chat": 4})
    state = WorkloadState(weights={CENTRAL: 1.0}, capacity={CENTRAL: 4})
    assert broken(declared, {CENTRAL: 1.0}, {CENTRAL: 4}, current=state, central=full) == []


def test_all_workloads_together_have_at_most_the_gpus_that_a_region_offers() -> None:
    regions = document()["regions"]
    regions[CENTRAL]["gpus"] = {"h100": 40}
    eight = {"gpu": "h100", "gpus_per_replica": 8}
    declared = fleet(
        regions=regions, workloads={"chat": workload(**eight), "search": workload(**eight)}
    )
    assert broken(declared, {CENTRAL: 1.0}, {CENTRAL: 3}) == []
    assert broken(declared, {CENTRAL: 1.0}, {CENTRAL: 4}) == ["gpus"]
    less = RegionState(reserved={"search": 1})
    assert broken(declared, {CENTRAL: 1.0}, {CENTRAL: 4}, central=less) == []
    view = RegionState(reserved={"chat": 2}, others=2, gpus={"h100": 16})
    assert broken(declared, {CENTRAL: 1.0}, {CENTRAL: 4}, central=view) == ["gpus"]
    full = RegionState(reserved={"search": 4, "chat": 4})
    state = WorkloadState(weights={CENTRAL: 1.0}, capacity={CENTRAL: 4})
    assert broken(declared, {CENTRAL: 1.0}, {CENTRAL: 4}, current=state, central=full) == []


def test_a_kind_of_gpu_that_is_not_named_is_not_offered_and_where_none_is_anything_goes() -> None:
    regions = document()["regions"]
    regions[CENTRAL]["gpus"] = {"h100": 40}
    other = fleet(regions=regions).workloads["chat"].model_copy(update={"gpu": "l4"})
    declared = fleet(regions=regions).model_copy(update={"workloads": {"chat": other}})
    assert broken(declared, {CENTRAL: 1.0}, {CENTRAL: 4}) == ["gpus"]
    assert broken(declared, {EAST: 1.0}, {EAST: 4}) == []


def test_at_least_one_region_that_serves_gets_the_workload() -> None:
    declared = with_chat(floor=0)
    assert broken(declared, {EAST: 0.5, CENTRAL: 0.5}, east=OFF, central=OFF) == ["all-regions-off"]
    assert broken(declared, {EAST: 0.5, CENTRAL: 0.5}, east=OFF) == []


def test_the_floor_counts_what_finds_a_replica_where_it_is_sent() -> None:
    assert broken(fleet(), {EAST: 0.5, CENTRAL: 0.5}, {EAST: 2, CENTRAL: 1}) == ["floor"]
    assert broken(with_chat(floor=0.8), {EAST: 0.5, CENTRAL: 0.5}, {EAST: 2, CENTRAL: 1}) == []
    # Plenty in total, but not where the traffic goes.
    assert broken(fleet(), {EAST: 1.0}, {EAST: 2, CENTRAL: 4}) == ["floor"]


def test_an_evacuated_region_serves_nothing() -> None:
    declared = with_chat(floor=0.6)
    assert broken(declared, {EAST: 0.5, CENTRAL: 0.5}, east=OFF) == ["floor"]
    spec = declared.workloads["chat"]
    assert servable(spec, {EAST: 0.5, CENTRAL: 0.5}, {EAST: 4, CENTRAL: 4}, {EAST: OFF}) == 30


def test_a_plan_under_way_may_be_below_the_floor_but_never_lower_than_before() -> None:
    capacity = {EAST: 4, CENTRAL: 4}
    current = WorkloadState(weights={EAST: 0.5, CENTRAL: 0.5}, capacity=capacity)
    better, worse = {EAST: 0.25, CENTRAL: 0.75}, {EAST: 0.5, CENTRAL: 0.25, EUROPE: 0.25}
    assert broken(fleet(), better, capacity, current=current, underway=True, east=OFF) == []
    assert broken(fleet(), better, capacity, current=current, east=OFF) == ["floor"]
    assert broken(fleet(), worse, capacity, current=current, underway=True, east=OFF) == ["floor"]


def test_answers_cost_at_most_the_budget_or_what_they_cost_already() -> None:
    # 60 requests/s of 1 MB are 216 GB an hour: 21.60 USD from the States, 43.20 from Europe.
    declared = with_chat(gb_per_request=0.001, max_egress_usd_per_hour=30)
    assert broken(declared, {CENTRAL: 0.75, EUROPE: 0.25}) == []
    assert broken(declared, {CENTRAL: 0.5, EUROPE: 0.5}) == ["egress"]
    dear = WorkloadState(weights={EUROPE: 1.0}, capacity={EUROPE: 4, CENTRAL: 4})
    assert broken(declared, {CENTRAL: 0.5, EUROPE: 0.5}, current=dear) == []


def test_data_that_is_read_from_elsewhere_counts_as_well() -> None:
    declared = with_chat(
        gb_per_request=0.001,
        data={"regions": [EAST], "gb_per_request": 0.001},
        max_egress_usd_per_hour=30,
        regions={EAST: placement(1, 3, 4), CENTRAL: placement(0, 0, 4)},
    )
    assert broken(declared, {EAST: 1.0}, {EAST: 3, CENTRAL: 0}) == []
    # In the centre each request reads 1 MB from the east besides: 43.20 USD.
    assert broken(declared, {CENTRAL: 1.0}, {CENTRAL: 3}) == ["egress"]
    assert egress_cost(declared, declared.workloads["chat"], {CENTRAL: 1.0}) == pytest.approx(43.2)


def test_a_violation_says_what_is_broken_where() -> None:
    declared = fleet()
    state = workload_state(declared, "chat", None)
    (found,) = violations(
        declared, "chat", state, {CENTRAL: OFF}, {EAST: 0.2, CENTRAL: 0.8}, {EAST: 4, CENTRAL: 4}
    )[:1]
    assert found.region == CENTRAL
    assert str(found) == f"evacuated: {CENTRAL} is evacuated and would get traffic"


def test_a_workload_depends_on_its_regions_and_on_what_fails_together_with_them() -> None:
    assert depends_on(fleet(), "chat") == (EAST, CENTRAL, EUROPE, OHIO)
    narrow = with_chat(regions={CENTRAL: placement(1, 3, 4)})
    assert depends_on(narrow, "chat") == (CENTRAL,)
    assert depends_on(narrow, "chat", {OHIO, "aws/gone"}) == (EAST, CENTRAL, OHIO)


def test_a_workload_holds_what_is_reserved_or_else_what_it_declares() -> None:
    declared = fleet(workloads={"chat": workload(), "search": workload()})
    state = RegionState(reserved={"chat": 5, "gone": 1})
    assert held(declared, "chat", EAST, state) == 5
    assert held(declared, "search", EAST, state) == 2
    assert held(declared, "search", OHIO, state) == 0
    assert held(declared, "never-declared", EAST, state) == 0
    assert reserved(declared, EAST, state) == 8
    assert reserved(declared, EAST, RegionState(reserved={"chat": 5}, others=3)) == 8


def test_gpus_are_counted_by_what_each_replica_needs_of_the_kind() -> None:
    declared = fleet(
        workloads={
            "chat": workload(gpu="h100", gpus_per_replica=8),
            "search": workload(gpu="h100", gpus_per_replica=2),
            "plain": workload(),
        }
    )
    assert gpus_reserved(declared, EAST, RegionState(), "h100") == 2 * 8 + 2 * 2
    assert gpus_reserved(declared, EAST, RegionState(reserved={"chat": 1}), "h100") == 8 + 2 * 2
    assert gpus_reserved(declared, EAST, RegionState(), "l4") == 0
    view = RegionState(reserved={"chat": 1}, others=4, gpus={"h100": 4})
    assert gpus_reserved(declared, EAST, view, "h100") == 8 + 4


def test_a_step_strays_where_its_share_is_beyond_both_ends_of_the_plan() -> None:
    movement = Movement(
        plan="p",
        owner="c",
        priority="failover",
        start={EAST: 0.5, CENTRAL: 0.5},
        target={CENTRAL: 1.0},
        planned={},
        until=0,
    )
    assert strays(movement, {EAST: 0.25, CENTRAL: 0.75}) == ()
    assert strays(movement, {EAST: 0.6, CENTRAL: 0.4}) == (EAST, CENTRAL)
    assert strays(movement, {EAST: 0.25, CENTRAL: 0.5, EUROPE: 0.25}) == (EUROPE,)
