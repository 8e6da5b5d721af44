"""Whether a plan keeps every constraint of its problem: looked at anew, whoever has made it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isclose
from typing import Final

from crosswind.planner.problem import Division, Need, Problem

_TOLERANCE: Final = 1e-5
"""Part of a workload's demand by which a sum may be off."""


def broken(problem: Problem, divisions: Sequence[Division]) -> Iterator[str]:
    """Every constraint that a plan breaks, in words."""
    taken = [0] * len(problem.pools)
    for need, one in zip(problem.needs, divisions, strict=True):
        for option, count in zip(need.options, one.replicas, strict=True):
            for pool, units in option.pools:
                taken[pool] += count * units
        if one.feasible:
            yield from _alone(need, one)
        elif any(one.replicas):
            yield f"{need.name} has no plan, and replicas"
    for shared, used in zip(problem.pools, taken, strict=True):
        if used > shared.room:
            what = "replicas" if shared.gpu is None else f"GPUs {shared.gpu}"
            yield f"{used} {what} are taken in {shared.region}, there is room for {shared.room}"


def _alone(need: Need, one: Division) -> Iterator[str]:
    slack = _TOLERANCE * max(1.0, need.rate)
    sent = sum(one.placed) + sum(one.over)
    if not isclose(sent, need.moving, abs_tol=slack):
        yield f"{need.name} sends {sent:g} of {need.moving:g} requests/s"
    if sum(one.placed) < need.floor - slack:
        yield f"{need.name} serves {sum(one.placed):g}, its floor is {need.floor:g}"
    carried = 0.0
    rows = zip(need.options, one.replicas, one.placed, one.over, strict=True)
    for option, count, placed, over in rows:
        carried += (placed + over) * option.carry
        if not 0 <= count <= option.most:
            yield f"{need.name} has {count} further replicas in {option.region} of {option.most}"
        if min(placed, over) < -slack:
            yield f"{need.name} sends less than nothing to {option.region}"
        if placed > option.free + option.idle + count * need.unit + slack:
            yield f"{need.name} serves more in {option.region} than its replicas can"
    if need.budget is not None and carried > need.budget + slack:
        yield f"{need.name} costs {carried:g} USD/h to send, at most {need.budget:g} may"
