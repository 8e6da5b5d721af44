"""Moving aside: how room is made for one workload by others who hold it.

Who holds something of a pool moves to another region, if need be after others have made room for it
there. How far others go for it is said by a `Grace`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from math import inf
from typing import Final

from crosswind.planner.packing import Packing
from crosswind.planner.problem import Division

_EQUAL: Final = 1e-6


class Grace(IntEnum):
    """How far others go for one: they move; they give up what is above their floor; who is less
    important gives way; who is no more important does.
    """

    MOVE = 0
    GIVE = 1
    YIELD = 2
    TRADE = 3


@dataclass(frozen=True, slots=True)
class Request:
    """For whom room is made.

    Attributes:
        asking: the workloads that are not asked themselves.
        tier: of the first of them; who is more important never gives way to it.
        spares: the most important tier that gives up what is above its floor.
        freed: the pools in which room is made, into which nobody moves.
        depth: how many may have to move aside one for the other.
        limit: work at which it ends.
    """

    asking: frozenset[int]
    tier: int
    spares: int
    grace: Grace
    depth: int
    limit: int
    freed: frozenset[int] = frozenset()

    def further(self, i: int) -> Request:
        """The same on behalf of one who moves aside."""
        return replace(self, asking=self.asking | {i}, depth=self.depth - 1)

    def of(self, pool: int) -> Request:
        """The same for one more pool."""
        return replace(self, freed=self.freed | {pool})


def free(pack: Packing, pool: int, units: int, request: Request) -> bool:
    """Free up to so many units of a pool; returns whether any were."""
    before = pack.room[pool]
    request = request.of(pool)
    for i, k in _holders(pack, pool, request):
        each = next(u for p, u in pack.problem.needs[i].options[k].pools if p == pool)
        most = pack.problem.pools[pool].room
        while most and pack.work < request.limit:
            left = units - (pack.room[pool] - before)
            count = min(pack.divisions[i].replicas[k], -(-left // each), most)
            if count <= 0:
                break
            # Where it cannot do with so many fewer, it may with half as many.
            if not _move(pack, i, k, count, request):
                most = count // 2
    return pack.room[pool] > before


def _holders(pack: Packing, pool: int, request: Request) -> list[tuple[int, int]]:
    """Who holds something of a pool: first whom it costs least to move."""
    ranked = sorted(
        (_reluctance(pack, i, k, request), pack.problem.needs[i].name, i, k)
        for i, k in pack.holders[pool]
        if i not in request.asking
    )
    return [(i, k) for _, _, i, k in ranked]


def _reluctance(pack: Packing, i: int, k: int, request: Request) -> tuple[int, float, float]:
    need, divider = pack.problem.needs[i], pack.dividers[i]
    held = pack.divisions[i].replicas
    here = need.options[k]
    lowest = (inf, inf)
    for j, there in enumerate(need.options):
        if j == k or held[j] >= there.most:
            continue
        blocked = any(pack.room[p] < units for p, units in there.pools)
        price = there.price - here.price + need.unit * (there.carry - here.carry)
        lowest = min(lowest, (divider.late[j] - divider.late[k] + blocked, price))
    return (-need.tier if request.grace else 0, *lowest)


def _move(pack: Packing, i: int, k: int, count: int, request: Request) -> bool:
    """Let a workload do with fewer replicas of one option."""
    if _settle(pack, i, k, count, request):
        return True
    if request.depth <= 1:
        return False
    mark = pack.mark()
    further = request.further(i)
    held = pack.divisions[i].replicas
    for j, there in enumerate(pack.problem.needs[i].options):
        more = min(count, there.most - held[j])
        if j == k or more <= 0:
            continue
        for pool, short in list(pack.lacking(i, j, more)):
            free(pack, pool, short, further)
        if _settle(pack, i, k, count, request):
            return True
    pack.back(mark)
    return False


def _settle(pack: Packing, i: int, k: int, count: int, request: Request) -> bool:
    now = pack.divisions[i]
    caps = pack.caps(i)
    for j, one in enumerate(pack.problem.needs[i].options):
        if any(pool in request.freed for pool, _ in one.pools):
            caps[j] = min(caps[j], now.replicas[j])
    caps[k] = now.replicas[k] - count
    found = pack.dividers[i].best(caps)
    if _bearable(pack, i, now, found, request):
        pack.put(i, found)
        return True
    return False


def _bearable(pack: Packing, i: int, now: Division, found: Division, request: Request) -> bool:
    tier = pack.problem.needs[i].tier
    if request.grace is Grace.TRADE and tier >= request.tier:
        return True
    if request.grace is Grace.YIELD and tier > request.tier:
        return True
    if not found.feasible:
        return False
    gives = request.grace is not Grace.MOVE and tier >= request.spares
    return gives or found.damage <= now.damage + _EQUAL
