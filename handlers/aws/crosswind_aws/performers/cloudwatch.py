"""Real traffic, as the metrics of CloudWatch count it.

The metrics are by the minute, so that a window is told in whole minutes, and they settle some time
after: what is younger than that is not looked at, and the answer says up to when it was measured.

Sources: docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html (500
queries at the most), .../monitoring/cloudwatch_concepts.html (for how long each period is kept),
.../monitoring/Statistics-definitions.html (TC counts samples in a range), .../elasticloadbalancing/
latest/application/load-balancer-cloudwatch-metrics.html, .../sagemaker/latest/dg/
monitoring-cloudwatch.html.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final, NamedTuple

from crosswind.operations.telemetry import RegionTelemetry
from crosswind_aws.performers.asking import Deadline, Services
from crosswind_aws.performers.failures import Unreachable
from crosswind_aws.performers.resources import LoadBalancerMetrics, SageMakerMetrics

MINUTE: Final = 60

SETTLING: Final = 60
"""Seconds after which what CloudWatch has of a minute is taken for complete."""

_PERIODS: Final = ((6 * 3_600, MINUTE), (3 * 86_400, 300), (math.inf, 3_600))
"""Up to which span, in seconds, which period is read."""

_QUERIES: Final = 500
_UNREAD: Final = {"InternalError", "Forbidden"}

Metrics = LoadBalancerMetrics | SageMakerMetrics


class Metric(NamedTuple):
    """One metric of a source, and how it is read."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]


class Source(NamedTuple):
    """Which metrics tell of requests, of errors and of how long answers take.

    Attributes:
        unit: how many of the latency's units are one millisecond.
    """

    requests: tuple[Metric, ...]
    errors: tuple[Metric, ...]
    latency: Metric
    unit: float


class Span(NamedTuple):
    """A stretch of time in whole periods: seconds since the epoch, and the period."""

    begins: int
    ends: int
    period: int

    @classmethod
    def before(cls, now: float, seconds: float) -> Span:
        """The last so many seconds that have settled, in whole periods."""
        length = max(MINUTE, math.ceil(seconds / MINUTE) * MINUTE)
        period = next(period for most, period in _PERIODS if length <= most)
        length = math.ceil(length / period) * period
        ends = math.floor((now - SETTLING) / MINUTE) * MINUTE
        return cls(ends - length, ends, period)


class Read(NamedTuple):
    """What is read of a metric over a span."""

    metric: Metric
    statistic: str
    span: Span


Points = list[tuple[float, float]]
"""Values by when their period begins, in seconds since the epoch, in order."""


class Traffic:
    """Reads the real traffic of a workload in a region."""

    def __init__(self) -> None:
        self._ask = Services("cloudwatch")

    def windows(
        self,
        metrics: Metrics,
        region: str,
        spans: Sequence[Span],
        slower_than: float | None,
        deadline: Deadline,
    ) -> list[RegionTelemetry | None]:
        """The traffic in each span, None where there was none; percentiles for the first alone."""
        source = source_of(metrics)
        reads: list[Read] = []
        for number, span in enumerate(spans):
            reads += [Read(one, "Sum", span) for one in (*source.requests, *source.errors)]
            if slower_than is not None:
                over = f"TC({slower_than * source.unit:g}:)"
                reads.append(Read(source.latency, over, span))
            if number == 0:
                reads += [Read(source.latency, one, span) for one in ("p50", "p95")]
        found = self._read(region, reads, deadline)
        return [_told(source, span, slower_than, found) for span in spans]

    def minutes(
        self, metrics: Metrics, region: str, span: Span, deadline: Deadline
    ) -> dict[float, tuple[float, float]]:
        """Requests and errors by period, for each in which there were requests."""
        source = source_of(metrics)
        reads = [Read(one, "Sum", span) for one in (*source.requests, *source.errors)]
        found = self._read(region, reads, deadline)
        requests = _added(found, source.requests, span)
        errors = _added(found, source.errors, span)
        return {at: (count, errors.get(at, 0.0)) for at, count in requests.items() if count}

    def _read(
        self, region: str, reads: Sequence[Read], deadline: Deadline
    ) -> dict[tuple[str, str, Span], Points]:
        found: dict[tuple[str, str, Span], Points] = {}
        for span in dict.fromkeys(read.span for read in reads):
            # What counts both as a request and as an error is read once.
            wanted = {(one.metric.name, one.statistic): one for one in reads if one.span == span}
            same = list(wanted.values())
            for first in range(0, len(same), _QUERIES):
                self._read_span(region, span, same[first : first + _QUERIES], found, deadline)
        return found

    def _read_span(
        self,
        region: str,
        span: Span,
        reads: Sequence[Read],
        found: dict[tuple[str, str, Span], Points],
        deadline: Deadline,
    ) -> None:
        asked: dict[str, Any] = {
            "MetricDataQueries": [_query(f"q{n}", read) for n, read in enumerate(reads)],
            "StartTime": datetime.fromtimestamp(span.begins, UTC),
            "EndTime": datetime.fromtimestamp(span.ends, UTC),
            "ScanBy": "TimestampAscending",
        }
        while True:
            page = self._ask[region].read("get_metric_data", deadline, **asked)
            for result in page["MetricDataResults"]:
                if result.get("StatusCode") in _UNREAD:
                    code = str(result["StatusCode"])
                    raise Unreachable(f"cloudwatch get_metric_data in {region}", code)
                read = reads[int(result["Id"][1:])]
                points = found.setdefault((read.metric.name, read.statistic, read.span), [])
                points += zip(
                    (at.timestamp() for at in result["Timestamps"]), result["Values"], strict=True
                )
            if not page.get("NextToken"):
                return
            asked["NextToken"] = page["NextToken"]


def source_of(metrics: Metrics) -> Source:
    """Which metrics tell of a workload's traffic."""
    match metrics:
        case LoadBalancerMetrics():
            whole = {"LoadBalancer": metrics.load_balancer}
            its = {
                **whole,
                **({"TargetGroup": metrics.target_group} if metrics.target_group else {}),
            }
            name = "AWS/ApplicationELB"
            # Requests for which no target was found are counted apart, and for all groups together.
            own = () if metrics.target_group else (Metric(name, "HTTPCode_ELB_5XX_Count", whole),)
            return Source(
                requests=(Metric(name, "RequestCount", its), *own),
                errors=(Metric(name, "HTTPCode_Target_5XX_Count", its), *own),
                latency=Metric(name, "TargetResponseTime", its),
                unit=0.001,
            )
        case SageMakerMetrics():
            its = {"EndpointName": metrics.endpoint, "VariantName": metrics.variant}
            name = "AWS/SageMaker"
            return Source(
                requests=(Metric(name, "Invocations", its),),
                errors=(Metric(name, "Invocation5XXErrors", its),),
                latency=Metric(name, "ModelLatency", its),
                unit=1_000.0,
            )


def _query(name: str, read: Read) -> dict[str, Any]:
    dimensions = [{"Name": k, "Value": v} for k, v in sorted(read.metric.dimensions.items())]
    metric = {
        "Namespace": read.metric.namespace,
        "MetricName": read.metric.name,
        "Dimensions": dimensions,
    }
    stat = {"Metric": metric, "Period": read.span.period, "Stat": read.statistic}
    return {"Id": name, "MetricStat": stat, "ReturnData": True}


def _told(
    source: Source,
    span: Span,
    slower_than: float | None,
    found: Mapping[tuple[str, str, Span], Points],
) -> RegionTelemetry | None:
    requests = round(sum(_added(found, source.requests, span).values()))
    if not requests:
        return None
    errors = min(requests, round(sum(_added(found, source.errors, span).values())))
    slow = None
    if slower_than is not None:
        over = found.get((source.latency.name, f"TC({slower_than * source.unit:g}:)", span), [])
        slow = min(requests - errors, round(sum(value for _, value in over)))
    middle = [value for _, value in found.get((source.latency.name, "p50", span), ())]
    high = [value for _, value in found.get((source.latency.name, "p95", span), ())]
    return RegionTelemetry(
        requests=requests,
        errors=errors,
        # Percentiles of minutes cannot be put together; these are not better than the true ones.
        p50=median(middle) / source.unit if middle else None,
        p95=max(high) / source.unit if high else None,
        slow=slow,
    )


def _added(
    found: Mapping[tuple[str, str, Span], Points], metrics: Iterable[Metric], span: Span
) -> dict[float, float]:
    added: dict[float, float] = {}
    for metric in metrics:
        for at, value in found.get((metric.name, "Sum", span), ()):
            added[at] = added.get(at, 0.0) + value
    return added
