"""How far a plan is from the best one, said of an objective that is a list.

Two plans are first told apart by whom they leave without a plan, then by damage, then by wishes,
then by money. So money is compared only where nothing before it differs, and damage is never given
in per cent of damage: the best may have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crosswind.planner.problem import Problem, Score

WEIGHTS: Final = (100.0, 10.0, 1.0)
"""What a request of each tier weighs in the gap of damage; plans themselves are never compared by
these weights, but tier by tier."""

SAME_DAMAGE: Final = 1e-5
SAME_WISHES: Final = 1e-3
"""Shares of the demand below which two plans count as alike: the solver's own tolerance, and what
it gains for wishes by using that up."""

_LEAST: Final = 1.0
"""USD/h against which a difference is held where the best plan costs less."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What a plan is worse by than the best.

    Attributes:
        stranded: workloads that it leaves without a plan where the best leaves fewer, in the first
            tier that differs.
        damage: demand that is harmed beyond what is in the best, of each tier for itself and never
            less than none, as a share of all demand, both weighed by tier; None where `stranded`.
        wished: demand that goes where it is wished not to beyond the best, as a share of all; None
            where damage differs.
        money: USD/h beyond the best, as a share of it; None where anything before it differs.
    """

    stranded: int
    damage: float | None = None
    wished: float | None = None
    money: float | None = None


def gap(problem: Problem, found: Score, best: Score) -> Gap:
    """What a plan is worse by than the best plan of the same problem."""
    for mine, least in zip(found.stranded, best.stranded, strict=True):
        if mine != least:
            return Gap(stranded=max(0, mine - least))
    demand = sum(need.rate for need in problem.needs)
    weighed = sum(WEIGHTS[need.tier] * need.rate for need in problem.needs)
    if not demand:
        return Gap(0, 0.0, 0.0, 0.0)
    harmed = sum(
        weight * max(0.0, mine - least)
        for weight, mine, least in zip(WEIGHTS, found.damage, best.damage, strict=True)
    )
    damage = harmed / weighed
    if damage > SAME_DAMAGE:
        return Gap(0, damage)
    wished = max(0.0, found.wished - best.wished) / demand
    if wished > SAME_WISHES:
        return Gap(0, damage, wished)
    money = max(0.0, found.money - best.money) / max(_LEAST, best.money)
    return Gap(0, damage, wished, money)
