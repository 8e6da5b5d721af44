"""Wishes: where it matters, beside damage and money, in which region a workload is served.

A region that soaks gets what it had before anything new, and neither one region nor one failing
domain more than the spread wishes. What is against a wish comes after all that harms as little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from math import ceil, inf
from typing import NamedTuple

from crosswind.planner.problem import NOTHING, Need, Option, Stay


class Source(NamedTuple):
    """Something that can serve a part of a workload's demand.

    Attributes:
        harm: damage of a request/s that it serves.
        money: USD/h of one.
        option: to which it belongs, by index.
        room: requests/s that it serves at the most.
        serves: whether what is sent there is served at all.
        step: requests/s in which it comes; any amount if 0.
    """

    harm: float
    money: float
    option: int
    room: float
    serves: bool = True
    step: float = 0.0


class Poured(NamedTuple):
    """A part of the demand that goes to a source, and how many wishes it is against."""

    source: Source
    amount: float
    against: int


class Wishes:
    """The wishes of one workload."""

    __slots__ = ("_crowds", "_limits", "_need")

    def __init__(self, need: Need) -> None:
        self._need = need
        self._limits: list[list[float]] = []
        """By option, requests/s from which more is against a wish."""
        self._crowds: dict[str, float] = {}
        """The same by failing domain."""
        for one in need.options:
            limits = []
            if one.soaking:
                limits.append(max(0.0, one.before - one.keep))
            if need.max_share < need.rate:
                limits.append(max(0.0, need.max_share - one.keep))
            self._limits.append(limits)
        if need.max_domain < need.rate:
            places: list[Stay | Option] = [*need.stays, *need.options]
            for place in places:
                for domain in place.domains:
                    left = self._crowds.get(domain, need.max_domain) - place.keep
                    self._crowds[domain] = left
            self._crowds = {domain: max(0.0, left) for domain, left in self._crowds.items()}

    def pour(self, sources: Sequence[Source], demand: float) -> Iterator[Poured]:
        """Which sources serve a demand: least damage first, then least against a wish, then money.

        What comes in steps may be more than is wanted in the end.
        """
        rooms = [source.room for source in sources]
        used = [0.0] * len(self._need.options)
        crowd = dict.fromkeys(self._crowds, 0.0)
        heap = [(one.harm, 0, one.money, n) for n, one in enumerate(sources) if one.room > 0]
        heapify(heap)
        while heap and demand > NOTHING:
            harm, against, money, number = heappop(heap)
            source = sources[number]
            k = source.option
            now, until = self._against(k, used[k], crowd)
            if now > against:
                heappush(heap, (harm, now, money, number))
                continue
            amount = min(demand, rooms[number], until)
            if source.step:
                whole = ceil(amount / source.step - NOTHING) * source.step
                amount = min(rooms[number], whole)
            demand -= amount
            rooms[number] -= amount
            used[k] += amount
            for domain in self._need.options[k].domains if crowd else ():
                crowd[domain] += amount
            yield Poured(source, amount, now)
            if rooms[number] > NOTHING:
                heappush(heap, (harm, now, money, number))

    def excess(self, sent: Sequence[float]) -> float:
        """What goes against a wish, if so much is sent to each option."""
        found = 0.0
        crowd = dict.fromkeys(self._crowds, 0.0)
        for one, limits, amount in zip(self._need.options, self._limits, sent, strict=True):
            found += sum(max(0.0, amount - limit) for limit in limits)
            for domain in one.domains if crowd else ():
                crowd[domain] += amount
        return found + sum(max(0.0, crowd[domain] - self._crowds[domain]) for domain in crowd)

    def _against(self, k: int, used: float, crowd: dict[str, float]) -> tuple[int, float]:
        """How many wishes one more request/s is against, and for how many that holds."""
        against, until = 0, inf
        for limit in self._limits[k]:
            if used >= limit - NOTHING:
                against += 1
            else:
                until = min(until, limit - used)
        for domain in self._need.options[k].domains if crowd else ():
            left = self._crowds[domain] - crowd[domain]
            if left <= NOTHING:
                against += 1
            else:
                until = min(until, left)
        return against, until
