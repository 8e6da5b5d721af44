"""Telemetry: what is measured of a workload, from inside and from outside."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from crosswind.actions import Answer, Query
from crosswind_events import Region


class Probed(Answer):
    """Answers to a few synthetic requests sent to one region.

    `latency` is the median in milliseconds of those that were answered, None where none was.
    """

    region: Region
    sent: int
    failed: int
    latency: float | None = None
    error: str = ""

    @property
    def healthy(self) -> bool:
        """Whether at least half of the requests were answered well."""
        return self.failed * 2 < self.sent


class ProbeEndpoint(Query[Probed], kind="telemetry.probe"):
    """Send synthetic requests to a workload's endpoint in one region, past any traffic steering.

    Args:
        count: requests to send.
        vantage: where the observer stands, so that independent views can be told apart.
    """

    workload: str
    region: Region
    count: int = Field(default=3, ge=1, le=20)
    vantage: str = "home"


class RegionTelemetry(Answer):
    """Real traffic of one region over a window; latencies in milliseconds."""

    requests: int
    errors: int
    p50: float | None = None
    p95: float | None = None

    @property
    def error_rate(self) -> float:
        """Share of requests that failed, 0 where there were none."""
        return self.errors / self.requests if self.requests else 0.0


class Telemetry(Answer):
    """Real traffic of a workload by region; `seconds` is the window it covers."""

    seconds: float
    regions: Mapping[Region, RegionTelemetry]

    @property
    def error_rate(self) -> float:
        """Share of all requests that failed."""
        requests = sum(region.requests for region in self.regions.values())
        errors = sum(region.errors for region in self.regions.values())
        return errors / requests if requests else 0.0


class ReadTelemetry(Query[Telemetry], kind="telemetry.traffic"):
    """Requests, errors and latency of a workload's real traffic over the last seconds."""

    workload: str
    seconds: float = Field(default=10.0, gt=0, le=86_400)


class Outage(Answer):
    """An outage as the callers saw it: times in seconds since the epoch, None where unknown."""

    began: float | None
    ended: float | None
    failed: int

    @property
    def seconds(self) -> float | None:
        """How long it lasted."""
        return None if self.began is None or self.ended is None else self.ended - self.began


class MeasureOutage(Query[Outage], kind="telemetry.outage"):
    """When callers of a workload began to see failures, and when they ceased.

    Args:
        since: seconds since the epoch before which nothing is looked at.
        threshold: error rate under which traffic counts as well.
    """

    workload: str
    since: float
    threshold: float = 0.01
