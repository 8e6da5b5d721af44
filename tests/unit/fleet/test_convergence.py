"""Where a workload is brought, how register and world differ, and what a change is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.fleet.applications import Placed
from crosswind.fleet.changes import changes
from crosswind.fleet.comparison import Drift, Replicas, Seen, drift
from crosswind.fleet.convergence import aim, division, same_weights
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.differences import Kind, Row, rows
from crosswind.fleet.state import Movement, RegionState, WorkloadState
from unit.fleet.fleets import CENTRAL, EAST, EUROPE, fleet, placement, workload

OFF = RegionState(state="evacuated")
SOAKING = RegionState(state="soaking")
DECLARED = Placed(
    weights={EAST: 0.5, CENTRAL: 0.5, EUROPE: 0.0}, replicas={EAST: 2, CENTRAL: 2, EUROPE: 0}
)


def state(weights: Mapping[str, float], capacity: Mapping[str, int], **more: Any) -> WorkloadState:
    return WorkloadState(weights=weights, capacity=capacity, **more)


def moving(**changes: Any) -> Movement:
    return Movement.model_validate(
        {"plan": "p", "owner": "c", "priority": "failover", "start": {EAST: 1.0},
         "target": {CENTRAL: 1.0}, "planned": {}, "until": 0.0} | changes
    )  # fmt: skip


# -- where it is brought --------------------------------------------------------------------------


def test_where_all_regions_serve_a_workload_is_brought_to_what_is_declared() -> None:
    goal = aim(DECLARED, state({EAST: 1.0}, {EAST: 4}), {})
    assert (goal.weights, goal.replicas, goal.held, goal.changes) == (
        {EAST: 0.5, CENTRAL: 0.5, EUROPE: 0.0},
        {EAST: 2, CENTRAL: 2, EUROPE: 0},
        "",
        True,
    )


def test_what_is_there_already_is_no_change() -> None:
    goal = aim(DECLARED, state({EAST: 0.5, CENTRAL: 0.5}, {EAST: 2, CENTRAL: 2}), {})
    assert (goal.held, goal.changes) == ("", False)


def test_a_plan_under_way_keeps_everything() -> None:
    now = state({EAST: 1.0}, {EAST: 4}, moving=moving(step=1, of=3))
    goal = aim(DECLARED, now, {})
    assert (goal.weights, goal.replicas, goal.changes) == (now.weights, now.capacity, False)
    assert goal.held == "failover p is under way (step 1 of 3)"


def test_a_standby_that_is_away_keeps_its_replicas_and_holds_nothing_else() -> None:
    wanted = Placed(weights=DECLARED.weights, replicas={EAST: 3, CENTRAL: 3, EUROPE: 3})
    now = state({EAST: 1.0}, {EAST: 2, CENTRAL: 2, EUROPE: 0})
    goal = aim(wanted, now, {EUROPE: OFF})
    assert goal.weights == DECLARED.weights
    assert goal.replicas == {EAST: 3, CENTRAL: 3, EUROPE: 0}
    assert goal.held == f"{EUROPE} is evacuated"


SHARES = st.lists(st.integers(0, 10), min_size=3, max_size=3).filter(any)
COUNTS = st.lists(st.integers(0, 6), min_size=3, max_size=3)
PLACES = (EAST, CENTRAL, EUROPE)


def divided(parts: list[int]) -> dict[str, float]:
    return {place: part / sum(parts) for place, part in zip(PLACES, parts, strict=True)}


@settings(max_examples=200, deadline=None)
@given(SHARES, COUNTS, SHARES, COUNTS, st.lists(st.sampled_from([OFF, SOAKING, None]), min_size=3,
                                               max_size=3))  # fmt: skip
def test_whatever_is_declared_a_failover_is_never_undone(
    wanted: list[int], needs: list[int], now: list[int], has: list[int], away: list[Any]
) -> None:
    declared = Placed(weights=divided(wanted), replicas=dict(zip(PLACES, needs, strict=True)))
    current = state(divided(now), dict(zip(PLACES, has, strict=True)))
    regions = {place: one for place, one in zip(PLACES, away, strict=True) if one is not None}
    goal = aim(declared, current, regions)
    assert division(goal.weights)
    for place in regions:
        # Nothing is moved into a region that was left, nothing taken out of it, no replica touched.
        assert goal.weights[place] == current.weights[place] or (
            declared.weights[place] == current.weights[place] == 0
        )
        assert goal.replicas[place] == current.capacity[place]
    used = [p for p in regions if declared.weights[p] > 0 or current.weights[p] > 0]
    if used:
        assert same_weights(goal.weights, current.weights)
        assert all(goal.replicas[p] >= current.capacity[p] for p in PLACES)
        assert goal.held or same_weights(declared.weights, current.weights)
    else:
        assert same_weights(goal.weights, declared.weights)
    again = aim(declared, state(goal.weights, goal.replicas), regions)
    assert not again.changes, "what was reached is where it stays"


# -- the register beside the world ----------------------------------------------------------------


def test_drift_is_what_goes_elsewhere_and_what_is_wanting() -> None:
    now = state({EAST: 0.5, CENTRAL: 0.5}, {EAST: 2, CENTRAL: 2})
    seen = Seen({EAST: 0.75, CENTRAL: 0.15, EUROPE: 0.1}, 3, {EAST: 2, CENTRAL: 5})
    found = drift(now, (), {}, seen)
    assert found == Drift(0.35, {CENTRAL: Replicas(2, 5)})
    assert str(found) == (
        f"35.0% of its traffic goes elsewhere; {CENTRAL} has 5 replicas instead of 2"
    )


def test_what_nobody_could_tell_is_no_drift() -> None:
    now = state({EAST: 1.0}, {EAST: 2})
    assert not drift(now, (), {}, Seen(None, 0, {}))


@pytest.mark.parametrize(
    ("regions", "unrecorded"), [({CENTRAL: OFF}, ()), ({CENTRAL: SOAKING}, ()), ({}, (CENTRAL,))]
)
def test_replicas_count_where_they_are_recorded_and_the_region_serves(
    regions: Mapping[str, RegionState], unrecorded: tuple[str, ...]
) -> None:
    now = state({EAST: 1.0}, {EAST: 2, CENTRAL: 2})
    assert not drift(now, unrecorded, regions, Seen({EAST: 1.0}, 0, {EAST: 2, CENTRAL: 0}))


# -- three columns --------------------------------------------------------------------------------

AS_DECLARED = Seen({EAST: 0.5, CENTRAL: 0.5}, 1, {EAST: 2, CENTRAL: 2, EUROPE: 0})
AT_REST = state({EAST: 0.5, CENTRAL: 0.5}, {EAST: 2, CENTRAL: 2, EUROPE: 0})
LEFT = state({CENTRAL: 1.0}, {EAST: 2, CENTRAL: 4}, plan="plan-9")
THERE = Seen({CENTRAL: 1.0}, 2, {EAST: 2, CENTRAL: 4, EUROPE: 0})


def found(
    register: WorkloadState | None = None,
    seen: Seen | None = None,
    *,
    declared: Fleet | None = None,
    applied: Fleet | None = None,
    **regions: RegionState,
) -> dict[str, Row]:
    names = {"east": EAST, "central": CENTRAL}
    made = rows(
        declared or fleet(),
        {} if register is None else {"chat": register},
        {names[name]: one for name, one in regions.items()},
        {} if seen is None else {"chat": seen},
        applied,
    )
    return {row.region: row for row in made if row.workload == "chat"}


def kinds(which: Mapping[str, Row]) -> set[Kind]:
    return {kind for row in which.values() for kind in row.kinds}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"register": AT_REST, "seen": AS_DECLARED, "applied": fleet()}, set()),
        ({"seen": AS_DECLARED}, set()),
        ({}, set()),
        ({"seen": THERE}, {"change"}),
        ({"register": LEFT, "seen": THERE, "applied": fleet(), "east": OFF}, {"failover"}),
        ({"register": LEFT, "seen": THERE, "applied": fleet(), "east": SOAKING}, {"failover"}),
        ({"register": LEFT, "seen": THERE, "applied": fleet()}, {"left"}),
        ({"register": LEFT, "seen": THERE}, {"change"}),
        ({"register": AT_REST, "seen": THERE, "applied": fleet()}, {"drift"}),
        ({"register": LEFT, "seen": AS_DECLARED, "east": OFF}, {"failover", "drift"}),
    ],
)
def test_a_difference_has_the_kind_that_says_what_is_to_be_done(
    arguments: Any, expected: set[Kind]
) -> None:
    assert kinds(found(**arguments)) == expected


def test_what_a_plan_under_way_explains_is_no_drift() -> None:
    now = AT_REST.model_copy(update={"moving": moving(step=1, of=2)})
    row = found(now, THERE, applied=fleet())[CENTRAL]
    assert (row.kinds, row.because) == (("failover",), "failover p is under way, step 1 of 2")
    other = AT_REST.model_copy(update={"moving": moving(priority="rollout")})
    assert kinds(found(other, THERE)) == {"plan"}


def test_replicas_of_a_region_that_was_left_are_the_business_of_the_way_back() -> None:
    gone = THERE._replace(replicas={EAST: 0, CENTRAL: 4})
    assert kinds(found(LEFT, gone, applied=fleet(), east=OFF)) == {"failover"}


def test_a_changed_file_is_told_from_what_a_plan_has_left() -> None:
    other = fleet(workloads={"chat": workload(regions={CENTRAL: placement(1.0, 4, 4)})})
    assert kinds(found(AT_REST, AS_DECLARED, declared=other, applied=fleet())) == {"change"}
    row = found(AT_REST, AS_DECLARED, declared=other, applied=fleet())[EAST]
    assert row.declared is None
    assert row.intended is not None


def test_a_workload_that_is_no_longer_declared_is_still_shown() -> None:
    made = [*rows(fleet(), {"gone": AT_REST}, {}, {}, None)]
    gone = [row for row in made if row.workload == "gone"]
    assert {kind for row in gone for kind in row.kinds} == {"undeclared"}


# -- what a change is called ----------------------------------------------------------------------


def test_every_change_is_a_line_with_before_and_after() -> None:
    one = fleet(limits=[{"limit": "money", "per": "1d", "most": 5}])
    other = fleet(
        workloads={"chat": workload(rate=79.5, residency=["US", "EU"]), "search": workload()},
        probes={"every": 31},
        failover={"half_life": 60},
    )
    assert changes(one, other) == (
        "workloads.chat.residency: nothing -> US, EU",
        "workloads.chat.rate: 60 -> 79.5",
        "workloads.search: added",
        "failover.half_life: nothing -> 60",
        "probes.every: 30 -> 31",
        "limits: 1 entry -> nothing",
    )
    assert "workloads.search: removed" in changes(other, one)


def test_a_first_declaration_is_counted() -> None:
    assert changes(None, fleet()) == ("first declaration: 4 region(s) and 1 workload(s)",)


def test_of_many_changes_some_are_told_and_the_rest_is_counted() -> None:
    many = fleet(workloads={f"w{n}": workload() for n in range(30)})
    told = changes(fleet(), many)
    assert len(told) == 20
    assert told[-1] == "and 12 more"


def test_no_change_is_no_line() -> None:
    assert changes(fleet(), fleet()) == ()
