"""The plan for all workloads together."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.outages import outage
from crosswind.planner.checking import broken
from crosswind.planner.gap import gap
from crosswind.planner.heuristic import plan
from crosswind.planner.problem import Problem
from crosswind.planner.survey import survey
from unit.planner.problems import best_of_all, need, option, pools


def test_where_there_is_room_for_all_each_gets_what_is_best_for_it() -> None:
    problem = Problem(
        [need("v", 20, [option("a", pool=0)]), need("w", 20, [option("a", pool=0)])], pools(a=4)
    )
    found = plan(problem)
    assert [one.replicas for one in found.divisions] == [[2], [2]]


def test_the_critical_one_gets_the_region_that_both_can_only_go_to() -> None:
    rivals = [
        need("v", 20, [option("a", pool=0)], tier=2),
        need("w", 20, [option("a", pool=0)], tier=0),
    ]
    found = plan(Problem(rivals, pools(a=2)))
    assert [one.feasible for one in found.divisions] == [False, True]
    assert found.score.stranded == (0, 0, 1)


def test_the_critical_one_leaves_it_to_one_that_has_nowhere_else_to_go() -> None:
    rivals = [
        need("v", 20, [option("a", price=1, pool=0), option("b", price=3)], tier=0),
        need("w", 20, [option("a", price=1, pool=0)], tier=2),
    ]
    found = plan(Problem(rivals, pools(a=2)))
    assert [one.replicas for one in found.divisions] == [[0, 2], [2]]


def test_above_the_floors_the_critical_one_is_served_first() -> None:
    rivals = [
        need("v", 40, [option("a", pool=0)], tier=1, floor=10.0),
        need("w", 40, [option("a", pool=0)], tier=0, floor=10.0),
    ]
    found = plan(Problem(rivals, pools(a=5)))
    assert [one.replicas for one in found.divisions] == [[1], [4]]


def test_a_floor_is_kept_before_another_gets_more_than_its_own() -> None:
    rivals = [
        need("v", 40, [option("a", pool=0)], tier=2),
        need("w", 40, [option("a", pool=0)], tier=0, floor=10.0),
    ]
    found = plan(Problem(rivals, pools(a=5)))
    assert [one.replicas for one in found.divisions] == [[4], [1]]


def test_others_move_aside_one_for_the_other() -> None:
    chain = [
        need("u", 20, [option("a", price=1, pool=0), option("b", price=2, pool=1)]),
        need("v", 20, [option("b", price=1, pool=1), option("c", price=2, pool=2)]),
        need("w", 20, [option("a", price=1, pool=0)]),
    ]
    found = plan(Problem(chain, pools(a=2, b=2, c=2)))
    assert all(one.feasible for one in found.divisions)


def test_a_workload_of_many_gpus_is_not_kept_out_by_several_of_few() -> None:
    few = [
        need(f"few{n}", 10, [option("a", pools=((0, 1), (1, 2))), option("b", price=5)], tier=1)
        for n in range(4)
    ]
    many = need("many", 10, [option("a", pools=((0, 1), (1, 8)))], tier=1)
    found = plan(Problem([*few, many], pools(a=10, gpus=8)))
    assert found.score.stranded == (0, 0, 0)
    assert found.divisions[-1].replicas == [1]


def test_the_less_important_one_gives_way_where_only_one_can_have_a_plan() -> None:
    rivals = [
        need("batch", 30, [option("a", pool=0)], tier=2),
        need("standard", 20, [option("a", pool=0)], tier=1),
    ]
    found = plan(Problem(rivals, pools(a=4)))
    assert found.score.stranded == (0, 0, 1)


def test_among_plans_that_serve_alike_the_cheapest_is_found() -> None:
    rivals = [
        need("v", 20, [option("a", price=1, pool=0), option("b", price=2)]),
        need("w", 20, [option("a", price=1, pool=0), option("b", price=9)]),
    ]
    found = plan(Problem(rivals, pools(a=2)))
    assert [one.replicas for one in found.divisions] == [[0, 2], [2, 0]]
    assert found.score.money == pytest.approx(6.0)


def test_nothing_to_move_is_planned_in_no_time() -> None:
    assert plan(Problem([], [])).divisions == ()


def test_effort_is_bounded_and_the_plan_still_keeps_every_constraint() -> None:
    for seed in range(12):
        case = outage(seed, 8, 40, 0.1)
        problem = survey(case.fleet, case.states, case.known, case.left)
        assert not list(broken(problem, plan(problem, effort=50).divisions))


def test_the_same_problem_gives_the_same_plan() -> None:
    case = outage(3, 8, 40, 0.1)
    problems = [survey(case.fleet, case.states, case.known, case.left) for _ in range(2)]
    first, second = (plan(problem) for problem in problems)
    assert [one.replicas for one in first.divisions] == [one.replicas for one in second.divisions]
    assert first.score == second.score


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1_000_000), st.sampled_from([0.05, 0.1, 0.3, None]))
def test_no_plan_of_a_random_fleet_breaks_a_constraint(seed: int, room: float | None) -> None:
    case = outage(seed, 7, 20, room)
    problem = survey(case.fleet, case.states, case.known, case.left)
    assert not list(broken(problem, plan(problem).divisions))


def small(draw: Random) -> Problem:
    """So small that every plan can be tried."""
    rooms = {region: draw.randint(0, 3) for region in ("a", "b")}
    needs = []
    for number in range(draw.randint(2, 3)):
        options = [
            option(
                region,
                draw.randint(0, 2),
                pool=pool,
                price=float(draw.randint(1, 4)),
                carry=draw.choice([0.0, 0.1]),
                free=draw.choice([0.0, 4.0]),
                slow=draw.random() < 0.5,
            )
            for pool, region in enumerate(rooms)
        ]
        moving = draw.choice([5.0, 12.0, 20.0])
        floor = draw.choice([0.0, 0.5, 1.0]) * moving
        tier, start = draw.randint(0, 2), draw.choice([0.0, 0.1])
        needs.append(need(f"w{number}", moving, options, tier=tier, floor=floor, start=start))
    return Problem(needs, pools(**rooms))


def test_on_small_problems_trying_every_plan_finds_hardly_any_that_is_better() -> None:
    worse = 0
    for seed in range(500):
        problem = small(Random(seed))
        found, best = plan(problem).score, best_of_all(problem)
        assert found.stranded == best.stranded, seed
        missed = gap(problem, found, best)
        worse += (missed.damage or 0.0) > 0.01 or (missed.money or 0.0) > 0.01
    assert worse <= 5
