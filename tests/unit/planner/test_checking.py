"""A plan that breaks a constraint is found out, whoever has made it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from crosswind.planner.checking import broken
from crosswind.planner.division import Divider, Work
from crosswind.planner.problem import Division, Problem
from unit.planner.problems import need, option, pools

PROBLEM = Problem([need("w", 20, [option("a", 3, pool=0, carry=1.0)], budget=25.0)], pools(a=2))
GOOD = Divider(PROBLEM.needs[0], Work()).divide([2])


def found(**changes: Any) -> list[str]:
    return list(broken(PROBLEM, [replace(GOOD, **changes)]))


def test_a_plan_that_keeps_all_is_not_complained_about() -> None:
    assert found() == []
    stranded = Divider(PROBLEM.needs[0], Work()).stranded()
    assert list(broken(PROBLEM, [stranded])) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"placed": [15.0]}, "sends 15 of 20"),
        ({"placed": [15.0], "over": [5.0]}, "serves 15, its floor is 20"),
        ({"replicas": [3]}, "3 replicas are taken in a, there is room for 2"),
        ({"replicas": [4]}, "4 further replicas in a of 3"),
        ({"replicas": [1]}, "serves more in a than its replicas can"),
        ({"placed": [30.0], "over": [-10.0]}, "sends less than nothing to a"),
        ({"feasible": False}, "has no plan, and replicas"),
    ],
)
def test_each_constraint_that_is_broken_is_named(changes: dict[str, Any], said: str) -> None:
    assert any(said in one for one in found(**changes))


def test_so_is_a_budget_that_does_not_hold() -> None:
    dear = Problem([replace(PROBLEM.needs[0], budget=15.0)], PROBLEM.pools)
    assert list(broken(dear, [GOOD])) == ["w costs 20 USD/h to send, at most 15 may"]


def test_gpus_are_named_by_their_kind() -> None:
    few = Problem(
        [need("w", 20, [option("a", pools=((0, 8),))])], [replace(pools(a=8)[0], gpu="h100")]
    )
    both = Division([2], [20.0], [0.0], True, 0.0, 0.0, 2.0)
    assert list(broken(few, [both])) == ["16 GPUs h100 are taken in a, there is room for 8"]
