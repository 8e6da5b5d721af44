"""Telemetry on AWS: synthetic requests, and real traffic by the metrics of CloudWatch."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, overload

from crosswind.actions import Action, Call, Query
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
from crosswind_aws.performers.asking import LEAST, Deadline, never
from crosswind_aws.performers.cloudwatch import Metrics, Span, Traffic
from crosswind_aws.performers.failures import NotFound, Throttled, Unreachable
from crosswind_aws.performers.probing import probe
from crosswind_aws.performers.resources import Resources, aws_region


class TelemetryPerformer:
    """Probes regions, and reads real traffic from CloudWatch. It changes nothing.

    Metrics are by the minute and a minute late: windows are told in whole minutes, and `until` says
    up to when. A region of which CloudWatch does not answer is left out; a role that may not read
    is an error, so that it shows before it matters. Percentiles of a window longer than a minute
    are the median, and the highest, of those of its minutes.

    Args:
        resources: what stands for the fleet.
        clock: seconds since the epoch.
    """

    performs: tuple[type[Action[Any]], ...] = ()
    answers: tuple[type[Query[Any]], ...] = (ProbeEndpoint, ReadTelemetry, MeasureOutage)

    def __init__(self, resources: Resources, clock: Callable[[], float] = time.time) -> None:
        self._resources = resources
        self._clock = clock
        self._traffic = Traffic()

    def perform(self, action: Action[Any], call: Call) -> Any:
        """It performs nothing.

        Raises:
            TypeError: always.
        """
        raise never(action.kind, self)

    @overload
    def answer(self, query: ProbeEndpoint, timeout: float) -> Probed: ...
    @overload
    def answer(self, query: ReadTelemetry, timeout: float) -> Telemetry: ...
    @overload
    def answer(self, query: MeasureOutage, timeout: float) -> Outage: ...

    def answer(
        self, query: ProbeEndpoint | ReadTelemetry | MeasureOutage, timeout: float
    ) -> Probed | Telemetry | Outage:
        """Read what is asked for.

        Raises:
            NotFound: nothing is declared by which it could be read.
            Denied: the role may not read metrics.
        """
        deadline = Deadline(timeout)
        match query:
            case ProbeEndpoint():
                return probe(query, self._url(query.workload, query.region), deadline)
            case ReadTelemetry():
                return self._read(query, deadline)
            case MeasureOutage():
                return self._measure(query, deadline)

    def _read(self, query: ReadTelemetry, deadline: Deadline) -> Telemetry:
        seconds = (query.seconds, *query.windows)
        spans = [Span.before(self._clock(), one) for one in seconds]
        shown: list[dict[str, RegionTelemetry]] = [{} for _ in spans]
        declared = self._metrics(query.workload)
        for number, (region, metrics) in enumerate(declared.items()):
            share = Deadline(max(LEAST, deadline.left / (len(declared) - number)))
            try:
                seen = self._traffic.windows(
                    metrics, aws_region(region), spans, query.slower_than, share
                )
            except (Unreachable, Throttled):
                # The outage of a monitoring system must not keep a region from being left.
                continue
            for window, its in zip(shown, seen, strict=True):
                if its is not None:
                    window[region] = its
        return Telemetry(
            seconds=spans[0].ends - spans[0].begins,
            regions=shown[0],
            windows=tuple(
                # As they were asked for, so that whoever asked finds them.
                Window(seconds=one, regions=regions)
                for one, regions in zip(query.windows, shown[1:], strict=True)
            ),
            until=float(spans[0].ends),
        )

    def _measure(self, query: MeasureOutage, deadline: Deadline) -> Outage:
        now = self._clock()
        span = Span.before(now, now - query.since)
        counted: dict[float, tuple[float, float]] = {}
        declared = self._metrics(query.workload)
        for number, (region, metrics) in enumerate(declared.items()):
            share = Deadline(max(LEAST, deadline.left / (len(declared) - number)))
            seen = self._traffic.minutes(metrics, aws_region(region), span, share)
            for at, (requests, errors) in seen.items():
                before = counted.get(at, (0.0, 0.0))
                counted[at] = (before[0] + requests, before[1] + errors)
        return outage(counted, span, query.threshold)

    def _metrics(self, workload: str) -> dict[str, Metrics]:
        declared = self._resources.workloads.get(workload)
        if declared is None:
            raise NotFound("telemetry", "NotDeclared", f"no resource is declared for {workload}")
        return {
            region: has.metrics
            for region, has in declared.regions.items()
            if has.metrics is not None
        }

    def _url(self, workload: str, region: str) -> str:
        declared = self._resources.workloads.get(workload)
        has = None if declared is None else declared.regions.get(region)
        if has is None or has.probe is None:
            why = f"no address is declared at which {workload} can be probed in {region}"
            raise NotFound("telemetry.probe", "NotDeclared", why)
        return has.probe


def outage(counted: dict[float, tuple[float, float]], span: Span, threshold: float) -> Outage:
    """When failures began and ceased, to the period.

    Args:
        counted: requests and errors by the period in which they were.
        threshold: error rate under which traffic counts as well.
    """
    looked_at = round(sum(requests for requests, _ in counted.values()))
    bad = sorted(
        at
        for at, (requests, errors) in counted.items()
        if errors and errors >= requests * threshold
    )
    if not bad:
        return Outage(began=None, ended=None, failed=0, counted=looked_at)
    failed = round(sum(counted[at][1] for at in bad))
    ended = bad[-1] + span.period
    # That it has ended is known only where something came after it.
    well = any(at >= ended for at in counted)
    return Outage(began=bad[0], ended=ended if well else None, failed=failed, counted=looked_at)
