"""Problems for tests of the planner, in short: regions a, b, c; a replica serves 10 requests/s."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from crosswind.planner.checking import broken
from crosswind.planner.division import Divider, Work
from crosswind.planner.problem import Division, Need, Option, Pool, Problem, Score, score


def option(region: str, most: int = 10, *, pool: int | None = None, **changes: Any) -> Option:
    """A region in which the workload holds nothing yet."""
    fields: dict[str, Any] = {
        "domains": (),
        "held": 0,
        "keep": 0.0,
        "before": 0.0,
        "free": 0.0,
        "idle": 0.0,
        "slow": False,
        "soaking": False,
        "price": 1.0,
        "carry": 0.0,
        "pools": () if pool is None else ((pool, 1),),
    }
    return Option(region=region, most=most, **fields | changes)


def need(name: str, moving: float, options: Sequence[Option], **changes: Any) -> Need:
    """A standard workload, all of whose demand has to move and has to be served."""
    fields: dict[str, Any] = {
        "tier": 1,
        "rate": moving,
        "unit": 10.0,
        "floor": moving,
        "start": 0.0,
        "budget": None,
        "max_share": moving,
        "max_domain": moving,
    }
    return Need(name=name, moving=moving, options=options, **fields | changes)


def pools(**rooms: int) -> list[Pool]:
    """Quotas of regions, in the order given."""
    return [Pool(region, None, room) for region, room in rooms.items()]


def best_of_all(problem: Problem) -> Score:
    """The best plan by trying every number of replicas; for the smallest problems only."""
    dividers = [Divider(one, Work()) for one in problem.needs]
    ways = [list(_ways(one)) for one in dividers]
    return min(
        score(problem, divisions)
        for divisions in product(*ways)
        if not list(broken(problem, divisions))
    )


def _ways(divider: Divider) -> Iterator[Division]:
    yield divider.stranded()
    for replicas in product(*(range(one.most + 1) for one in divider.need.options)):
        yield divider.divide(list(replicas))
