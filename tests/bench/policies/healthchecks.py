"""DNS failover by health check: what most people use today, after Amazon Route 53's rules.

What is modelled, with where the vendor says so:

- Checkers do not coordinate; each asks every 30 s, or every 10 s where that is paid for, at a
  moment of its own, and calls an endpoint unhealthy after so many failures in a row, and healthy
  after as many successes in a row (the failure threshold, 3 unless said).
- The endpoint is healthy while more than 18 % of the checkers call it healthy.
  https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
- Where no record is healthy, all of them are answered as if they were.
  https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
- Weighted records: those that are left share the requests as they did before.
- Clients keep an answer for its time to live. Their caches are taken to be of all ages, so that
  users move evenly over that time: at 60 s half of them have moved after 30 s.

What is not modelled, all in favour of DNS: resolvers that keep answers longer than they may, the
time in which a change of health reaches the name servers, and connections that stay open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Final

from bench.policies.fleet import PLACES, WORKLOAD
from crosswind.sim import Draws, probe
from crosswind.sim.readings import failing_probes

if TYPE_CHECKING:
    from crosswind.sim import Accounts, World

QUORUM: Final = 0.18
"""Share of checkers that must be exceeded for an endpoint to count as healthy."""

_DRAIN: Final = 6
"""Steps in which caches run out."""


@dataclass(slots=True)
class Checker:
    """One health checker's opinion of one endpoint.

    Args:
        threshold: results in a row that change it.
    """

    threshold: int = 3
    healthy: bool = True
    against: int = 0

    def saw(self, failed: bool) -> bool:
        """Take in one result; whether the endpoint is healthy to this checker."""
        self.against = self.against + 1 if failed is self.healthy else 0
        if self.against >= self.threshold:
            self.healthy, self.against = not self.healthy, 0
        return self.healthy


@dataclass(slots=True)
class HealthCheck:
    """What all checkers together make of one endpoint.

    Args:
        quorum: share of them that must be exceeded.
    """

    checkers: Sequence[Checker]
    quorum: float = QUORUM

    @property
    def healthy(self) -> bool:
        """Whether more than the quorum calls it healthy."""
        return sum(one.healthy for one in self.checkers) > self.quorum * len(self.checkers)


def answered(declared: Mapping[str, float], healthy: Iterable[str]) -> dict[str, float]:
    """The share of clients that are sent to each region, by the weights of healthy records."""
    left = set(healthy) or set(declared)
    total = sum(weight for region, weight in declared.items() if region in left)
    return {
        region: weight / total if region in left else 0.0 for region, weight in declared.items()
    }


@dataclass(slots=True)
class Caches:
    """Moves users as their cached answers run out.

    Args:
        ttl: seconds for which an answer is kept; at 0 all move at once.
    """

    world: World
    ttl: float
    _due: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    _epoch: int = 0

    def answer(self, weights: Mapping[str, float]) -> None:
        """Give another answer from now on; what still waited is replaced."""
        now = self.world.steered.weights[WORKLOAD]
        steps = _DRAIN if self.ttl else 1
        self._due = [
            (
                self.world.now + self.ttl * step / steps,
                {
                    region: now.get(region, 0.0) + (share - now.get(region, 0.0)) * step / steps
                    for region, share in weights.items()
                },
            )
            for step in range(1, steps + 1)
        ]
        self.act()

    def next(self) -> float:
        """When the next users move."""
        return self._due[0][0] if self._due else inf

    def act(self) -> None:
        """Move those whose time has come."""
        while self._due and self._due[0][0] <= self.world.now:
            _, weights = self._due.pop(0)
            self._epoch += 1
            self.world.order_weights(WORKLOAD, weights, self._epoch)


class DnsFailover:
    """Steers a world by health checks.

    Args:
        begins: seconds since the beginning from which on it is played; all was well before.
        every: seconds between two requests of one checker.
        places: where checkers stand. each: how many in each place.
        threshold: failures in a row.
        ttl: seconds for which clients keep an answer.
    """

    def __init__(
        self,
        world: World,
        accounts: Accounts,
        begins: float,
        *,
        every: float = 30.0,
        places: Sequence[str] = PLACES,
        each: int = 2,
        threshold: int = 3,
        ttl: float = 60.0,
    ) -> None:
        draws = Draws("health checks", world.draws.uniform("health checks"))
        self.world, self.accounts, self.every = world, accounts, every
        self.declared = dict(world.fleet.workloads[WORKLOAD].weights)
        # Nobody coordinates them: each begins its rounds at a moment of its own.
        self._turns = sorted(
            (draws.between(0.0, every, place, number), place, position)
            for position, (place, number) in enumerate(
                (place, number) for place in places for number in range(each)
            )
        )
        self._checks = {
            region: HealthCheck([Checker(threshold) for _ in self._turns])
            for region in self.declared
        }
        self._unhealthy: frozenset[str] = frozenset()
        self._caches = Caches(world, ttl)
        self._round, self._turn = begins, 0
        self._sure: tuple[int, dict[tuple[str, str], float]] = (-1, {})

    def next(self) -> float:
        """When it does something next."""
        return min(self._round + self._turns[self._turn][0], self._caches.next())

    def act(self) -> None:
        """Do what is due by now."""
        self._caches.act()
        offset, place, position = self._turns[self._turn]
        if self._round + offset <= self.world.now:
            self._turn += 1
            if self._turn == len(self._turns):
                self._round, self._turn = self._round + self.every, 0
            self._look(place, position)

    def _look(self, place: str, position: int) -> None:
        for region, check in self._checks.items():
            failed = self._fails(region, place)
            if failed:
                self.accounts.outages.evidence(region)
            check.checkers[position].saw(failed)
        unhealthy = frozenset(name for name, check in self._checks.items() if not check.healthy)
        if unhealthy == self._unhealthy:
            return
        for region in sorted(unhealthy - self._unhealthy):
            self.accounts.outages.confirmed(region)
        for region in sorted(self._unhealthy - unhealthy):
            self.accounts.outages.settled(region)
        self._unhealthy = unhealthy
        self._caches.answer(answered(self.declared, self.declared.keys() - unhealthy))

    def _fails(self, region: str, place: str) -> bool:
        """Send one request; where it is sure how that ends nothing is drawn."""
        world = self.world
        if self._sure[0] != world.version:
            self._sure = world.version, {}
        share = self._sure[1].get((region, place))
        if share is None:
            share = failing_probes(world, WORKLOAD, region, place)
            self._sure[1][region, place] = share
        if share in (0.0, 1.0):
            return share > 0
        return probe(world, WORKLOAD, region, place, 1).failed > 0
