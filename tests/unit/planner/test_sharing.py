"""What each workload may have of what many want."""

from __future__ import annotations

from crosswind.planner.problem import Problem
from crosswind.planner.sharing import Shared, scarce, share_out
from unit.planner.problems import need, option, pools


def test_where_there_is_enough_for_whatever_may_be_asked_nothing_is_said() -> None:
    rivals = [
        need("v", 20, [option("a", 3, pool=0)]),
        need("w", 20, [option("a", 3, pool=0)]),
    ]
    assert not scarce(Problem(rivals, pools(a=6)))
    assert share_out(Problem(rivals, pools(a=6))) == {}
    assert scarce(Problem(rivals, pools(a=5))) == {0}


def test_one_alone_is_told_nothing() -> None:
    assert share_out(Problem([need("v", 20, [option("a", 9, pool=0)])], pools(a=2))) == {}


def test_each_is_told_its_part_in_total() -> None:
    rivals = [
        need("v", 20, [option("a", 9, pool=0, held=3)], tier=0),
        need("w", 20, [option("a", 9, pool=0)], tier=1),
    ]
    shared = share_out(Problem(rivals, pools(a=5)))
    assert shared["v"]["a"].replicas == 3 + 2
    assert shared["w"]["a"].replicas == 2


def test_beyond_its_part_one_may_have_what_is_left_by_those_as_important() -> None:
    rivals = [
        need("v", 20, [option("a", 9, pool=0)], tier=0),
        need("w", 20, [option("a", 9, pool=0)], tier=1),
        need("x", 20, [option("a", 9, pool=0)], tier=2),
    ]
    shared = share_out(Problem(rivals, pools(a=7)))
    assert shared["v"]["a"] == Shared(2, 7)
    assert shared["w"]["a"] == Shared(2, 5)
    assert shared["x"]["a"] == Shared(2, 3)


def test_one_that_gets_nothing_is_told_that() -> None:
    rivals = [
        need("v", 20, [option("a", 9, pool=0)], tier=0),
        need("w", 20, [option("a", 9, pool=0)], tier=1),
    ]
    assert share_out(Problem(rivals, pools(a=3)))["w"]["a"] == Shared(0, 1)


def test_regions_that_are_not_scarce_are_not_named() -> None:
    rivals = [
        need("v", 20, [option("a", 9, pool=0), option("b", 9)], tier=0),
        need("w", 20, [option("a", 9, pool=0), option("c", 2, pool=1)], tier=1),
    ]
    shared = share_out(Problem(rivals, pools(a=3, c=4)))
    assert {name: set(regions) for name, regions in shared.items()} == {"v": {"a"}, "w": {"a"}}
