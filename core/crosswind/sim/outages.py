"""Outages and failovers: what happened to each, set side by side.

An outage is a fault that makes a region fail. A failover is a region that was left. From the two
comes how soon outages are noticed and answered, which were missed, and which regions were left
although nothing was wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from crosswind.sim.faults import Fault, Kind

if TYPE_CHECKING:
    from crosswind.sim.conditions import Change
    from crosswind.sim.world import Order, World

OUTAGES: Final[frozenset[Kind]] = frozenset({"outage", "brown-out", "slow", "flapping", "crash"})
"""Kinds of faults because of which a region is to be left, if they are bad and last long enough."""

_NOTHING: Final = 1e-6


@dataclass(slots=True)
class Outage:
    """A fault that made a region fail, and what was done about it.

    Moments are seconds since the beginning, None for what has not happened.

    Attributes:
        share: of all requests to the workloads that it concerned, that went to the region.
        failing: whether users saw it: more failed than a shift tolerates, or most was slow.
        evidence: the first word that the region fails.
        confirmed: the evidence sufficed.
        moved, left: requests were sent elsewhere, for the first and for the last time.
        complete: no requests are sent there any more.
        ended: the fault was over.
    """

    fault: Fault
    region: str
    began: float
    share: float
    failing: bool = False
    evidence: float | None = None
    confirmed: float | None = None
    moved: float | None = None
    left: float | None = None
    complete: bool = False
    ended: float | None = None

    @property
    def detection(self) -> float | None:
        """Seconds until the evidence sufficed."""
        return None if self.confirmed is None else self.confirmed - self.began

    @property
    def recovery(self) -> float | None:
        """Seconds until the last shift."""
        return None if self.left is None else self.left - self.began

    @property
    def response(self) -> float | None:
        """Seconds from the first evidence until the last shift."""
        if self.left is None or self.evidence is None:
            return None
        return self.left - self.evidence


@dataclass(slots=True)
class Failover:
    """A region that was left, wholly or in part.

    Attributes:
        moved, left: when requests were sent elsewhere, for the first and for the last time.
        complete: none were sent there any more.
        back: when some were again.
        truth: `failing`: it failed when it was left; `over`: it had failed shortly before;
            `false`: nothing was wrong with it.
    """

    region: str
    moved: float
    truth: Literal["failing", "over", "false"]
    left: float
    complete: bool = False
    back: float | None = None


@dataclass(slots=True)
class Outages:
    """Listens to a world, and to whoever steers it.

    Args:
        memory: seconds for which a region that has failed is one that may be left for it.

    Attributes:
        outages: in the order in which they began. failovers: in that in which regions were left.
    """

    world: World
    memory: float
    outages: list[Outage] = field(default_factory=list)
    failovers: list[Failover] = field(default_factory=list)
    _open: dict[str, list[Outage]] = field(default_factory=dict)
    _away: dict[str, Failover] = field(default_factory=dict)
    _decided: set[str] = field(default_factory=set)
    _over: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world.on_change(self._change)
        self.world.on_order(self._order)

    def evidence(self, region: str) -> None:
        """Somebody has said that a region fails."""
        for outage in self._open.get(region, ()):
            if outage.evidence is None:
                outage.evidence = self.world.now

    def confirmed(self, region: str) -> None:
        """It was decided that a region fails, and is to be left."""
        self._decided.add(region)
        for outage in self._open.get(region, ()):
            if outage.confirmed is None:
                outage.confirmed = self.world.now

    def settled(self, region: str) -> None:
        """What follows from that decision is over, wherever it has led."""
        self._decided.discard(region)

    @property
    def false(self) -> list[Failover]:
        """Failovers of regions with which nothing was wrong."""
        return [one for one in self.failovers if one.truth == "false"]

    def missed(self, patience: float) -> list[Outage]:
        """Outages that users saw, that lasted so many seconds, and that nobody answered."""
        return [
            outage
            for outage in self.outages
            if outage.failing
            and outage.moved is None
            and (self.world.now if outage.ended is None else outage.ended) - outage.began
            >= patience
        ]

    # -- what happens -----------------------------------------------------------------------------

    def _change(self, change: Change) -> None:
        if change.fault.kind not in OUTAGES:
            return
        now = self.world.now
        for region in self.world.conditions.places(change.fault):
            known = [one for one in self._open.get(region, ()) if one.fault == change.fault]
            if change.begins and not known:
                self._begin(change.fault, region)
            elif known and now >= change.fault.ends:
                for outage in known:
                    outage.ended = now
                    self._open[region].remove(outage)
                self._over[region] = now

    def _begin(self, fault: Fault, region: str) -> None:
        concerned = list(self._concerned(fault, region))
        sent = sum(self.world.steered.totals[name].flow.sent for name in concerned)
        here = sum(self.world.steered.flows[name, region].flow.sent for name in concerned)
        outage = Outage(fault, region, self.world.now, here / sent if sent else 0.0)
        outage.failing = any(self._fails(name, region) for name in concerned)
        if region in self._away:
            # Nobody is there any more who could notice.
            outage.failing = False
        self.outages.append(outage)
        self._open.setdefault(region, []).append(outage)

    def _concerned(self, fault: Fault, region: str) -> Iterator[str]:
        for name in self.world.fleet.workloads_in(region):
            if fault.workload in (None, name):
                yield name

    def _fails(self, workload: str, region: str) -> bool:
        flow = self.world.steered.flows[workload, region].flow
        most = self.world.fleet.workloads[workload].shift.max_error_rate
        slow = flow.slow / flow.served if flow.served > _NOTHING else 0.0
        return flow.sent > _NOTHING and (flow.error_rate > most or slow > 0.5)

    def _order(self, order: Order) -> None:
        if order.region is not None:
            return
        regions = {*order.before, *order.after}
        for region in sorted(regions):
            before, after = order.before.get(region, 0.0), order.after.get(region, 0.0)
            if after < before - _NOTHING:
                self._less(region)
            elif after > before + _NOTHING and region in self._away:
                self._away.pop(region).back = order.at
                self._decided.discard(region)

    def _less(self, region: str) -> None:
        """Less of a workload is sent to a region than before."""
        now, world = self.world.now, self.world
        if region not in self._decided:
            return  # what was added to it is taken away again
        declared = world.fleet.workloads_in(region)
        gone = all(world.steered.weights[name].get(region, 0.0) <= _NOTHING for name in declared)
        if region not in self._away:
            self._away[region] = Failover(region, now, self._truth(region), now)
            self.failovers.append(self._away[region])
        for one in (*self._open.get(region, ()), self._away[region]):
            one.moved = now if one.moved is None else one.moved
            one.left, one.complete = now, gone

    def _truth(self, region: str) -> Literal["failing", "over", "false"]:
        world = self.world
        if self._open.get(region) or any(
            world.failing(name, region) > world.fleet.workloads[name].shift.max_error_rate
            for name in world.fleet.workloads_in(region)
        ):
            return "failing"
        since = max(0.0, world.now - self.memory)
        if self._over.get(region, float("-inf")) >= since:
            return "over"
        for name in world.fleet.workloads_in(region):
            seen = world.steered.flows[name, region].between(since, world.now)
            if seen.sent and seen.failed / seen.sent > 2 * world.nature.errors:
                return "over"
        return "false"
