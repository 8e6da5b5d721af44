"""Performers on a world of local processes: the actions and queries that steer it.

Each finds the processes through the `world.json` of its directory, at every call, so that it works
in any process and after a restart.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final, overload

from crosswind.actions import Action, Call, Pending, Query
from crosswind.operations.endpoints import (
    EndpointState,
    EndpointStates,
    EndpointStatus,
    Scaled,
    ScaleEndpoint,
)
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
from crosswind.operations.traffic import CurrentWeights, SetWeights, WeightsSet
from crosswind.world import client
from crosswind.world.addresses import Addresses

CONFLICT: Final = 409
"""The status with which a control plane refuses an epoch below the one in force."""

SHORTEST_SECONDS: Final = 0.05
"""What a call is given at least, so that a late one still has a clear outcome."""


class NotInWorld(client.CallFailed, LookupError):
    """A region that this world does not have."""


class TrafficPerformer:
    """Sets and reads weights at the proxy.

    A repeated key: the proxy keeps every key with its first answer, across restarts too, changes
    nothing and gives that answer again. A lower epoch: the proxy compares and sets in one step;
    refused, the newer weights are returned with `applied=False`.

    Args:
        directory: of the world.
    """

    performs: tuple[type[Action[Any]], ...] = (SetWeights,)
    answers: tuple[type[Query[Any]], ...] = (CurrentWeights,)

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def perform(self, action: SetWeights, call: Call) -> WeightsSet:
        """Set the weights.

        Raises:
            Unreachable: the proxy gave no answer; ask again with the same key.
            Refused: the weights name an unknown region or do not sum to 1.
        """
        order = {
            "workload": action.workload,
            "weights": dict(action.weights),
            "epoch": action.epoch,
            "key": call.key,
        }
        try:
            answer = client.call(
                self._proxy(), "PUT", "/admin/weights", order, timeout=call.timeout
            )
        except client.Refused as refused:
            if refused.status != CONFLICT:
                raise
            return WeightsSet(
                applied=False,
                epoch=refused.body["epoch"],
                weights=refused.body["weights"],
                reason=refused.body["error"],
            )
        return WeightsSet(applied=True, epoch=answer["epoch"], weights=answer["weights"])

    def answer(self, query: CurrentWeights, timeout: float) -> WeightsSet:
        """The weights in force."""
        target = client.path("admin", "weights", query.workload)
        answer = client.call(self._proxy(), "GET", target, timeout=timeout)
        return WeightsSet(applied=True, epoch=answer["epoch"], weights=answer["weights"])

    def _proxy(self) -> int:
        return Addresses.read(self._directory).proxy.port


class EndpointPerformer:
    """Scales endpoints at the region's server and reads their state.

    A repeated key: the server keeps every key with its first answer, across restarts too, starts
    nothing twice and gives that answer again; how far the replicas are is read anew. A lower
    epoch: the server compares and sets in one step; refused, what is in force is returned with
    the reason.

    Args:
        directory: of the world.
        check_after: seconds after which replicas that are starting are looked at again.
    """

    performs: tuple[type[Action[Any]], ...] = (ScaleEndpoint,)
    answers: tuple[type[Query[Any]], ...] = (EndpointStatus,)

    def __init__(self, directory: Path, check_after: float = 0.5) -> None:
        self._directory = directory
        self._check_after = check_after

    def perform(self, action: ScaleEndpoint, call: Call) -> Scaled | Pending:
        """Ask for replicas; pending until those granted serve.

        Raises:
            NotInWorld: no such region.
            Unreachable: the region gave no answer; ask again with the same key.
            Refused: the region does not serve the workload.
        """
        end = time.monotonic() + call.timeout
        port = _server(Addresses.read(self._directory), action.region)
        order = {
            "workload": action.workload,
            "replicas": action.replicas,
            "epoch": action.epoch,
            "key": call.key,
        }
        try:
            grant = client.call(port, "POST", "/admin/scale", order, timeout=_left(end))
        except client.Refused as refused:
            if refused.status != CONFLICT:
                raise
            return Scaled(
                requested=action.replicas,
                granted=refused.body["replicas"],
                ready=refused.body["ready"],
                reason=refused.body["error"],
            )
        state = client.call(port, "GET", "/status", timeout=_left(end))["workloads"][
            action.workload
        ]
        if state["epoch"] > action.epoch:
            return Scaled(
                requested=action.replicas,
                granted=state["replicas"],
                ready=state["ready"],
                reason=f"granted, then epoch {state['epoch']} took its place",
            )
        if state["ready"] < grant["granted"] and state["starting"]:
            note = f"{state['ready']} of {grant['granted']} replicas serve in {action.region}"
            return Pending(self._check_after, note)
        return Scaled(
            requested=grant["requested"],
            granted=grant["granted"],
            ready=state["ready"],
            reason=grant["reason"],
        )

    def answer(self, query: EndpointStatus, timeout: float) -> EndpointStates:
        """The state of each region; one that gives no answer is not reachable.

        Raises:
            NotInWorld: a region that this world does not have.
        """
        end = time.monotonic() + timeout
        addresses = Addresses.read(self._directory)
        ports = {region: _server(addresses, region) for region in query.regions}
        states = {}
        for number, (region, port) in enumerate(ports.items()):
            share = _left(end) / (len(ports) - number)
            states[region] = _state(region, port, query.workload, share)
        return EndpointStates(states=states)


class TelemetryPerformer:
    """Probes regions, and reads real traffic as the proxy passes it. It changes nothing.

    Args:
        directory: of the world.
        probe_timeout: seconds that one synthetic request may take.
        steady: seconds without failures after which an outage counts as ended.
    """

    performs: tuple[type[Action[Any]], ...] = ()
    answers: tuple[type[Query[Any]], ...] = (ProbeEndpoint, ReadTelemetry, MeasureOutage)

    def __init__(self, directory: Path, *, probe_timeout: float = 0.5, steady: float = 1.0) -> None:
        self._directory = directory
        self._probe_timeout = probe_timeout
        self._steady = steady

    def perform(self, action: Action[Any], call: Call) -> Any:
        """It performs nothing.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{type(self).__name__} performs no action, so not {action.kind}")

    @overload
    def answer(self, query: ProbeEndpoint, timeout: float) -> Probed: ...
    @overload
    def answer(self, query: ReadTelemetry, timeout: float) -> Telemetry: ...
    @overload
    def answer(self, query: MeasureOutage, timeout: float) -> Outage: ...

    def answer(
        self, query: ProbeEndpoint | ReadTelemetry | MeasureOutage, timeout: float
    ) -> Probed | Telemetry | Outage:
        """Read what is asked for."""
        match query:
            case ProbeEndpoint():
                return self._probe(query, timeout)
            case ReadTelemetry():
                return self._traffic(query, timeout)
            case MeasureOutage():
                return self._outage(query, timeout)

    def _probe(self, query: ProbeEndpoint, timeout: float) -> Probed:
        """Ask the region's server itself; ends early rather than late."""
        end = time.monotonic() + timeout
        port = _server(Addresses.read(self._directory), query.region)
        asked = {"workload": query.workload, "prompt": f"a probe from {query.vantage}"}
        sent, error, latencies = 0, "", list[float]()
        while sent < query.count and (sent == 0 or time.monotonic() < end):
            sent += 1
            begun = time.monotonic()
            try:
                client.call(
                    port,
                    "POST",
                    "/v1/infer",
                    asked,
                    timeout=min(self._probe_timeout, _left(end)),
                )
            except client.CallFailed as failed:
                error = str(failed)
            else:
                latencies.append((time.monotonic() - begun) * 1000)
        return Probed(
            region=query.region,
            sent=sent,
            failed=sent - len(latencies),
            latency=median(latencies) if latencies else None,
            fastest=min(latencies, default=None),
            error=error,
        )

    def _traffic(self, query: ReadTelemetry, timeout: float) -> Telemetry:
        """What the proxy has seen; nothing where it does not answer."""
        asked: dict[str, float | str] = {"seconds": query.seconds}
        if query.slower_than is not None:
            asked["slower_than"] = query.slower_than
        if query.windows:
            asked["windows"] = ",".join(map(str, query.windows))
        target = client.path("admin", "telemetry", query.workload, **asked)
        try:
            answer = client.call(self._proxy(), "GET", target, timeout=timeout)
        except client.Unreachable:
            return Telemetry(seconds=query.seconds, regions={})
        return Telemetry(
            seconds=answer["seconds"],
            regions=_seen(answer["regions"]),
            windows=tuple(
                Window(seconds=one["seconds"], regions=_seen(one["regions"]))
                for one in answer["windows"]
            ),
        )

    def _outage(self, query: MeasureOutage, timeout: float) -> Outage:
        target = client.path(
            "admin",
            "disruption",
            query.workload,
            since=query.since,
            threshold=query.threshold,
            window=self._steady,
        )
        answer = client.call(self._proxy(), "GET", target, timeout=timeout)
        return Outage(**{name: answer[name] for name in ("began", "ended", "failed", "counted")})

    def _proxy(self) -> int:
        return Addresses.read(self._directory).proxy.port


def performers(directory: Path) -> tuple[TrafficPerformer, EndpointPerformer, TelemetryPerformer]:
    """All performers of the world that runs in this directory."""
    return (
        TrafficPerformer(directory),
        EndpointPerformer(directory),
        TelemetryPerformer(directory),
    )


def _seen(regions: Mapping[str, Any]) -> dict[str, RegionTelemetry]:
    return {region: RegionTelemetry(**its) for region, its in regions.items()}


def _state(region: str, port: int, workload: str, timeout: float) -> EndpointState:
    try:
        status = client.call(port, "GET", "/status", timeout=timeout)
    except client.Unreachable:
        return EndpointState(region=region, reachable=False)
    its = status["workloads"].get(workload, {"ready": 0, "starting": 0})
    return EndpointState(
        region=region,
        reachable=True,
        ready=its["ready"],
        starting=its["starting"],
        quota=status["quota"],
    )


def _server(addresses: Addresses, region: str) -> int:
    try:
        return addresses.servers[region].port
    except KeyError:
        known = ", ".join(addresses.servers)
        raise NotInWorld(f"{region} is not a region of this world; it has {known}") from None


def _left(end: float) -> float:
    return max(SHORTEST_SECONDS, end - time.monotonic())
