"""How the demand of one workload is divided."""

from __future__ import annotations

import pytest

from crosswind.planner.division import Divider, Work
from crosswind.planner.problem import Division, Need
from unit.planner.problems import need, option


def best(of: Need) -> Division:
    return Divider(of, Work()).best([one.most for one in of.options])


def test_replicas_that_serve_already_are_used_before_others_are_started() -> None:
    found = best(need("w", 30, [option("a", price=1), option("b", free=30, price=9)], start=0.1))
    assert found.placed == [0.0, 30.0]
    assert found.replicas == [0, 0]
    assert found.damage == 0


def test_without_start_up_it_is_the_cheapest_that_counts() -> None:
    found = best(need("w", 30, [option("a", price=1), option("b", free=30, carry=1.0)]))
    assert found.placed == [30.0, 0.0]
    assert found.money == pytest.approx(3.0)


def test_starting_replicas_lose_what_they_would_have_served_meanwhile() -> None:
    found = best(need("w", 30, [option("a")], start=0.25))
    assert found.damage == pytest.approx(7.5)


def test_slow_is_better_than_failing_and_worse_than_well() -> None:
    found = best(need("w", 30, [option("a", 1), option("b", 1, slow=True)], floor=0.0))
    assert found.placed == [10.0, 10.0]
    assert sum(found.over) == 10.0
    assert found.damage == pytest.approx(10 + 0.5 * 10)


def test_the_last_replica_is_where_its_part_is_cheapest() -> None:
    dear, cheap = option("a", 2, price=3, carry=0.0), option("b", 1, price=1, carry=0.4)
    found = best(need("w", 21, [dear, cheap]))
    assert found.replicas == [2, 1]
    assert found.money == pytest.approx(2 * 3 + 1 + 0.4)


def test_no_replica_is_started_for_what_fits_elsewhere() -> None:
    found = best(need("w", 22, [option("a", price=2), option("b", free=5, carry=0.9)]))
    assert found.replicas == [2, 0]
    assert found.placed == [20.0, 2.0]


def test_less_than_the_floor_is_no_plan() -> None:
    found = best(need("w", 30, [option("a", 2)]))
    assert not found.feasible
    assert found.replicas == [0]
    assert found.damage == 30


def test_what_is_above_the_floor_may_go_unserved() -> None:
    found = best(need("w", 30, [option("a", 2)], floor=20.0))
    assert found.feasible
    assert found.over == [10.0]
    assert found.damage == 10


def test_egress_is_kept_within_its_budget_even_if_that_costs_replicas() -> None:
    options = [option("a", price=1, carry=1.0), option("b", price=5, carry=0.1)]
    found = best(need("w", 30, options, budget=12.0))
    carried = found.placed[0] * 1.0 + found.placed[1] * 0.1
    assert found.feasible
    assert carried <= 12.0 + 1e-6
    assert not any(found.over)


def test_a_budget_that_cannot_be_kept_is_no_plan() -> None:
    found = best(need("w", 30, [option("a", carry=1.0)], budget=12.0))
    assert not found.feasible


def test_what_goes_unserved_goes_where_it_costs_least_to_send() -> None:
    options = [option("a", 1, carry=1.0), option("b", 0, carry=0.1)]
    found = best(need("w", 30, options, floor=0.0))
    assert found.over == [0.0, 20.0]


def test_a_region_that_soaks_gets_only_what_it_had_while_another_has_room() -> None:
    soaking = option("a", soaking=True, before=10.0, price=1)
    found = best(need("w", 30, [soaking, option("b", price=2)]))
    assert found.placed == [10.0, 20.0]
    assert found.wished == 0


def test_a_wish_gives_way_before_anyone_is_harmed() -> None:
    found = best(need("w", 30, [option("a", soaking=True), option("b", 1)]))
    assert found.placed == [20.0, 10.0]
    assert found.damage == 0
    assert found.wished == pytest.approx(20)


def test_one_region_gets_no_more_than_is_wished() -> None:
    found = best(need("w", 40, [option("a", price=1), option("b", price=2)], max_share=20.0))
    assert found.placed == [20.0, 20.0]


def test_nor_do_the_regions_of_one_failing_domain() -> None:
    options = [
        option("a", price=1, domains=("grid:x",)),
        option("b", price=1, domains=("grid:x",)),
        option("c", price=2),
    ]
    found = best(need("w", 40, options, max_domain=20.0))
    assert found.placed[2] == 20.0
    assert found.wished == 0
