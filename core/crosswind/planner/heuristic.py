"""The heuristic: a plan for all workloads together, in milliseconds.

    ideal     each for itself, as if the others did not want anything: where that fits, it is best
    insert    the rest one after the other: by tier, and first who loses most if it comes late
    rescue    who has no plan gets room: others move, give up what they can spare, or give way
    improve   each is brought nearer to its ideal, moving others aside, as long as all gains by it

Bounded in effort, which is counted in divisions and not in seconds: the same problem always gives
the same plan. What is returned never breaks a constraint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf
from typing import Final

from crosswind.planner.aside import Grace, Request, free
from crosswind.planner.division import key
from crosswind.planner.packing import Packing
from crosswind.planner.problem import NOTHING, Division, Problem, Score, score

EFFORT: Final = 6_000
"""Divisions that a plan takes at the most; each takes some ten microseconds."""

_RESCUE: Final = 0.5
"""Part of them that rescuing may take, so that some is left to improve the rest."""

_ORDERS: Final = 3
"""How often all are inserted anew, those first that were left over."""

_ATTEMPT: Final = 400
"""Divisions that one attempt to rescue a workload takes at the most."""

_EQUAL: Final = 1e-6

_HARMED: Final = ((Grace.GIVE, 1), (Grace.MOVE, 2), (Grace.GIVE, 2))
"""How far others go for one that others harm, and how many one for the other."""

_UNHARMED: Final = ((Grace.MOVE, 2),)


@dataclass(frozen=True, slots=True)
class Planned:
    """The divisions of all needs of a problem, in their order, and what they amount to."""

    divisions: Sequence[Division]
    score: Score


def plan(problem: Problem, effort: int = EFFORT) -> Planned:
    """A plan for all workloads of a problem."""
    return _Search(problem).run(effort)


class _Search:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.pack = Packing(problem)
        self.ideal: list[Division] = []

    def run(self, effort: int) -> Planned:
        pack = self.pack
        self.ideal = [one.best(pack.caps(i)) for i, one in enumerate(pack.dividers)]
        for i, one in enumerate(self.ideal):
            pack.put(i, one)
        full = set(pack.overfull())
        if full:
            self._pack(full, int(_RESCUE * effort))
        self._improve(effort)
        return Planned(tuple(pack.divisions), score(self.problem, pack.divisions))

    # Insert

    def _pack(self, full: set[int], limit: int) -> None:
        """Insert and rescue; where some are left over, once more with them first."""
        pack = self.pack
        rivals = sorted({i for pool in full for i, _ in pack.holders[pool]})
        first: set[int] = set()
        best: tuple[Score, Sequence[Division]] | None = None
        for _ in range(_ORDERS):
            self._insert(rivals, full, first)
            self._rescue(limit)
            found = score(self.problem, pack.divisions)
            if best is None or found < best[0]:
                best = found, list(pack.divisions)
            left = {i for i in rivals if self._left_over(i)}
            if not left or left <= first or pack.work >= limit:
                break
            first |= left
        if best is not None:
            # At first all is let go, so that nothing is held twice meanwhile.
            for i in rivals:
                pack.put(i, pack.dividers[i].stranded())
            for i, one in enumerate(best[1]):
                pack.put(i, one)

    def _left_over(self, i: int) -> bool:
        return self.ideal[i].feasible and not self.pack.divisions[i].feasible

    def _insert(self, rivals: Sequence[int], full: set[int], first: set[int]) -> None:
        pack, needs = self.pack, self.problem.needs
        for i in rivals:
            pack.put(i, pack.dividers[i].stranded())
        for tier in sorted({needs[i].tier for i in rivals}):
            waiting = [i for i in rivals if needs[i].tier == tier]
            waiting.sort(key=lambda i: (i not in first, -self._regret(i, full), needs[i].name))
            for i in waiting:
                pack.put(i, pack.dividers[i].best(pack.caps(i)))

    def _regret(self, i: int, full: set[int]) -> float:
        """What a workload loses, for each replica, where what many want is gone."""
        pack, ideal = self.pack, self.ideal[i]
        caps = pack.caps(i)
        wanted = 0
        for k, one in enumerate(self.problem.needs[i].options):
            if any(pool in full for pool, _ in one.pools):
                wanted += ideal.replicas[k]
                caps[k] = 0
        without = pack.dividers[i].best(caps)
        if without.feasible != ideal.feasible:
            return inf
        loss = (without.damage - ideal.damage) * 1e6 + (without.wished - ideal.wished) * 1e3
        return (loss + without.money - ideal.money) / max(1, wanted)

    # Rescue

    def _rescue(self, limit: int) -> None:
        pack = self.pack
        again = True
        while again:
            again = False
            for grace in Grace:
                for i in pack.order():
                    if pack.work >= limit:
                        return
                    if not self._left_over(i):
                        continue
                    if self._make_way(i, grace, min(limit, pack.work + _ATTEMPT)):
                        again = True

    def _make_way(self, i: int, grace: Grace, limit: int) -> bool:
        """Find room for a workload without a plan, at the cost of none that is as important."""
        pack = self.pack
        need, divider = self.problem.needs[i], pack.dividers[i]
        options = need.options
        mark = pack.mark()
        request = Request(frozenset({i}), need.tier, 0, grace, 3, limit)
        # Where egress has a budget, what stands elsewhere may be too dear to send from.
        standing = 0.0 if need.budget is not None else sum(one.free + one.idle for one in options)
        wanted = max(1, ceil((need.floor - standing) / need.unit - NOTHING))
        claimed = list(divider.stranded().replicas)
        # What it has got already it holds, so that nobody moves there who moves aside for it.
        for k in sorted(range(len(options)), key=divider.rank.__getitem__):
            claim = min(options[k].most, wanted - sum(claimed))
            for pool, short in list(pack.lacking(i, k, claim)):
                free(pack, pool, short, request)
            found = divider.best(pack.caps(i))
            if found.feasible:
                pack.put(i, found)
                self._restore(mark)
                if pack.since(mark).better:
                    return True
                break
            claimed = list(pack.divisions[i].replicas)
            claimed[k] = min(claim, pack.caps(i)[k])
            pack.put(i, replace(divider.stranded(), replicas=claimed))
        pack.back(mark)
        return False

    def _restore(self, mark: int) -> None:
        """Who gave way may find room in what was left."""
        pack = self.pack
        for i in pack.changed(mark):
            if not pack.divisions[i].feasible:
                pack.put(i, pack.dividers[i].best(pack.caps(i)))

    # Improve

    def _improve(self, limit: int) -> None:
        """First whoever is harmed by others, then all."""
        pack = self.pack
        for harmed in (True, False):
            again = True
            while again and pack.work < limit:
                again = False
                for i in pack.order():
                    if pack.work >= limit:
                        break
                    now, ideal = pack.divisions[i], self.ideal[i]
                    if harmed and now.damage <= ideal.damage + _EQUAL:
                        continue
                    if key(now) > key(ideal):
                        again = self._approach(i, limit) or again
                    else:
                        again = self._polish(i) or again

    def _polish(self, i: int) -> bool:
        """Look whether one replica more, less or elsewhere is better."""
        pack = self.pack
        now = pack.divisions[i]
        if not now.feasible:
            return False
        found = pack.dividers[i].near(now, pack.caps(i))
        if key(found) >= key(now):
            return False
        pack.put(i, found)
        self.ideal[i] = min(self.ideal[i], found, key=key)
        return True

    def _approach(self, i: int, limit: int) -> bool:
        """Bring a workload nearer to its ideal."""
        pack = self.pack
        divider, now = pack.dividers[i], pack.divisions[i]
        found = divider.best(pack.caps(i))
        if key(found) < key(now):
            pack.put(i, found)
            return True
        if self._polish(i):
            return True
        limit = min(limit, pack.work + _ATTEMPT)
        ways = _HARMED if now.damage > self.ideal[i].damage + _EQUAL else _UNHARMED
        for grace, depth in ways:
            for k, more in self._wanted(i):
                for count in sorted({more, 1}, reverse=True):
                    if pack.work >= limit:
                        return False
                    tier = self.problem.needs[i].tier
                    request = Request(frozenset({i}), tier, tier, grace, depth, limit)
                    if self._take(i, k, count, request) or self._swap(i, k, count, request):
                        return True
        return False

    def _wanted(self, i: int) -> Iterator[tuple[int, int]]:
        """Options that are better than some that it has, and how many of them it would take."""
        now, need = self.pack.divisions[i], self.problem.needs[i]
        rank = self.pack.dividers[i].rank
        lost = ceil(sum(now.over) / need.unit - NOTHING) if now.feasible else 0
        for k in sorted(range(len(rank)), key=rank.__getitem__):
            worse = sum(n for j, n in enumerate(now.replicas) if rank[j] > rank[k])
            more = min(need.options[k].most - now.replicas[k], worse + lost)
            if more > 0:
                yield k, more

    def _take(self, i: int, k: int, count: int, request: Request) -> bool:
        """Have others move aside, then see what is best."""
        pack = self.pack
        mark = pack.mark()
        for pool, short in list(pack.lacking(i, k, count)):
            free(pack, pool, short, request)
        pack.put(i, pack.dividers[i].best(pack.caps(i)))
        if pack.since(mark).better:
            return True
        pack.back(mark)
        return False

    def _swap(self, i: int, k: int, count: int, request: Request) -> bool:
        """Take an option from others, who may take what this one leaves."""
        pack = self.pack
        divider, now = pack.dividers[i], pack.divisions[i]
        need = self.problem.needs[i]
        mark = pack.mark()
        for j, held in enumerate(now.replicas):
            less = min(count, held, need.options[k].most - now.replicas[k])
            if j == k or less <= 0:
                continue
            replicas = list(now.replicas)
            replicas[j] -= less
            replicas[k] += less
            pack.put(i, divider.divide(replicas))
            for pool, _ in need.options[k].pools:
                if pack.room[pool] < 0:
                    free(pack, pool, -pack.room[pool], request)
            if not pack.overfull() and pack.since(mark).better:
                return True
            pack.back(mark)
        return False
