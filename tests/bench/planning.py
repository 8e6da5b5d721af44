"""The planner against the best plan there is, over random fleets; and how long it takes.

gaps        each fleet is planned by the heuristic and solved exactly, as one problem
large       a fleet of 60 regions and 1,000 workloads loses regions
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from bench.outages import Outage, outage
from crosswind.planner import Planned, Problem, plan, survey
from crosswind.planner.checking import broken
from crosswind.planner.exact import solve
from crosswind.planner.gap import Gap, gap

T = TypeVar("T")

SIZES: Final = ((5, 6), (8, 12), (8, 12), (10, 30))
"""Regions and workloads of the fleets, in turn."""

ROOMS: Final = (None, 0.1, 0.3)
"""Room that regions have besides what is declared, in turn; None is drawn for each region."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One fleet, planned and solved.

    Attributes:
        gap: what the plan is worse by than the best.
        possible: whether there is a plan for every workload.
        broken: constraints that the plan breaks.
        ours, exact: seconds of the processor that each took.
    """

    gap: Gap
    possible: bool
    broken: tuple[str, ...]
    ours: float
    exact: float


def compared(seeds: range) -> Iterator[Compared]:
    """Fleets in trouble of these seeds; those in which nothing has to move are left out."""
    for seed in seeds:
        regions, workloads = SIZES[seed % len(SIZES)]
        problem = in_trouble(seed, regions, workloads, ROOMS[seed % len(ROOMS)])
        if not problem.needs:
            continue
        ours, planned = _timed(partial(plan, problem))
        exact, best = _timed(partial(solve, problem))
        yield Compared(
            gap=gap(problem, planned.score, best.score),
            possible=not any(best.score.stranded),
            broken=tuple(broken(problem, planned.divisions)),
            ours=ours,
            exact=exact,
        )


def large(seeds: range) -> Iterator[float]:
    """Seconds of the processor for a plan of a large fleet, from what is known of it on."""

    def planned(case: Outage) -> Planned:
        return plan(survey(case.fleet, case.states, case.known, case.left))

    for seed in seeds:
        case = outage(seed, 60, 1_000)
        took, _ = _timed(partial(planned, case))
        yield took


def in_trouble(seed: int, regions: int, workloads: int, room: float | None) -> Problem:
    """What has to be planned in a random fleet."""
    case = outage(seed, regions, workloads, room)
    return survey(case.fleet, case.states, case.known, case.left)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.process_time()
    done = work()
    return time.process_time() - began, done
