"""Prices: what a replica costs in each region, as it goes on.

What is bought on demand has the declared price. Spot prices wander about theirs, from hour to hour,
as a moving average of draws does.
"""

from __future__ import annotations

from bisect import bisect_right
from math import exp, sqrt
from typing import TYPE_CHECKING, Final

from crosswind.sim.faults import Fault, Faults

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet
    from crosswind.sim.draws import Draws
    from crosswind.sim.nature import Nature

HOUR: Final = 3600.0
_MEMORY: Final = 12
"""Hours for which a draw bears on the spot price."""

_REMEMBERED: Final = 10_000

_FADING: Final = 0.8
_WEIGHTS: Final = tuple(_FADING**age for age in range(_MEMORY))
_NORM: Final = sqrt(sum(weight * weight for weight in _WEIGHTS))


class Prices:
    """What replicas cost. Times in seconds since the beginning, prices in USD an hour.

    Args:
        faults: those of kind `price` are looked at.
    """

    def __init__(self, fleet: Fleet, faults: Faults, nature: Nature, draws: Draws) -> None:
        self.fleet = fleet
        self.nature = nature
        self.draws = draws.branch("price")
        self._known: dict[tuple[str, int], float] = {}
        self._curves = {
            region: _Curve(self, region, [f for f in faults if f.kind == "price"])
            for region in fleet.regions
        }

    def spot(self, region: str, hour: int) -> float:
        """The spot price in an hour; that on demand where no spot capacity is sold."""
        spec = self.fleet.regions[region]
        if spec.spot_price is None:
            return spec.price
        wander = sum(
            weight * self._drawn(region, hour - age) for age, weight in enumerate(_WEIGHTS)
        )
        return spec.spot_price * exp(self.nature.spot_spread * wander / _NORM)

    def _drawn(self, region: str, hour: int) -> float:
        known = self._known.get((region, hour))
        if known is None:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            known = self._known[region, hour] = self.draws.normal(region, hour)
        return known

    def at(self, region: str, moment: float) -> float:
        """What a replica of the usual mixture of capacity costs."""
        return self._curves[region].price(moment)

    def until(self, region: str, moment: float) -> float:
        """USD that one replica has cost from the beginning to a moment."""
        return self._curves[region].integral(moment)


class _Curve:
    """The price in one region and its integral, known up to where somebody has asked."""

    def __init__(self, prices: Prices, region: str, faults: list[Fault]) -> None:
        self.prices = prices
        self.region = region
        domains = prices.fleet.regions[region].failing_domains
        self._faults = [one for one in faults if one.concerns(region, domains)]
        edges = {edge for one in self._faults for edge in (one.begins, one.ends)}
        self._edges = sorted(edges)
        sold = prices.fleet.regions[region].spot_price is not None
        self._wanders = sold and prices.nature.spot > 0
        self._times = [0.0]
        self._sums = [0.0]

    def price(self, moment: float) -> float:
        factor = 1.0
        for fault in self._faults:
            if fault.begins <= moment < fault.ends:
                factor *= 1.0 if fault.size is None else fault.size
        price = self.prices.fleet.regions[self.region].price
        if self._wanders:
            share = self.prices.nature.spot
            spot = self.prices.spot(self.region, int(moment // HOUR))
            price = (1.0 - share) * price + share * spot
        return price * factor

    def integral(self, moment: float) -> float:
        while self._times[-1] < moment and (step := self._step(self._times[-1])) <= moment:
            last = self._times[-1]
            self._sums.append(self._sums[-1] + self.price(last) * (step - last) / HOUR)
            self._times.append(step)
        position = bisect_right(self._times, moment) - 1
        begin = self._times[position]
        return self._sums[position] + self.price(begin) * (moment - begin) / HOUR

    def _step(self, after: float) -> float:
        """When the price changes next, after a moment."""
        position = bisect_right(self._edges, after)
        edge = self._edges[position] if position < len(self._edges) else float("inf")
        return min(edge, (after // HOUR + 1) * HOUR) if self._wanders else edge
