"""Probes: it is time to look at what nobody reports."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from crosswind_events.data import EventData
from crosswind_events.fields import Count, Instant, Name, Region


class ProbeDue(EventData, type="dev.crosswind.probe.due.v1"):
    """Synthetic requests are to be sent to every workload in a region.

    From one `vantage`; without it, from each of the fleet's. A round of a region with very many
    workloads takes several runs: this one goes on `after` a workload, `asked` have been probed and
    `failed` of them have failed. `began` is when the round began, this event's own time unless
    given.
    """

    region: Region
    vantage: Name | None = None
    began: Instant | None = None
    after: Name | None = None
    asked: Count = 0
    failed: Count = 0


class TelemetryDue(EventData, type="dev.crosswind.probe.telemetry_due.v1"):
    """The real traffic of some workloads is to be looked at.

    `began` is when the round began, this event's own time unless given.
    """

    workloads: Annotated[tuple[Name, ...], Field(min_length=1, max_length=100)]
    began: Instant | None = None


TYPES: tuple[type[EventData], ...] = (ProbeDue, TelemetryDue)
