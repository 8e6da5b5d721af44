"""What each workload may have of what many want, so that each can be planned for by itself.

A plan for all together says how many replicas each gets in every region. Where there is enough of a
region for whatever all of them may ask, nothing is said: each may do there as it likes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crosswind.planner.heuristic import plan
from crosswind.planner.problem import Division, Need, Problem


@dataclass(frozen=True, slots=True)
class Shared:
    """What one workload may have in a region, in replicas in total.

    Attributes:
        replicas: what it has in the plan for all.
        most: what it may have where it cannot keep to that plan: this leaves what others have that
            are as important or more.
    """

    replicas: int
    most: int


def scarce(problem: Problem) -> frozenset[int]:
    """The pools of which more may be asked for than there is, by index."""
    asked = [0] * len(problem.pools)
    for need in problem.needs:
        for one in need.options:
            for pool, units in one.pools:
                asked[pool] += one.most * units
    return frozenset(
        number for number, pool in enumerate(problem.pools) if asked[number] > pool.room
    )


def share_out(problem: Problem) -> Mapping[str, Mapping[str, Shared]]:
    """What the workloads may have in regions that are scarce, by workload and region.

    Workloads that have no such region among their options are left out.
    """
    short = scarce(problem)
    if not short or len(problem.needs) < 2:
        return {}
    divisions = plan(problem).divisions
    taken = _taken(problem, divisions)
    shared: dict[str, dict[str, Shared]] = {}
    for need, division in zip(problem.needs, divisions, strict=True):
        mine = _shares(problem, need, division, short, taken)
        if mine:
            shared[need.name] = mine
    return shared


def _taken(problem: Problem, divisions: Sequence[Division]) -> list[list[int]]:
    """By pool, what each tier takes of it together with those that are more important."""
    taken = [[0, 0, 0] for _ in problem.pools]
    for need, division in zip(problem.needs, divisions, strict=True):
        for one, count in zip(need.options, division.replicas, strict=True):
            for pool, units in one.pools:
                for tier in range(need.tier, 3):
                    taken[pool][tier] += count * units
    return taken


def _shares(
    problem: Problem,
    need: Need,
    division: Division,
    short: frozenset[int],
    taken: Sequence[Sequence[int]],
) -> dict[str, Shared]:
    found = {}
    for one, count in zip(need.options, division.replicas, strict=True):
        if not any(pool in short for pool, _ in one.pools):
            continue
        more = one.most
        for pool, units in one.pools:
            others = taken[pool][need.tier] - count * units
            more = min(more, (problem.pools[pool].room - others) // units)
        found[one.region] = Shared(one.held + count, one.held + max(count, more))
    return found
