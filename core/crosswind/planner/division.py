"""How the demand of one workload is divided, and with how many replicas: exact where it is easy.

Given its replicas, the best division is found by filling what is best first: least damage, then
least against a wish, then least money. Which replicas are best is found in the same order; the last
one, which is used in part, is looked at once more. Pure functions, apart from the count of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, inf
from typing import Final

from crosswind.planner.problem import LATE, NOTHING, Division, Need
from crosswind.planner.saving import save
from crosswind.planner.wishing import Source, Wishes

_FREE: Final = 0
_REST: Final = 1
_MORE: Final = 2

_THRIFT: Final = (0.5, 4.0, 32.0, 1e6)
"""Damage that one USD/h of egress is weighed as, where a budget for it does not hold otherwise."""

Key = tuple[bool, float, float, float]


def key(one: Division) -> Key:
    """By what two divisions of one workload are compared; the lower the better."""
    return (not one.feasible, round(one.damage, 6), round(one.wished, 6), round(one.money, 9))


_WISHING: Final = 3
"""Divisions for which one with wishes counts: it takes about as long."""


class Work:
    """How many divisions were made: what the effort of a search is counted in."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = 0


class Divider:
    """Divides the demand of one workload over its options.

    Attributes:
        soon, late: by option, damage of a request/s that replicas serve, or those that have to
            start.
        rank: by option, what a further replica means for a request/s: damage, then money.
    """

    __slots__ = (
        "_cheapest",
        "_choice",
        "_least",
        "_none",
        "_order",
        "_standing",
        "_wishes",
        "_work",
        "late",
        "need",
        "rank",
        "soon",
    )

    def __init__(self, need: Need, work: Work) -> None:
        self.need = need
        self._work = work
        options, start = need.options, need.start
        none = len(options)
        self._none = Division([0] * none, [0.0] * none, [0.0] * none, False, need.moving, 0.0, 0.0)
        self._standing = sum(one.free + one.idle for one in options)
        self._least = need.floor - NOTHING * max(1.0, need.rate)
        self._wishes = Wishes(need) if need.wishes else None
        self._cheapest = min(range(none), key=lambda k: options[k].carry) if options else 0
        self.soon = [LATE if one.slow else 0.0 for one in options]
        self.late = [LATE + (1 - LATE) * start if one.slow else start for one in options]
        self.rank = [
            (late, one.price / need.unit + one.carry)
            for late, one in zip(self.late, options, strict=True)
        ]
        self._order: list[tuple[float, float, int, int]] = []
        self._choice: list[tuple[float, float, int, int]] = []
        for k, one in enumerate(options):
            if one.free > 0:
                self._order.append((self.soon[k], one.carry, k, _FREE))
                self._choice.append((self.soon[k], one.carry, k, _FREE))
            if one.idle > 0 or one.most > 0:
                self._order.append((self.late[k], one.carry, k, _REST))
            if one.idle > 0:
                self._choice.append((self.late[k], one.carry, k, _REST))
            if one.most > 0:
                self._choice.append((*self.rank[k], k, _MORE))
        self._order.sort()
        self._choice.sort()

    def best(self, caps: Sequence[int]) -> Division:
        """The best division with at most so many further replicas of each option."""
        need = self.need
        if self._standing + need.unit * sum(caps) < self._least:
            return self._none
        found = self._last_replica(self.divide(self._choose(caps, 0.0)), caps)
        if need.budget is None or (found.feasible and not any(found.over)):
            return found
        lowest = key(found)
        for thrift in _THRIFT:
            other = self.divide(self._choose(caps, thrift))
            if (rank := key(other)) < lowest:
                found, lowest = other, rank
        return found

    def near(self, found: Division, caps: Sequence[int]) -> Division:
        """The best of all divisions that differ from this one in one replica."""
        lowest = key(found)
        for trial in _neighbours(found.replicas, caps):
            other = self.divide(trial)
            if (rank := key(other)) < lowest:
                found, lowest = other, rank
        return found

    def divide(self, replicas: Sequence[int]) -> Division:
        """The best division with just so many further replicas of each option."""
        self._work.done += 1 if self._wishes is None else _WISHING
        options = self.need.options
        if not options:
            return self._none
        filled = self._fill if self._wishes is None else self._fill_by_wishes
        found = filled(replicas)
        for one, count in zip(options, replicas, strict=True):
            if count:
                found.money += count * one.price
        if self.need.budget is not None and save(self.need, found, self.soon, self.late):
            self._weigh(found)
        return found if found.feasible and sum(found.placed) >= self._least else self._none

    def stranded(self) -> Division:
        """It stays as it is; what had to move is lost."""
        return self._none

    def weighed(
        self, replicas: Sequence[int], placed: Sequence[float], over: Sequence[float]
    ) -> Division:
        """A division that another has made."""
        found = Division(list(replicas), list(placed), list(over), True, 0.0, 0.0, 0.0)
        self._weigh(found)
        return found

    def _fill(self, replicas: Sequence[int]) -> Division:
        need = self.need
        options, unit, left = need.options, need.unit, need.moving
        placed = [0.0] * len(options)
        over = [0.0] * len(options)
        damage = money = 0.0
        for harm, carry, k, kind in self._order:
            room = options[k].free if kind == _FREE else options[k].idle + unit * replicas[k]
            amount = room if room < left else left
            if amount <= 0:
                continue
            placed[k] += amount
            damage += harm * amount
            money += carry * amount
            left -= amount
            if left <= NOTHING:
                left = 0.0
                break
        if left > 0:
            over[self._cheapest] = left
            damage += left
            money += options[self._cheapest].carry * left
        return Division(list(replicas), placed, over, True, damage, 0.0, money)

    def _fill_by_wishes(self, replicas: Sequence[int]) -> Division:
        assert self._wishes is not None, "it is asked for where there are some"
        need = self.need
        sources = []
        for k, one in enumerate(need.options):
            sources.append(Source(self.soon[k], one.carry, k, one.free))
            rest = one.idle + need.unit * replicas[k]
            sources.append(Source(self.late[k], one.carry, k, rest))
            sources.append(Source(1.0, one.carry, k, inf, serves=False))
        none = [0.0] * len(need.options)
        found = Division(list(replicas), none, list(none), True, 0.0, 0.0, 0.0)
        for source, amount, against in self._wishes.pour(sources, need.moving):
            (found.placed if source.serves else found.over)[source.option] += amount
            found.damage += source.harm * amount
            found.wished += against * amount
            found.money += source.money * amount
        return found

    def _choose(self, caps: Sequence[int], thrift: float) -> list[int]:
        """Replicas of each option, taking the best first."""
        need = self.need
        options, unit, left = need.options, need.unit, need.moving
        if self._wishes is not None:
            return self._choose_by_wishes(self._wishes, caps, thrift)
        order = self._choice
        if thrift:
            order = sorted(
                (harm + thrift * options[k].carry, money, k, kind) for harm, money, k, kind in order
            )
        replicas = [0] * len(options)
        for _, _, k, kind in order:
            if left <= NOTHING:
                break
            if kind == _FREE:
                left -= options[k].free
            elif kind == _REST:
                left -= options[k].idle
            elif caps[k] > 0:
                replicas[k] = count = min(caps[k], ceil(left / unit - NOTHING))
                left -= count * unit
        return replicas

    def _choose_by_wishes(self, wishes: Wishes, caps: Sequence[int], thrift: float) -> list[int]:
        need = self.need
        unit = need.unit
        sources = []
        for k, one in enumerate(need.options):
            soon, late = self.soon[k] + thrift * one.carry, self.late[k] + thrift * one.carry
            sources.append(Source(soon, one.carry, k, one.free))
            sources.append(Source(late, one.carry, k, one.idle))
            sources.append(Source(late, self.rank[k][1], k, caps[k] * unit, step=unit))
        replicas = [0] * len(need.options)
        for source, amount, _ in wishes.pour(sources, need.moving):
            if source.step:
                replicas[source.option] += round(amount / unit)
        return replicas

    def _last_replica(self, found: Division, caps: Sequence[int]) -> Division:
        """The replica that is used in part may better be another one, or none."""
        if not found.feasible:
            return found
        need = self.need
        options, unit = need.options, need.unit
        lowest = key(found)
        for k, count in enumerate(found.replicas):
            if not count:
                continue
            one = options[k]
            unused = one.free + one.idle + count * unit - found.placed[k]
            if unused <= NOTHING:
                continue
            used = max(0.0, unit - unused)
            fewer = list(found.replicas)
            fewer[k] -= 1
            trials = [fewer]
            for j, other in enumerate(options):
                if j == k or found.replicas[j] >= caps[j]:
                    continue
                cheaper = other.price + other.carry * used < one.price + one.carry * used
                if self.late[j] < self.late[k] or (self.late[j] == self.late[k] and cheaper):
                    swapped = list(fewer)
                    swapped[j] += 1
                    trials.append(swapped)
            for trial in trials:
                other_way = self.divide(trial)
                if (rank := key(other_way)) < lowest:
                    found, lowest = other_way, rank
            break
        return found

    def _weigh(self, found: Division) -> None:
        """Damage, wishes and money of a division whose parts have been changed."""
        damage = money = 0.0
        rows = zip(self.need.options, found.replicas, found.placed, found.over, strict=True)
        for k, (one, count, placed, over) in enumerate(rows):
            soon = min(placed, one.free)
            damage += soon * self.soon[k] + (placed - soon) * self.late[k] + over
            money += (placed + over) * one.carry + count * one.price
        found.damage, found.money, found.wished = damage, money, 0.0
        if self._wishes is not None:
            sent = [there + over for there, over in zip(found.placed, found.over, strict=True)]
            found.wished = self._wishes.excess(sent)


def _neighbours(replicas: Sequence[int], caps: Sequence[int]) -> Iterator[list[int]]:
    """One replica more, less, or elsewhere."""
    for k, count in enumerate(replicas):
        if count < caps[k]:
            more = list(replicas)
            more[k] += 1
            yield more
        if not count:
            continue
        fewer = list(replicas)
        fewer[k] -= 1
        yield fewer
        for j, other in enumerate(replicas):
            if j != k and other < caps[j]:
                swapped = list(fewer)
                swapped[j] += 1
                yield swapped
