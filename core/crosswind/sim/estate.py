"""The estate: which replicas each workload has in each region, and what a region still grants."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from heapq import heappop, heappush
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from crosswind.sim.conditions import Conditions, sized
from crosswind.sim.prices import HOUR

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet
    from crosswind.sim.draws import Draws
    from crosswind.sim.nature import Nature
    from crosswind.sim.prices import Prices

_ALWAYS: Final = float("-inf")


class Grant(NamedTuple):
    """An answer to a wish for replicas; `reason` says why less than requested was granted."""

    requested: int
    granted: int
    reason: str


class Spent(NamedTuple):
    """What replicas have cost, in hours of replicas and in USD."""

    hours: float
    usd: float


def _plus(spent: Spent, one: Spent, since: Spent, held: int) -> Spent:
    """What was spent, and what so many replicas have cost since."""
    return Spent(
        spent.hours + held * (one.hours - since.hours), spent.usd + held * (one.usd - since.usd)
    )


class Endpoint:
    """The replicas of one workload in one region, each serving from some moment on.

    Attributes:
        epoch: under which it was scaled last.
    """

    __slots__ = ("_past", "_ready_at", "_since", "_spent", "epoch")

    def __init__(self, replicas: int) -> None:
        self._ready_at = [_ALWAYS] * replicas
        self._since = Spent(0.0, 0.0)
        self._spent = Spent(0.0, 0.0)
        self._past: list[tuple[float, Spent, Spent, int]] = []
        self.epoch = 0

    def spent(self, one: Spent) -> Spent:
        """What its replicas have cost.

        Args:
            one: what a single replica has cost since the beginning.
        """
        return _plus(self._spent, one, self._since, self.held)

    def settle(self, one: Spent, now: float) -> None:
        """Count what its replicas have cost, before their number changes."""
        self._past.append((now, self._spent, self._since, self.held))
        self._spent, self._since = self.spent(one), one

    def spent_by(self, one: Spent, moment: float) -> Spent:
        """What its replicas had cost by a moment that is over.

        Args:
            one: what a single replica had cost by then.
        """
        for until, spent, since, held in self._past:
            if moment <= until:
                return _plus(spent, one, since, held)
        return self.spent(one)

    @property
    def held(self) -> int:
        """Replicas that it has, serving or not."""
        return len(self._ready_at)

    def ready(self, now: float) -> int:
        """How many serve."""
        return bisect_right(self._ready_at, now)

    def grow(self, ready_at: list[float]) -> None:
        """Add replicas."""
        self._ready_at += ready_at
        self._ready_at.sort()

    def shrink(self, replicas: int) -> None:
        """Take away those that began last until so many are left."""
        del self._ready_at[replicas:]

    def stop(self, count: int, until: float) -> None:
        """Let so many of those that serve stop, to serve again from then on."""
        self._ready_at = sorted([*self._ready_at[count:], *[until] * min(count, self.held)])


class Estate:
    """All endpoints of a fleet.

    Args:
        fleet: at first each workload has what it declares.
        conditions: bar or delay what is asked for.
        prices: of replicas.
        draws: of start-up times.
    """

    def __init__(
        self, fleet: Fleet, conditions: Conditions, nature: Nature, prices: Prices, draws: Draws
    ) -> None:
        self.fleet = fleet
        self.prices = prices
        self.conditions = conditions
        self.nature = nature
        self.draws = draws
        self._starts: list[tuple[float, str, str]] = []
        self.endpoints: dict[tuple[str, str], Endpoint] = {
            (name, region): Endpoint(placement.replicas)
            for name, spec in fleet.workloads.items()
            for region, placement in spec.regions.items()
        }

    def next(self) -> float:
        """When the next replica begins to serve; infinite where none starts."""
        return self._starts[0][0] if self._starts else inf

    def started(self, to: float) -> Iterator[tuple[str, str]]:
        """The endpoints, workload and region, of which replicas have begun to serve by then."""
        while self._starts and self._starts[0][0] <= to:
            _, workload, region = heappop(self._starts)
            yield workload, region

    def scale(self, workload: str, region: str, wanted: int, key: str, now: float) -> Grant:
        """Bring an endpoint to a number of replicas, as far as the region grants them.

        Args:
            key: names the times that the new ones take to start.
        """
        endpoint = self.endpoints[workload, region]
        endpoint.settle(self._one(region, now), now)
        if wanted <= endpoint.held:
            endpoint.shrink(wanted)
            return Grant(wanted, wanted, "")
        most, reason = self.most(workload, region, wanted)
        granted = min(wanted, most)
        extra = range(granted - endpoint.held)
        ready_at = [now + self.start_up(workload, region, key, number) for number in extra]
        endpoint.grow(ready_at)
        self._expect(workload, region, ready_at)
        return Grant(wanted, granted, reason if granted < wanted else "")

    def spent(self, workload: str, region: str, now: float) -> Spent:
        """What the replicas of an endpoint have cost since the beginning."""
        return self.endpoints[workload, region].spent(self._one(region, now))

    def spent_by(self, workload: str, region: str, moment: float) -> Spent:
        """What the replicas of an endpoint had cost by a moment that is over."""
        return self.endpoints[workload, region].spent_by(self._one(region, moment), moment)

    def _one(self, region: str, now: float) -> Spent:
        return Spent(now / HOUR, self.prices.until(region, now))

    def stop(self, workload: str, region: str, share: float, until: float, key: str) -> None:
        """Let a share of an endpoint's replicas stop; they start again at that moment."""
        endpoint = self.endpoints[workload, region]
        count = round(endpoint.held * share)
        if count:
            again = until + self.start_up(workload, region, key, 0)
            endpoint.stop(count, again)
            self._expect(workload, region, [again])

    def _expect(self, workload: str, region: str, moments: list[float]) -> None:
        for at in moments:
            heappush(self._starts, (at, workload, region))

    def start_up(self, workload: str, region: str, key: str, number: int) -> float:
        """Seconds that a new replica takes to serve."""
        nature = self.nature
        median = self.fleet.workloads[workload].start_up or nature.start_up
        median *= self.conditions.factor("slow-start", region, workload)
        return self.draws.lognormal(median, nature.start_up_spread, "start-up", key, number)

    def quota(self, workload: str, region: str) -> int:
        """Replicas that a workload may have in a region at the most."""
        placement = self.fleet.workloads[workload].regions.get(region)
        quota = 0 if placement is None else placement.quota
        return int(quota * self.conditions.factor("quota", region, workload))

    def most(self, workload: str, region: str, wanted: int) -> tuple[int, str]:
        """Replicas that an endpoint can have now, never less than it has; and what bars more."""
        held = self.endpoints[workload, region].held
        most, reason = min(self._bounds(workload, region, held, wanted))
        return max(held, most), reason

    def _bounds(
        self, workload: str, region: str, held: int, wanted: int
    ) -> Iterator[tuple[int, str]]:
        spec = self.fleet.regions[region]
        others = sum(
            endpoint.held
            for (name, place), endpoint in self.endpoints.items()
            if place == region and name != workload
        )
        quota = self.quota(workload, region)
        yield quota, f"the quota of {workload} in {region} is {quota} replicas"
        if spec.quota is not None:
            all_of_it = int(spec.quota * self.conditions.factor("quota", region))
            yield (
                all_of_it - others,
                f"the quota of {region} is {all_of_it} replicas, {others} of them held by others",
            )
        yield from self._gpus(workload, region)
        for fault in self.conditions.active("stockout", region, workload):
            more = int(max(0, wanted - held) * sized(fault))
            yield held + more, f"{region} is out of capacity"

    def _gpus(self, workload: str, region: str) -> Iterator[tuple[int, str]]:
        fleet = self.fleet
        needs = fleet.workloads[workload]
        offered = fleet.regions[region].gpus
        if needs.gpu is None or not offered:
            return
        total = offered.get(needs.gpu, 0)
        others = sum(
            endpoint.held * fleet.workloads[name].gpus_per_replica
            for (name, place), endpoint in self.endpoints.items()
            if place == region and name != workload and fleet.workloads[name].gpu == needs.gpu
        )
        most = max(0, total - others) // max(1, needs.gpus_per_replica)
        yield (
            most,
            f"{region} has {total} GPUs of kind {needs.gpu}, {others} of them held by others",
        )
