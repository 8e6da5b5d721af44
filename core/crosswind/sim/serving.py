"""Serving: who serves which requests of a fleet, and what becomes of them.

A world has this twice: as it is steered, and as it would be had nobody touched it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from crosswind.sim.conditions import Conditions
from crosswind.sim.estate import Estate
from crosswind.sim.flows import Flow, Place, flow
from crosswind.sim.gauge import Gauge

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet, WorkloadSpec
    from crosswind.sim.nature import Nature

_SLOW: Final = 0.05
"""Share of answers that may be slower than an objective, which is the 95th percentile."""


class Promise(NamedTuple):
    """How a workload's objective was kept, in minutes.

    Attributes:
        broken: in which more failed than the availability allows, or the 95th percentile was above
            the objective.
        lost: of its users: each minute counts with the share of requests that failed or were slow.
    """

    broken: float = 0.0
    lost: float = 0.0

    def minus(self, other: Promise) -> Promise:
        """The difference."""
        return Promise(self.broken - other.broken, self.lost - other.lost)


class _Keeping:
    """Integrates how one workload's objective is kept."""

    __slots__ = ("_broken", "_lost", "_since", "_spec", "_total")

    def __init__(self, spec: WorkloadSpec) -> None:
        self._spec = spec
        self._since = 0.0
        self._total = Promise()
        self._broken = self._lost = 0.0

    def set(self, now: float, total: Flow) -> None:
        self._total, self._since = self.at(now), now
        served, sent = total.served, total.sent
        slow = total.slow / served if served > 0 else 0.0
        allowed = 1.0 - self._spec.slo.availability
        late = self._spec.slo.latency_ms is not None and slow > _SLOW
        self._broken = float(total.error_rate > allowed or late)
        self._lost = (total.failed + (total.slow if late else 0.0)) / sent if sent else 0.0

    def at(self, now: float) -> Promise:
        minutes = (now - self._since) / 60
        broken, lost = self._total
        return Promise(broken + self._broken * minutes, lost + self._lost * minutes)


class Serving:
    """Weights, endpoints and flows of a fleet. Times in seconds since the beginning.

    Attributes:
        weights: share of each workload's requests that each region gets.
        flows: by workload and region. totals: by workload.
    """

    def __init__(
        self, fleet: Fleet, conditions: Conditions, estate: Estate, nature: Nature
    ) -> None:
        self.fleet = fleet
        self.conditions = conditions
        self.estate = estate
        self.nature = nature
        self.weights: dict[str, Mapping[str, float]] = {
            name: spec.weights for name, spec in fleet.workloads.items()
        }
        self.flows = {cell: Gauge() for cell in estate.endpoints}
        self.totals = {name: Gauge() for name in fleet.workloads}
        self._promises = {name: _Keeping(spec) for name, spec in fleet.workloads.items()}
        self._places = {
            (name, region): _place(fleet, name, region, nature) for name, region in self.flows
        }
        self.refresh(0.0, fleet.workloads)

    def refresh(self, now: float, workloads: Iterable[str]) -> None:
        """Look anew at what becomes of the requests of some workloads."""
        for name in workloads:
            sent = self.fleet.workloads[name].rate * self.conditions.factor("surge", None, name)
            weights, changed = self.weights[name], False
            for region in self.fleet.workloads[name].regions:
                changed |= self.flows[name, region].set(
                    now,
                    flow(
                        sent * weights.get(region, 0.0),
                        self.estate.endpoints[name, region].ready(now),
                        self._places[name, region],
                        self.conditions.of(region, name),
                        self.nature,
                    ),
                )
            if changed:
                self._sum(now, name)

    def place(self, workload: str, region: str) -> Place:
        """What of a workload and a region decides about a flow."""
        return self._places[workload, region]

    def promise(self, workload: str, now: float) -> Promise:
        """How a workload's objective was kept since the beginning."""
        return self._promises[workload].at(now)

    def _sum(self, now: float, name: str) -> None:
        flows = [self.flows[name, region].flow for region in self.fleet.workloads[name].regions]
        total = Flow(
            sum(one.sent for one in flows),
            sum(one.failed for one in flows),
            sum(one.slow for one in flows),
            0.0,
        )
        self.totals[name].set(now, total)
        self._promises[name].set(now, total)


def _place(fleet: Fleet, workload: str, region: str, nature: Nature) -> Place:
    spec = fleet.workloads[workload]
    declared = fleet.regions[region].latency_ms.values()
    network = sum(declared) / len(declared) if declared else nature.latency_ms
    return Place(spec.per_replica, network + nature.service_ms, spec.slo.latency_ms)
