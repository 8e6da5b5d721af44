"""A small cloud for tests of the chain: regions that fail, quotas that are short, traffic.

Deterministic; time is the stage's. What it measures follows from what was done to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crosswind.actions import Action, Call, Pending, Query
from crosswind.fleet.declaration import Fleet
from crosswind.operations.endpoints import (
    EndpointState,
    EndpointStates,
    EndpointStatus,
    Scaled,
    ScaleEndpoint,
)
from crosswind.operations.notification import Notified, Notify
from crosswind.operations.telemetry import (
    MeasureOutage,
    Outage,
    Probed,
    ProbeEndpoint,
    ReadTelemetry,
    RegionTelemetry,
    Telemetry,
    Window,
)
from crosswind.operations.traffic import SetWeights, WeightsSet


class NotReachable(ConnectionError):
    """A region that is down was asked for something."""


@dataclass
class Cloud:
    """Performs and answers for every workload of a fleet.

    Attributes:
        down: since when a region is down.
        most: replicas that a region grants a workload at the most, where it is short.
        errors: error rate of a region that is up.
        slow: milliseconds that every answer of a region takes, where that is more than 20.
        surge: times the declared demand that is asked for.
        blind: vantages whose own network is broken.
        ill: workloads whose probes fail, and in which region, though the region is up.
        past: by region and window in seconds, what was measured there.
        lag: seconds by which telemetry is late; None where it measures nothing at all.
        mute: workloads whose endpoints cannot be asked about.
        measured: the outage as the callers saw it, where the test says so.
        pending: answers to requests for replicas that come later, by region: how many times.
        on_step: is called with every step of traffic that is taken.
    """

    fleet: Fleet
    clock: Callable[[], float]
    down: dict[str, float] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    surge: float = 1.0
    blind: set[str] = field(default_factory=set)
    ill: set[tuple[str, str]] = field(default_factory=set)
    past: dict[tuple[str, float], RegionTelemetry] = field(default_factory=dict)
    lag: float | None = 0.0
    pending: dict[str, int] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    mute: set[str] = field(default_factory=set)
    measured: Outage | None = None
    on_step: Callable[[SetWeights], None] = lambda step: None

    performs: tuple[type[Action[Any]], ...] = (SetWeights, ScaleEndpoint, Notify)
    answers: tuple[type[Query[Any]], ...] = (
        EndpointStatus,
        ReadTelemetry,
        ProbeEndpoint,
        MeasureOutage,
    )

    def __post_init__(self) -> None:
        specs = self.fleet.workloads
        self.weights: dict[str, dict[str, float]] = {n: dict(s.weights) for n, s in specs.items()}
        self.replicas = {
            (name, region): count
            for name, s in specs.items()
            for region, count in s.replicas.items()
        }
        self.epochs: dict[str, int] = {}
        self.scales: dict[tuple[str, str], int] = {}
        self.keys: set[str] = set()
        self.steps: list[SetWeights] = []
        self.probes: list[tuple[float, ProbeEndpoint]] = []
        self.read: list[ReadTelemetry] = []
        self.scaled: list[ScaleEndpoint] = []
        self.told: list[Notify] = []
        self.served_again: dict[str, float] = {}

    def fail(self, region: str) -> None:
        self.down[region] = self.clock()
        self.served_again.clear()

    def recover(self, region: str) -> None:
        self.down.pop(region, None)

    def perform(self, action: Any, call: Call) -> Any:
        match action:
            case SetWeights():
                return self._set(action)
            case ScaleEndpoint():
                return self._scale(action)
            case Notify():
                if call.key not in self.keys:
                    self.keys.add(call.key)
                    self.told.append(action)
                return Notified(channel=action.channel)
        raise TypeError(action)

    def answer(self, query: Any, timeout: float) -> Any:
        match query:
            case EndpointStatus():
                if query.workload in self.mute:
                    raise NotReachable(f"the control plane of {query.workload} does not answer")
                return EndpointStates(
                    states={region: self._state(query.workload, region) for region in query.regions}
                )
            case ReadTelemetry():
                return self._telemetry(query)
            case ProbeEndpoint():
                return self._probe(query)
            case MeasureOutage():
                return self._outage(query.workload)
        raise TypeError(query)

    def _set(self, action: SetWeights) -> WeightsSet:
        epoch = self.epochs.get(action.workload, 0)
        if action.epoch < epoch:
            return WeightsSet(
                applied=False,
                epoch=epoch,
                weights=self.weights[action.workload],
                reason="old epoch",
            )
        self.epochs[action.workload] = action.epoch
        self.weights[action.workload] = dict(action.weights)
        self.steps.append(action)
        if not self._hurt(action.workload):
            self.served_again.setdefault(action.workload, self.clock())
        self.on_step(action)
        return WeightsSet(applied=True, epoch=action.epoch, weights=action.weights)

    def _scale(self, action: ScaleEndpoint) -> Scaled | Pending:
        if action.region in self.down or action.region in self.broken:
            raise NotReachable(f"{action.region} does not answer")
        if self.pending.get(action.region, 0) > 0:
            self.pending[action.region] -= 1
            return Pending(5.0, "nodes are starting")
        name = (action.workload, action.region)
        if action.epoch < self.scales.get(name, 0):
            has = self.replicas.get(name, 0)
            return Scaled(requested=action.replicas, granted=has, ready=has, reason="old epoch")
        self.scales[name] = action.epoch
        self.scaled.append(action)
        most = self.most.get(action.region, action.replicas)
        granted = min(action.replicas, most)
        self.replicas[name] = granted
        reason = "" if granted == action.replicas else "the region is short of machines"
        return Scaled(requested=action.replicas, granted=granted, ready=granted, reason=reason)

    def _state(self, workload: str, region: str) -> EndpointState:
        if region in self.down:
            return EndpointState(region=region, reachable=False)
        return EndpointState(
            region=region, reachable=True, ready=self.replicas.get((workload, region), 0)
        )

    def _probe(self, query: ProbeEndpoint) -> Probed:
        self.probes.append((self.clock(), query))
        ill = (query.workload, query.region) in self.ill
        if ill or query.region in self.down or query.vantage in self.blind:
            return Probed(region=query.region, sent=query.count, failed=query.count)
        took = self.slow.get(query.region, 20.0)
        return Probed(region=query.region, sent=query.count, failed=0, latency=took, fastest=took)

    def _telemetry(self, query: ReadTelemetry) -> Telemetry:
        self.read.append(query)
        if self.lag is None:
            return Telemetry(seconds=query.seconds, regions={})
        return Telemetry(
            seconds=query.seconds,
            regions={
                region: self._traffic(query.workload, region, weight * query.seconds)
                for region, weight in self.weights[query.workload].items()
                if weight > 0
            },
            windows=tuple(
                Window(
                    seconds=seconds,
                    regions={r: its for (r, past), its in self.past.items() if past == seconds},
                )
                for seconds in query.windows
            ),
            until=self.clock() - self.lag if self.lag else None,
        )

    def _traffic(self, workload: str, region: str, seconds: float) -> RegionTelemetry:
        spec = self.fleet.workloads[workload]
        requests = round(spec.rate * self.surge * seconds)
        if region in self.down:
            return RegionTelemetry(requests=requests, errors=requests)
        took = self.slow.get(region)
        return RegionTelemetry(
            requests=requests,
            errors=round(requests * self.errors.get(region, 0.0)),
            p50=took or 20,
            p95=took or 50,
        )

    def _hurt(self, workload: str) -> bool:
        weights: Mapping[str, float] = self.weights[workload]
        return any(weights.get(region, 0.0) > 0 for region in self.down)

    def _outage(self, workload: str) -> Outage:
        if self.measured is not None:
            return self.measured
        if not self.down:
            return Outage(began=None, ended=None, failed=0)
        began = min(self.down.values())
        ended = None if self._hurt(workload) else self.served_again.get(workload)
        return Outage(began=began, ended=ended, failed=10)
