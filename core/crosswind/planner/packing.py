"""What the workloads hold together while a plan is searched: divisions, and the room that is left.

Every change is logged, so that a trial that turns out worse is taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from crosswind.planner.division import Divider, Work
from crosswind.planner.problem import TIERS, Division, Problem

_DAMAGE: Final = 1e-6
"""Requests/s by which two plans must differ to count as different."""

_MONEY: Final = 1e-7


@dataclass(frozen=True, slots=True)
class Change:
    """By how much a trial changes the score, in the order in which plans are compared."""

    stranded: tuple[int, int, int]
    damage: tuple[float, float, float]
    wished: float
    money: float

    @property
    def better(self) -> bool:
        """Whether the plan gets better by it."""
        for count in self.stranded:
            if count:
                return count < 0
        for amount in (*self.damage, self.wished):
            if abs(amount) > _DAMAGE:
                return amount < 0
        return self.money < -_MONEY


class Packing:
    """Divisions of all workloads that fit together."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.effort = Work()
        self.dividers = [Divider(need, self.effort) for need in problem.needs]
        self.divisions = [one.stranded() for one in self.dividers]
        self.room = [pool.room for pool in problem.pools]
        self.holders: list[set[tuple[int, int]]] = [set() for _ in problem.pools]
        """By pool, the workloads and their options that hold something of it."""
        self._log: list[tuple[int, Division]] = []

    @property
    def work(self) -> int:
        """Divisions made so far."""
        return self.effort.done

    def caps(self, i: int) -> list[int]:
        """Further replicas that a workload may have of each option now."""
        room, held = self.room, self.divisions[i].replicas
        caps = []
        for k, one in enumerate(self.problem.needs[i].options):
            cap = one.most
            for pool, units in one.pools:
                cap = min(cap, held[k] + room[pool] // units)
            caps.append(max(held[k], cap))
        return caps

    def put(self, i: int, division: Division) -> None:
        """Give a workload another division; the room may become negative meanwhile."""
        before = self.divisions[i]
        self._log.append((i, before))
        self._hold(i, before, division)

    def _hold(self, i: int, before: Division, after: Division) -> None:
        for k, (old, new) in enumerate(zip(before.replicas, after.replicas, strict=True)):
            if old != new:
                for pool, units in self.problem.needs[i].options[k].pools:
                    self.room[pool] += (old - new) * units
                    if new:
                        self.holders[pool].add((i, k))
                    else:
                        self.holders[pool].discard((i, k))
        self.divisions[i] = after

    def mark(self) -> int:
        """A point to which one can go back."""
        return len(self._log)

    def back(self, mark: int) -> None:
        """Take back everything since a mark."""
        while len(self._log) > mark:
            i, before = self._log.pop()
            self._hold(i, self.divisions[i], before)

    def changed(self, mark: int) -> dict[int, Division]:
        """The workloads that were changed since a mark, and what they had then."""
        first: dict[int, Division] = {}
        for i, before in self._log[mark:]:
            first.setdefault(i, before)
        return first

    def since(self, mark: int) -> Change:
        """What everything since a mark changes."""
        stranded = [0] * TIERS
        damage = [0.0] * TIERS
        wished = money = 0.0
        for i, before in self.changed(mark).items():
            after, tier = self.divisions[i], self.problem.needs[i].tier
            stranded[tier] += int(not after.feasible) - int(not before.feasible)
            damage[tier] += after.damage - before.damage
            wished += after.wished - before.wished
            money += after.money - before.money
        return Change(
            (stranded[0], stranded[1], stranded[2]),
            (damage[0], damage[1], damage[2]),
            wished,
            money,
        )

    def overfull(self) -> list[int]:
        """Pools of which more is held than there is."""
        return [pool for pool, room in enumerate(self.room) if room < 0]

    def lacking(self, i: int, k: int, count: int) -> Iterator[tuple[int, int]]:
        """What is lacking of which pools, for a workload to have so many more of an option."""
        for pool, units in self.problem.needs[i].options[k].pools:
            short = count * units - self.room[pool]
            if short > 0:
                yield pool, short

    def order(self) -> Sequence[int]:
        """The workloads, the most important tier first, then by name."""
        needs = self.problem.needs
        return sorted(range(len(needs)), key=lambda i: (needs[i].tier, needs[i].name))
