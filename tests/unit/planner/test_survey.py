"""From a fleet to what has to be planned."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.fleet.declaration import Fleet
from crosswind.fleet.state import RegionState
from crosswind.operations.endpoints import EndpointState
from crosswind.planner.problem import Need, Option, Problem
from crosswind.planner.survey import Known, survey
from unit.chains.fleets import CENTRAL, EAST, EUROPE, OHIO, fleet, placement, workload


def problem(
    of: Fleet,
    states: dict[str, RegionState] | None = None,
    left: tuple[str, ...] = (EAST,),
    **changes: Any,
) -> Problem:
    """The only workload leaves the east; it is intended to be as declared unless said otherwise."""
    spec = of.workloads["chat"]
    known = Known(**{"weights": spec.weights, "capacity": spec.replicas} | changes)
    return survey(of, states or {}, {"chat": known}, left)


def chat(**changes: Any) -> Fleet:
    return fleet(workloads={"chat": workload(**changes)})


def only(of: Problem) -> Need:
    (one,) = of.needs
    return one


def options(of: Problem) -> dict[str, Option]:
    return {one.region: one for one in only(of).options}


def answers(**ready: int) -> dict[str, EndpointState]:
    names = {"central": CENTRAL, "europe": EUROPE, "ohio": OHIO}
    return {
        names[name]: EndpointState(region=names[name], reachable=count >= 0, ready=max(0, count))
        for name, count in ready.items()
    }


def test_what_goes_to_the_region_that_is_left_has_to_move_and_nothing_else() -> None:
    need = only(problem(chat()))
    assert need.moving == 50.0
    assert need.floor == 50.0
    assert {one.region: one.keep for one in need.options} == {CENTRAL: 50.0, EUROPE: 0.0}


def test_a_workload_without_traffic_there_has_nothing_to_move() -> None:
    found = problem(chat(), weights={CENTRAL: 1.0}, capacity={CENTRAL: 10})
    assert found.settled == ["chat"]
    assert not found.needs


def test_what_a_region_has_no_replicas_for_has_to_move_too() -> None:
    found = problem(chat(), weights={CENTRAL: 1.0}, capacity={CENTRAL: 7})
    assert only(found).moving == pytest.approx(30.0)


def test_an_evacuated_region_is_left_as_well() -> None:
    found = problem(chat(), {CENTRAL: RegionState(state="evacuated")})
    assert list(options(found)) == [EUROPE]
    assert only(found).moving == 100.0


def test_replicas_that_do_not_serve_yet_are_idle() -> None:
    found = problem(chat(), capacity={CENTRAL: 9}, endpoints=answers(central=7, europe=0))
    assert options(found)[CENTRAL].free == pytest.approx(20.0)
    assert options(found)[CENTRAL].idle == pytest.approx(20.0)


def test_a_region_that_does_not_answer_takes_and_keeps_nothing() -> None:
    need = only(problem(chat(), endpoints=answers(central=-1, europe=0)))
    assert [one.region for one in need.options] == [EUROPE]
    assert need.moving == 100.0
    assert "does not answer" in {one.region: one.why for one in need.stays}[CENTRAL]


def test_a_region_of_the_failing_domain_keeps_what_it_has_and_gets_no_more() -> None:
    regions = {
        EAST: placement(0.5, 5, 10),
        OHIO: placement(0.5, 5, 10),
        CENTRAL: placement(0.0, 0, 10),
    }
    need = only(problem(chat(regions=regions)))
    (stay,) = need.stays
    assert (stay.region, stay.keep) == (OHIO, 50.0)
    assert "shares grid:pjm" in stay.why
    assert need.moving == 50.0


def test_nor_does_one_that_shares_a_domain_with_a_region_found_unfit() -> None:
    regions = {
        CENTRAL: placement(1.0, 10, 10),
        EAST: placement(0.0, 0, 10),
        OHIO: placement(0.0, 0, 10),
        EUROPE: placement(0.0, 0, 10),
    }
    found = problem(chat(regions=regions), left=(CENTRAL,), excluded=frozenset({EAST}))
    assert list(options(found)) == [EUROPE]


def test_what_others_hold_of_a_quota_is_not_there() -> None:
    declared = fleet().regions[CENTRAL].model_dump() | {"quota": 12}
    found = fleet(regions={**_regions(), CENTRAL: declared})
    states = {CENTRAL: RegionState(reserved={"chat": 5}, others=4)}
    central = options(problem(found, states))[CENTRAL]
    assert [pool.room for pool in problem(found, states).pools] == [3]
    assert central.pools == ((0, 1),)


def test_gpus_are_shared_by_those_that_need_their_kind() -> None:
    declared = fleet().regions[CENTRAL].model_dump() | {"gpus": {"h100": 60, "l4": 4}}
    found = fleet(
        regions={**_regions(), CENTRAL: declared},
        workloads={"chat": workload(gpu="h100", gpus_per_replica=8)},
    )
    one = problem(found)
    assert [(pool.gpu, pool.room) for pool in one.pools] == [("h100", 20)]
    assert options(one)[CENTRAL].pools == ((0, 8),)


def test_a_ceiling_bounds_what_is_held_as_well() -> None:
    central = options(problem(chat(), ceilings={CENTRAL: 3}))[CENTRAL]
    assert (central.held, central.most, central.keep) == (3, 0, 30.0)


def test_data_that_is_elsewhere_costs_the_cheapest_of_its_regions() -> None:
    regions = {
        **_regions(),
        EAST: {"jurisdiction": "US", "egress": 0.09},
        CENTRAL: {"jurisdiction": "US", "egress": 0.12},
        EUROPE: {"jurisdiction": "NL", "egress": 0.05},
    }
    data = {"regions": [EAST, CENTRAL], "gb_per_request": 0.001}
    found = fleet(regions=regions, workloads={"chat": workload(data=data, gb_per_request=0.01)})
    one = options(problem(found))
    assert one[CENTRAL].carry == pytest.approx(3600 * 0.01 * 0.12)
    assert one[EUROPE].carry == pytest.approx(3600 * (0.01 * 0.05 + 0.001 * 0.09))


def test_the_egress_budget_is_what_it_may_cost_less_what_stays() -> None:
    regions = {**_regions(), CENTRAL: {"jurisdiction": "US", "egress": 0.1}}
    found = fleet(
        regions=regions,
        workloads={"chat": workload(gb_per_request=0.001, max_egress_usd_per_hour=100.0)},
    )
    assert only(problem(found)).budget == pytest.approx(100.0 - 50 * 3600 * 0.001 * 0.1)


def test_a_workload_without_demand_is_planned_all_the_same() -> None:
    need = only(problem(chat(rate=0)))
    assert need.moving > 0


def test_a_workload_that_can_go_nowhere_is_told_with_reasons() -> None:
    found = problem(chat(regions={EAST: placement(1.0, 10, 10)}))
    assert found.stranded == {"chat": "it is declared in no region but those that are left"}
    silent = problem(
        chat(regions={EAST: placement(1.0, 10, 10), CENTRAL: placement(0.0, 0, 10)}),
        endpoints=answers(central=-1),
    )
    assert "its endpoint does not answer" in silent.stranded["chat"]


def _regions() -> dict[str, Any]:
    return {name: spec.model_dump() for name, spec in fleet().regions.items()}
