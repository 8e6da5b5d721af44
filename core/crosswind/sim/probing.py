"""Rounds of probes that provably say nothing.

They say nothing where

- no region speaks: its probes are sure to be answered, or sure to fail where it was left already
  and gets nothing, and it is not the moment at which a region that has recovered says so again;
- no traffic speaks: what failed or was slow is less than what is tolerated of the last round, and
  of each pair of windows over which a budget is watched, in one of them, all by a margin.
"""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import TYPE_CHECKING, Final, NamedTuple

from crosswind.chains.failover import probes, traffic
from crosswind.chains.failover.chain import incident_of
from crosswind.fleet.quantities import TOLERANCE
from crosswind.sim import readings
from crosswind.sim.rounds import Duration, Silence, data_of, schedule_of
from crosswind_events.catalogue.probe import ProbeDue, TelemetryDue
from crosswind_events.catalogue.schedule import Tick

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet
    from crosswind.sim.gauge import Gauge
    from crosswind.sim.simulation import Simulation
    from crosswind.testing.post import Letter

_MARGIN: Final = 0.75
"""Of what is tolerated: below it a number stays below, however the counting rounds it."""

_SHORTEST_ROUND: Final = 10.0


class Tolerated(NamedTuple):
    """The shares of requests that may fail, and of answers that may be slow, without a word.

    Attributes:
        errors, slow: of a round.
        burn: of each pair of windows (long, short) the shares over them.
        least: both, whatever the window.
    """

    errors: float
    slow: float
    burn: tuple[tuple[float, float, float, float], ...]
    least: tuple[float, float]


class ProbeRounds:
    """The rounds of the built-in probes."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.world = simulation.world
        self.fleet: Fleet = simulation.fleet
        self.schedule = schedule_of(
            simulation.app, probes.tick, {ProbeDue: probes.probe, TelemetryDue: probes.watch}
        )
        policy = self.fleet.probes
        self._takes = Duration(simulation, messages=3, plus=policy.jitter * policy.every)
        self._round = max(policy.every, _SHORTEST_ROUND)
        burning = [pair.short for pair in self.fleet.failover.burn if pair.weight > 0]
        self._looks_back = max([self._round, *burning])
        self._tolerated = {name: _tolerated(self.fleet, name) for name in self.fleet.workloads}
        self._sure: tuple[int, dict[str, bool]] = (-1, {})

    def takes(self, at: float) -> float:
        """See `Rounds.takes`."""
        return self._takes.at(at)

    def silence(self, at: float) -> Silence:
        """See `Rounds.silence`."""
        ends = at + self.takes(at)
        lasting = Silence.LASTING
        for region in self.fleet.regions:
            lasting = min(lasting, self._region(region, at, ends))
            if not lasting:
                return lasting
        for workload in self.fleet.workloads:
            lasting = min(lasting, self._workload(workload, at, ends))
            if not lasting:
                return lasting
        return lasting

    def leads_to_nothing(self, letter: Letter) -> Callable[[float], bool] | None:
        """See `Rounds.leads_to_nothing`."""
        if letter.type == TelemetryDue.event_type:
            names = [name for name in data_of(letter)["workloads"] if name in self.fleet.workloads]
            return lambda at: all(self._workload(name, at, at) for name in names)
        if letter.type != ProbeDue.event_type:
            return None
        due = data_of(letter)
        region = due["region"]
        if due.get("vantage") is None:
            ends = self.simulation.now + self.takes(self.simulation.now)
            return lambda at: self._region(region, at, max(at, ends)) > 0
        if due.get("after") is not None:
            return None
        return lambda at: self._region(region, at, at) > 0

    def fans_out(self, letter: Letter) -> bool:
        """See `Rounds.fans_out`."""
        if letter.type == Tick.event_type:
            return bool(data_of(letter)["schedule"] == self.schedule)
        return letter.type == ProbeDue.event_type and data_of(letter).get("vantage") is None

    # -- regions ----------------------------------------------------------------------------------

    def _region(self, region: str, begins: float, ends: float) -> Silence:
        """Whether probes of a region say nothing in a span in which nothing changes."""
        workloads = self.fleet.workloads_in(region)
        if not workloads:
            return Silence.LASTING
        state = self.simulation.intended.regions[region].state
        if state == "evacuated":
            gone = not any(self._intended(name, region) for name in workloads)
            dead = gone and self._dead(region, workloads)
            return Silence.LASTING if dead else Silence.SPEAKS
        if not self._well(region, workloads):
            return Silence.SPEAKS
        if state == "serving" and not self.simulation.troubled.of(incident_of(region)):
            return Silence.LASTING
        window, every = self.fleet.failover.window, self.fleet.probes.every
        start = self.simulation.start
        same = window > every and floor((start + begins - every) / window) == floor(
            (start + ends) / window
        )
        return Silence.SILENT if same else Silence.SPEAKS

    def _well(self, region: str, workloads: tuple[str, ...]) -> bool:
        """Whether every probe of a region is sure to be answered in time."""
        if self._sure[0] != self.world.version:
            self._sure = self.world.version, {}
        known = self._sure[1].get(region)
        if known is None:
            known = self._sure[1][region] = all(self._answers(name, region) for name in workloads)
        return known

    def _answers(self, workload: str, region: str) -> bool:
        world, objective = self.world, self.fleet.workloads[workload].slo.latency_ms
        if objective is not None and world.latency(workload, region) > objective:
            return False
        return not any(
            readings.failing_probes(world, workload, region, vantage)
            for vantage in self.fleet.probes.vantages
        )

    def _dead(self, region: str, workloads: tuple[str, ...]) -> bool:
        """Whether from everywhere some workload's probes are sure to fail."""
        return all(
            any(
                readings.failing_probes(self.world, name, region, vantage) >= 1.0
                for name in workloads
            )
            for vantage in self.fleet.probes.vantages
        )

    def _intended(self, workload: str, region: str) -> bool:
        weights = self.simulation.intended.workloads[workload].weights
        return weights.get(region, 0.0) > TOLERANCE

    # -- traffic ----------------------------------------------------------------------------------

    def _workload(self, workload: str, begins: float, ends: float) -> Silence:
        """Whether real traffic of a workload says nothing in a span in which nothing changes."""
        tolerated = self._tolerated[workload]
        lasting = Silence.LASTING
        for region in self.fleet.workloads[workload].regions:
            state = self.simulation.intended.regions[region].state
            if state == "evacuated" and not self._intended(workload, region):
                continue  # what is left in its windows is not told
            view = readings.view(self.world, workload, region)
            if view.missing:
                continue
            if view.wrong is not None and view.wrong > tolerated.least[0]:
                return Silence.SPEAKS
            gauge = self.world.steered.flows[workload, region]
            if gauge.stayed_below(*tolerated.least, view.until(begins) - self._looks_back):
                continue
            lasting = Silence.SILENT
            moments = {view.until(begins), view.until(ends)}
            if not all(self._tolerable(gauge, tolerated, at) for at in moments):
                return Silence.SPEAKS
        return lasting

    def _tolerable(self, gauge: Gauge, tolerated: Tolerated, at: float) -> bool:
        """Whether what was measured up to a moment is below what is tolerated."""
        lately = gauge.between(at - self._round, at)
        if not round(lately.sent):
            return True  # a region that gets nothing is not told of
        if not lately.below(tolerated.errors, tolerated.slow):
            return False
        for long, short, errors, slow in tolerated.burn:
            both = gauge.between(at - long, at), gauge.between(at - short, at)
            # It burns where both windows do, each of the two promises by itself.
            for share in ((errors, _ALL), (_ALL, slow)):
                if not any(window.below(*share) for window in both):
                    return False
        return True


_ALL: Final = 2.0
"""A share that nothing is above."""


def _tolerated(fleet: Fleet, workload: str) -> Tolerated:
    spec = fleet.workloads[workload]
    budget, late = 1.0 - spec.slo.availability, 1.0 - traffic.LATENCY_SHARE
    round_errors = max(spec.shift.max_error_rate, budget) * _MARGIN
    round_slow = _MOST_SLOW * _MARGIN
    burn = tuple(
        (pair.long, pair.short, pair.factor * budget * _MARGIN, pair.factor * late * _MARGIN)
        for pair in fleet.failover.burn
        if pair.weight > 0
    )
    least = (
        min([round_errors, *(errors for _, _, errors, _ in burn)]),
        min([round_slow, *(slow for _, _, _, slow in burn)]),
    )
    return Tolerated(round_errors, round_slow, burn, least)


_MOST_SLOW: Final = 0.5
"""Of the answers of a round, as `crosswind.chains.failover.traffic` has it."""
