"""Telemetry: what is measured of a workload, from inside and from outside.

What is not known is left out or None, and nobody takes it for well or for unwell: an answer that
says less than was asked for is a valid one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from crosswind.actions import Answer, Query
from crosswind_events import Region

MAX_WINDOWS: Final = 32
"""Further windows of one reading: the long and the short one of as many burn rates as may be."""

WindowSeconds = Annotated[float, Field(gt=0, le=366 * 86_400)]


class Probed(Answer):
    """Answers to a few synthetic requests sent to one region.

    `latency` is the median in milliseconds of those that were answered, `fastest` the least; None
    where none was, or where that was not measured.
    """

    region: Region
    sent: int
    failed: int
    latency: float | None = None
    fastest: float | None = None
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
    """Real traffic of one region over a window; latencies in milliseconds.

    `slow` are requests that were answered well, yet slower than was asked for; None where nobody
    counted them.
    """

    requests: int
    errors: int
    p50: float | None = None
    p95: float | None = None
    slow: int | None = None

    @property
    def error_rate(self) -> float:
        """Share of requests that failed, 0 where there were none."""
        return self.errors / self.requests if self.requests else 0.0

    @property
    def answered(self) -> int:
        """Requests that were answered well, however slowly."""
        return self.requests - self.errors


class Window(Answer):
    """Real traffic by region over one of the further windows; percentiles may be left out."""

    seconds: float
    regions: Mapping[Region, RegionTelemetry]


class Telemetry(Answer):
    """Real traffic of a workload by region; `seconds` is the window it covers.

    `windows` holds those that were asked for beside it, in any order; one that is not there says
    nothing. `until` is up to when it was measured, in seconds since the epoch, None for up to now:
    a reading that lags behind says so here.
    """

    seconds: float
    regions: Mapping[Region, RegionTelemetry]
    windows: tuple[Window, ...] = ()
    until: float | None = None

    @property
    def error_rate(self) -> float:
        """Share of all requests that failed."""
        requests = sum(region.requests for region in self.regions.values())
        errors = sum(region.errors for region in self.regions.values())
        return errors / requests if requests else 0.0


class ReadTelemetry(Query[Telemetry], kind="telemetry.traffic"):
    """Requests, errors and latency of a workload's real traffic over the last seconds.

    A performer whose source does not answer says what it knows, and where that is nothing names no
    region, instead of failing: the outage of a monitoring system must not keep a region from being
    left.

    Args:
        slower_than: milliseconds; answers that took longer are counted as slow.
        windows: further windows, each in seconds up to now, to be told in the same answer.
    """

    workload: str
    seconds: float = Field(default=10.0, gt=0, le=86_400)
    slower_than: float | None = Field(default=None, gt=0)
    windows: tuple[WindowSeconds, ...] = Field(default=(), max_length=MAX_WINDOWS)


class Outage(Answer):
    """An outage as the callers saw it: times in seconds since the epoch, None where unknown.

    Attributes:
        began: when failures began; None where none were seen.
        ended: when they ceased; None where they have not, as far as is known.
        failed: requests that failed from then to then.
        counted: requests that were looked at since the time asked for; with 0 nobody has measured,
            and that no failure was seen says nothing. None where the source does not tell.
    """

    began: float | None
    ended: float | None
    failed: int
    counted: int | None = None

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
