"""A simulated world: regions that fail as told, what they serve, and what can be seen of it.

It needs no engine: whoever wants to compare another way to steer moves time with `advance` and
gives orders with `order_weights` and `order_replicas`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from crosswind.fleet.quantities import TOLERANCE
from crosswind.sim.conditions import Change, Conditions, sized
from crosswind.sim.draws import Draws
from crosswind.sim.estate import Endpoint, Estate, Grant
from crosswind.sim.faults import NO_FAULTS, Faults
from crosswind.sim.nature import NATURE, Nature
from crosswind.sim.prices import Prices
from crosswind.sim.serving import Serving

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet

_STOPS: Final = frozenset({"crash", "preemption"})


class Order(NamedTuple):
    """An order that took effect, and what it changed.

    Attributes:
        region: where replicas were asked for; None where requests were sent elsewhere.
        before, after: shares by region, or replicas held.
    """

    at: float
    workload: str
    region: str | None
    epoch: int
    before: Any
    after: Any


class Steered(NamedTuple):
    """The weights in force for a workload; `applied` is False where they are of a newer epoch."""

    applied: bool
    epoch: int
    weights: Mapping[str, float]


class World:
    """The regions and workloads of a fleet under a plan of faults.

    The same fleet, faults and seed make the same world. Times are seconds since its beginning.

    Args:
        fleet: at first everything is as it declares.
        faults: what goes wrong.
        seed: of everything that is drawn.
        nature: its constants.

    Attributes:
        now: how far time has come.
        steered: what is served as it is steered. untouched: as it were had nobody done anything.
        version: counts the changes of what is served or in force.

    Raises:
        InvalidFaults: the plan names what the fleet does not declare.
    """

    def __init__(
        self, fleet: Fleet, faults: Faults = NO_FAULTS, seed: int = 0, nature: Nature = NATURE
    ) -> None:
        faults.check(fleet)
        self.fleet = fleet
        self.faults = faults
        self.nature = nature
        self.draws = Draws("world", seed)
        self.now = 0.0
        self.version = 0
        self._next = 0.0, -1
        self.epochs: dict[str, int] = dict.fromkeys(fleet.workloads, 0)
        self._told_of_changes: list[Callable[[Change], None]] = []
        self._told_of_orders: list[Callable[[Order], None]] = []
        self.conditions = Conditions(faults, fleet)
        self.prices = Prices(fleet, faults, nature, self.draws)
        self.steered = self._serving()
        self.untouched = self._serving()

    # -- time -----------------------------------------------------------------------------------

    def next(self) -> float:
        """When something changes next by itself; infinite where nothing does any more."""
        known, version = self._next
        if version != self.version:
            known = min(
                self.conditions.next(), self.steered.estate.next(), self.untouched.estate.next()
            )
            self._next = known, self.version
        return known

    def advance(self, to: float) -> None:
        """Let time pass up to a moment, and everything happen that is due by then."""
        while (at := self.next()) <= to:
            self.now = max(self.now, at)
            changes = self.conditions.advance(self.now)
            for serving in (self.steered, self.untouched):
                touched = {workload for workload, _ in serving.estate.started(self.now)}
                for change in changes:
                    self._stop(serving.estate, change)
                    touched |= self._touched(change)
                serving.refresh(self.now, sorted(touched))
            self.version += 1
            for change in changes:
                for told in self._told_of_changes:
                    told(change)
        self.now = max(self.now, to)

    # -- orders ---------------------------------------------------------------------------------

    def order_weights(self, workload: str, weights: Mapping[str, float], epoch: int) -> Steered:
        """Send a workload's requests to regions, unless a newer epoch is in force.

        Raises:
            ValueError: it is not declared in one of them, or the shares do not sum to 1.
        """
        strange = sorted(set(weights) - set(self.fleet.workloads[workload].regions))
        total = sum(weights.values())
        if strange or abs(total - 1.0) > TOLERANCE:
            where = f"{workload} is not declared in {', '.join(strange)}" if strange else ""
            shares = f"the shares sum to {total:g}" if abs(total - 1.0) > TOLERANCE else ""
            raise ValueError("; ".join(filter(None, (where, shares))))
        known = self.epochs[workload]
        if epoch < known:
            return Steered(False, known, self.steered.weights[workload])
        before = self.steered.weights[workload]
        self.epochs[workload] = epoch
        self.steered.weights[workload] = dict(weights)
        self._obeyed(Order(self.now, workload, None, epoch, before, dict(weights)))
        return Steered(True, epoch, self.steered.weights[workload])

    def order_replicas(
        self, workload: str, region: str, replicas: int, epoch: int, key: str
    ) -> Grant | None:
        """Ask for replicas; None where a newer epoch is in force.

        Raises:
            KeyError: the workload is not declared there.
        """
        endpoint = self.endpoint(workload, region)
        if epoch < endpoint.epoch:
            return None
        before, endpoint.epoch = endpoint.held, epoch
        grant = self.steered.estate.scale(workload, region, replicas, key, self.now)
        self._obeyed(Order(self.now, workload, region, epoch, before, endpoint.held))
        return grant

    # -- who listens ------------------------------------------------------------------------------

    def on_change(self, told: Callable[[Change], None]) -> None:
        """Tell somebody of every fault that begins or ends, after it has taken effect."""
        self._told_of_changes.append(told)

    def on_order(self, told: Callable[[Order], None]) -> None:
        """Tell somebody of every order that took effect."""
        self._told_of_orders.append(told)

    # -- looks ----------------------------------------------------------------------------------

    def endpoint(self, workload: str, region: str) -> Endpoint:
        """The replicas of a workload in a region."""
        return self.steered.estate.endpoints[workload, region]

    def failing(self, workload: str, region: str) -> float:
        """The share of the requests sent there that fails, or would if any were sent."""
        seen = self.steered.flows[workload, region].flow
        if seen.sent:
            return seen.error_rate
        condition = self.conditions.of(region, workload)
        if condition.down or not self.endpoint(workload, region).ready(self.now):
            return 1.0
        return condition.errors

    def latency(self, workload: str, region: str) -> float:
        """Milliseconds that half of the answers from there do not exceed, or would not."""
        seen = self.steered.flows[workload, region].flow
        if seen.median:
            return seen.median
        base = self.steered.place(workload, region).base_ms
        return base * self.conditions.of(region, workload).slow

    # -- within -----------------------------------------------------------------------------------

    def _serving(self) -> Serving:
        estate = Estate(self.fleet, self.conditions, self.nature, self.prices, self.draws)
        return Serving(self.fleet, self.conditions, estate, self.nature)

    def _obeyed(self, order: Order) -> None:
        self.version += 1
        self.steered.refresh(self.now, (order.workload,))
        for told in self._told_of_orders:
            told(order)

    def _touched(self, change: Change) -> set[str]:
        """The workloads whose requests a fault concerns."""
        fault = change.fault
        if fault.workload is not None:
            return {fault.workload}
        if fault.kind == "surge":
            return set(self.fleet.workloads)
        places = self.conditions.places(fault)
        return {name for region in places for name in self.fleet.workloads_in(region)}

    def _stop(self, estate: Estate, change: Change) -> None:
        fault = change.fault
        if fault.kind not in _STOPS or not change.begins:
            return
        for region in self.conditions.places(fault):
            share = sized(fault)
            if fault.kind == "preemption":
                sold = self.fleet.regions[region].spot_price is not None
                share *= self.nature.spot if sold else 0.0
            for name in self.fleet.workloads_in(region):
                if fault.workload in (None, name):
                    key = f"{fault.kind} {region} {name} {fault.begins!r}"
                    estate.stop(name, region, share, fault.ends, key)
