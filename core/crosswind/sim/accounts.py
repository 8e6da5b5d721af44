"""Accounts: what a stretch of simulated time has brought, and what it would have without anybody.

All is exact between events: flows are constant there, and are added up. The counterfactual is the
same world under the same faults with the declared placement left as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final

from crosswind.fleet.rules import carry
from crosswind.sim.outages import Failover, Outage, Outages
from crosswind.sim.serving import Promise, Serving
from crosswind_events.catalogue.failover import (
    FailoverCompleted,
    FailoverConfirmed,
    FailoverFailed,
    FailoverImpossible,
    FailoverUnneeded,
)
from crosswind_events.catalogue.recovery import FailbackAbandoned
from crosswind_events.catalogue.region import RegionUnhealthy

if TYPE_CHECKING:
    from crosswind.ports import Message
    from crosswind.sim.simulation import Simulation
    from crosswind.sim.world import World


@dataclass(frozen=True, slots=True)
class Account:
    """What became of requests, and what that cost.

    Attributes:
        sent, served, failed, slow: requests; `slow` are those of the served that took longer than
            the objective.
        replica_hours: replicas that were held, serving or not.
        replicas_usd, egress_usd: what they cost, and what the answers cost to send.
    """

    sent: float = 0.0
    served: float = 0.0
    failed: float = 0.0
    slow: float = 0.0
    replica_hours: float = 0.0
    replicas_usd: float = 0.0
    egress_usd: float = 0.0

    @property
    def usd(self) -> float:
        """All that it cost."""
        return self.replicas_usd + self.egress_usd

    def plus(self, other: Account) -> Account:
        """Both together."""
        return Account(
            self.sent + other.sent,
            self.served + other.served,
            self.failed + other.failed,
            self.slow + other.slow,
            self.replica_hours + other.replica_hours,
            self.replicas_usd + other.replicas_usd,
            self.egress_usd + other.egress_usd,
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """How a workload's objective was kept, as it was steered and had nobody done anything.

    Attributes:
        steered, untouched: minutes, see `Promise`.
    """

    steered: Promise
    untouched: Promise

    @property
    def saved(self) -> Promise:
        """Minutes that steering has saved; below 0 where it has cost some."""
        return self.untouched.minus(self.steered)


@dataclass(frozen=True, slots=True)
class Spread:
    """How a number is distributed; all None where there is none."""

    count: int
    least: float | None = None
    median: float | None = None
    p90: float | None = None
    p99: float | None = None
    most: float | None = None

    @classmethod
    def of(cls, numbers: Iterable[float | None]) -> Spread:
        """Of those that are there."""
        known = sorted(number for number in numbers if number is not None)
        if not known:
            return cls(0)
        if len(known) == 1:
            return cls(1, *known * 5)
        cuts = quantiles(known, n=100, method="inclusive")
        return cls(len(known), known[0], cuts[49], cuts[89], cuts[98], known[-1])


@dataclass(frozen=True, slots=True)
class Report:
    """What a simulation has brought so far. Seconds unless said otherwise.

    Attributes:
        days: simulated.
        cells: by workload and region. untouched: the same had nobody done anything.
        kept: by workload.
        detection, recovery, response: of the outages that users saw and that were answered.
        missed: outages that users saw, that lasted `patience`, and that nobody answered.
        false: failovers of regions with which nothing was wrong. needless: of those which had
            been well again when they were left.
    """

    days: float
    patience: float
    cells: Mapping[tuple[str, str], Account]
    untouched: Mapping[tuple[str, str], Account]
    kept: Mapping[str, Kept]
    outages: tuple[Outage, ...]
    failovers: tuple[Failover, ...]
    detection: Spread
    recovery: Spread
    response: Spread
    missed: int
    false: int
    needless: int

    def total(self, workload: str | None = None, region: str | None = None) -> Account:
        """All cells together, or those of a workload or a region."""
        return _total(self.cells, workload, region)

    @property
    def added_usd(self) -> float:
        """What steering has cost more than leaving everything as it is."""
        return self.total().usd - _total(self.untouched, None, None).usd

    @property
    def saved(self) -> Promise:
        """Minutes that steering has saved, of all workloads together."""
        each = [kept.saved for kept in self.kept.values()]
        return Promise(sum(one.broken for one in each), sum(one.lost for one in each))

    def to_dict(self) -> dict[str, Any]:
        """As JSON: sums, spreads and every outage."""
        return {
            "days": self.days,
            "total": asdict(self.total()),
            "untouched": asdict(_total(self.untouched, None, None)),
            "added_usd": self.added_usd,
            "workloads": {
                name: {
                    **asdict(self.total(workload=name)),
                    "steered": kept.steered._asdict(),
                    "untouched": kept.untouched._asdict(),
                    "saved": kept.saved._asdict(),
                }
                for name, kept in self.kept.items()
            },
            "detection": asdict(self.detection),
            "recovery": asdict(self.recovery),
            "response": asdict(self.response),
            "missed": self.missed,
            "false": self.false,
            "needless": self.needless,
            "outages": [asdict(outage) for outage in self.outages],
            "failovers": [asdict(failover) for failover in self.failovers],
        }


class Accounts:
    """Keeps the accounts of a world from its beginning.

    Args:
        world: before any time has passed.
        memory: seconds for which a region that has failed may be left for it without that being
            called a false failover; ten minutes and the policy's window unless given.
    """

    def __init__(self, world: World, memory: float | None = None) -> None:
        self.world = world
        window = world.fleet.failover.window
        self.outages = Outages(world, window + _MEMORY if memory is None else memory)

    @classmethod
    def of(cls, simulation: Simulation) -> Accounts:
        """The accounts of a simulation, which also hear what is said in it."""
        accounts = cls(simulation.world)
        simulation.on_message(accounts.hear)
        return accounts

    def hear(self, message: Message) -> None:
        """Take in what is said of a region."""
        kind, region = message.attributes["type"], str(message.attributes.get("subject", ""))
        if kind == RegionUnhealthy.event_type:
            self.outages.evidence(region)
        elif kind == FailoverConfirmed.event_type:
            self.outages.confirmed(region)
        elif kind in _SETTLED:
            self.outages.settled(region)

    def report(self, patience: float | None = None) -> Report:
        """What has come of it until now.

        Args:
            patience: seconds that an outage must last to count as missed; the policy's window and
                two rounds of probes unless given.
        """
        world, outages = self.world, self.outages
        policy = world.fleet
        waited = policy.failover.window + 2 * policy.probes.every if patience is None else patience
        seen = [outage for outage in outages.outages if outage.failing]
        return Report(
            days=world.now / _DAY,
            patience=waited,
            cells=_cells(world, world.steered),
            untouched=_cells(world, world.untouched),
            kept={
                name: Kept(
                    world.steered.promise(name, world.now), world.untouched.promise(name, world.now)
                )
                for name in world.fleet.workloads
            },
            outages=tuple(outages.outages),
            failovers=tuple(outages.failovers),
            detection=Spread.of(outage.detection for outage in seen),
            recovery=Spread.of(outage.recovery for outage in seen),
            response=Spread.of(outage.response for outage in seen),
            missed=len(outages.missed(waited)),
            false=len(outages.false),
            needless=sum(one.truth == "over" for one in outages.failovers),
        )


_SETTLED: Final = frozenset(
    ending.event_type
    for ending in (
        FailoverCompleted,
        FailoverFailed,
        FailoverImpossible,
        FailoverUnneeded,
        FailbackAbandoned,
    )
)
_DAY: Final = 86_400.0
_MEMORY: Final = 600.0


def _cells(world: World, serving: Serving) -> dict[tuple[str, str], Account]:
    return {cell: _account(world, serving, *cell) for cell in serving.flows}


def _account(world: World, serving: Serving, workload: str, region: str) -> Account:
    totals = serving.flows[workload, region].totals(world.now)
    spent = serving.estate.spent(workload, region, world.now)
    return Account(
        sent=totals.sent,
        served=totals.served,
        failed=totals.failed,
        slow=totals.slow,
        replica_hours=spent.hours,
        replicas_usd=spent.usd,
        egress_usd=totals.served * carry(world.fleet, world.fleet.workloads[workload], region),
    )


def _total(
    cells: Mapping[tuple[str, str], Account], workload: str | None, region: str | None
) -> Account:
    total = Account()
    for (name, place), account in cells.items():
        if workload in (None, name) and region in (None, place):
            total = total.plus(account)
    return total
