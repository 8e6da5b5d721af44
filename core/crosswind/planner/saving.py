"""Saving: how the egress of a workload is brought within its budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from crosswind.planner.problem import NOTHING, Division, Need

_TURNS: Final = 64
"""How often something is moved to keep a budget; each time an option is emptied or filled."""


class _Way(NamedTuple):
    """What can be moved from a dear option to a cheap one, served or not before and then."""

    harm: float
    saves: float
    amount: float
    dear: int
    served: bool
    cheap: int
    serves: bool

    def rank(self) -> tuple[float, float]:
        """Harm for each USD that is saved, then what is saved; the lower the better."""
        return self.harm / self.saves, -self.saves


def save(need: Need, found: Division, soon: Sequence[float], late: Sequence[float]) -> bool:
    """Move what is dear to send until the budget holds; returns whether anything was moved.

    Each time what costs least harm for it goes first. Where the budget cannot be kept, the division
    is marked as not feasible.

    Args:
        soon, late: damage of a request/s by option, of replicas that serve and of those that have
            to start.
    """
    assert need.budget is not None, "it is asked for where there is one"
    sent = zip(need.options, found.placed, found.over, strict=True)
    excess = sum((there + beyond) * one.carry for one, there, beyond in sent) - need.budget
    if excess <= NOTHING:
        return False
    for _ in range(_TURNS):
        way = min(_ways(need, found, soon, late), default=None, key=_Way.rank)
        if way is None or excess <= NOTHING:
            break
        amount = min(way.amount, excess / way.saves)
        (found.placed if way.served else found.over)[way.dear] -= amount
        (found.placed if way.serves else found.over)[way.cheap] += amount
        excess -= amount * way.saves
    found.feasible = excess <= NOTHING
    return True


def _ways(
    need: Need, found: Division, soon: Sequence[float], late: Sequence[float]
) -> Iterator[_Way]:
    options, placed = need.options, found.placed
    spare = sum(placed) - need.floor
    cheapest = min(range(len(options)), key=lambda k: options[k].carry)
    for k, dear in enumerate(options):
        least = dear.carry - options[cheapest].carry
        if least > 0 and found.over[k] > NOTHING:
            yield _Way(0.0, least, found.over[k], k, False, cheapest, False)
        if placed[k] <= NOTHING:
            continue
        now = soon[k] if placed[k] <= dear.free else late[k]
        if least > 0 and spare > NOTHING:
            yield _Way(1.0 - now, least, min(placed[k], spare), k, True, cheapest, False)
        for j, cheap in enumerate(options):
            room = cheap.free + cheap.idle + need.unit * found.replicas[j] - placed[j]
            if dear.carry > cheap.carry and room > NOTHING:
                then = soon[j] if placed[j] < cheap.free else late[j]
                amount = min(placed[k], room)
                saves = dear.carry - cheap.carry
                yield _Way(max(0.0, then - now), saves, amount, k, True, j, True)
