"""A small cloud for the failover chain: traffic, replicas and what is measured of them.

It recognises keys, and refuses an epoch lower than the one it holds, in one step. Regions that
are down answer nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crosswind.actions import Action, Call, Performer, Query
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
)
from crosswind.operations.traffic import CurrentWeights, SetWeights, WeightsSet


@dataclass
class Sky:
    """Performs and answers for every workload of a fleet.

    Attributes:
        clock: seconds since the epoch.
        outages: from when to when a region is down, seconds since the epoch.
        weights, epochs: what traffic was told last, by workload.
        steps: every step of traffic that took effect.
        told: every notice that was sent, by key.
    """

    fleet: Fleet
    clock: Callable[[], float]
    outages: Mapping[str, tuple[float, float]]
    weights: dict[str, Mapping[str, float]] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    replicas: dict[tuple[str, str], int] = field(default_factory=dict)
    scales: dict[tuple[str, str], int] = field(default_factory=dict)
    steps: list[SetWeights] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)
    done: dict[str, Any] = field(default_factory=dict)

    performs: tuple[type[Action[Any]], ...] = (SetWeights, ScaleEndpoint, Notify)
    answers: tuple[type[Query[Any]], ...] = (
        CurrentWeights,
        EndpointStatus,
        ReadTelemetry,
        ProbeEndpoint,
        MeasureOutage,
    )

    def __post_init__(self) -> None:
        for name, spec in self.fleet.workloads.items():
            self.weights[name] = spec.weights
            self.replicas.update({(name, region): n for region, n in spec.replicas.items()})

    @property
    def down(self) -> frozenset[str]:
        """The regions that are down now."""
        now = self.clock()
        return frozenset(name for name, (a, b) in self.outages.items() if a <= now < b)

    def perform(self, action: Any, call: Call) -> Any:
        if call.key not in self.done:
            self.done[call.key] = self._do(action, call.key)
        return self.done[call.key]

    def answer(self, query: Any, timeout: float) -> Any:
        match query:
            case CurrentWeights():
                epoch = self.epochs.get(query.workload, 0)
                weights = self.weights[query.workload]
                return WeightsSet(applied=True, epoch=epoch, weights=weights)
            case EndpointStatus():
                states = {region: self._state(query.workload, region) for region in query.regions}
                return EndpointStates(states=states)
            case ReadTelemetry():
                return Telemetry(seconds=query.seconds, regions=self._traffic(query))
            case ProbeEndpoint():
                failed = query.count if query.region in self.down else 0
                return Probed(region=query.region, sent=query.count, failed=failed)
            case MeasureOutage():
                return Outage(began=query.since, ended=query.since + 1, failed=1)
        raise TypeError(query)

    def _do(self, action: Any, key: str) -> Any:
        match action:
            case SetWeights():
                return self._set(action)
            case ScaleEndpoint():
                return self._scale(action)
            case Notify():
                self.told[key] = self.told.get(key, 0) + 1
                return Notified(channel=action.channel)
        raise TypeError(action)

    def _set(self, action: SetWeights) -> WeightsSet:
        epoch, weights = self.epochs.get(action.workload, 0), self.weights[action.workload]
        if action.epoch < epoch:
            return WeightsSet(applied=False, epoch=epoch, weights=weights, reason="an old epoch")
        self.epochs[action.workload] = action.epoch
        self.weights[action.workload] = action.weights
        self.steps.append(action)
        return WeightsSet(applied=True, epoch=action.epoch, weights=action.weights)

    def _scale(self, action: ScaleEndpoint) -> Scaled:
        if action.region in self.down:
            raise ConnectionError(f"{action.region} does not answer")
        name = (action.workload, action.region)
        has = self.replicas.get(name, 0)
        if action.epoch < self.scales.get(name, 0):
            return Scaled(requested=action.replicas, granted=has, ready=has, reason="an old epoch")
        self.scales[name] = action.epoch
        self.replicas[name] = action.replicas
        return Scaled(requested=action.replicas, granted=action.replicas, ready=action.replicas)

    def _state(self, workload: str, region: str) -> EndpointState:
        if region in self.down:
            return EndpointState(region=region, reachable=False)
        ready = self.replicas.get((workload, region), 0)
        return EndpointState(region=region, reachable=True, ready=ready)

    def _traffic(self, query: ReadTelemetry) -> dict[str, RegionTelemetry]:
        rate = self.fleet.workloads[query.workload].rate
        seen = {}
        for region, weight in self.weights[query.workload].items():
            requests = round(rate * weight * query.seconds)
            errors = requests if region in self.down else 0
            if requests:
                seen[region] = RegionTelemetry(requests=requests, errors=errors, p50=20, p95=50)
        return seen


class Watched:
    """A performer of which every call is told first."""

    def __init__(self, performer: Performer, watch: Callable[[Action[Any], Call], None]) -> None:
        self.performer = performer
        self.watch = watch
        self.performs = performer.performs
        self.answers = performer.answers

    def perform(self, action: Any, call: Call) -> Any:
        self.watch(action, call)
        return self.performer.perform(action, call)

    def answer(self, query: Any, timeout: float) -> Any:
        return self.performer.answer(query, timeout)
