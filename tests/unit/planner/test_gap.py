"""How far a plan is from the best one."""

from __future__ import annotations

import pytest

from crosswind.planner.gap import Gap, gap
from crosswind.planner.problem import Problem, Score
from unit.planner.problems import need, option

PROBLEM = Problem([need("v", 100, [option("a")], tier=0), need("w", 100, [option("a")])], [])


def scored(
    stranded: tuple[int, int, int] = (0, 0, 0),
    damage: tuple[float, float, float] = (0.0, 0.0, 0.0),
    wished: float = 0.0,
    money: float = 10.0,
) -> Score:
    return Score(stranded, damage, wished, money)


def test_the_best_plan_has_no_gap() -> None:
    assert gap(PROBLEM, scored(), scored()) == Gap(0, 0.0, 0.0, 0.0)


def test_who_is_left_without_a_plan_counts_before_all_else() -> None:
    assert gap(PROBLEM, scored((0, 2, 0), money=1.0), scored()) == Gap(2)


def test_less_of_a_lower_tier_is_no_merit_where_more_of_a_higher_one_is_left_over() -> None:
    assert gap(PROBLEM, scored((1, 0, 0)), scored((0, 5, 0))).stranded == 1


def test_damage_is_a_share_of_the_demand_weighed_by_tier() -> None:
    found = gap(PROBLEM, scored(damage=(0.0, 11.0, 0.0)), scored())
    assert found.damage == pytest.approx(10 * 11 / (100 * 100 + 10 * 100))
    assert found.money is None


def test_damage_saved_in_one_tier_does_not_make_up_for_that_in_another() -> None:
    found = gap(PROBLEM, scored(damage=(11.0, 0.0, 0.0)), scored(damage=(0.0, 90.0, 0.0)))
    assert found.damage == pytest.approx(100 * 11 / (100 * 100 + 10 * 100))


def test_money_is_compared_where_nothing_before_it_differs() -> None:
    assert gap(PROBLEM, scored(money=12.0), scored(money=10.0)).money == pytest.approx(0.2)
    assert gap(PROBLEM, scored(wished=50.0), scored()).money is None


def test_of_next_to_nothing_no_percentage_is_made() -> None:
    assert gap(PROBLEM, scored(money=0.02), scored(money=0.01)).money == pytest.approx(0.01)
