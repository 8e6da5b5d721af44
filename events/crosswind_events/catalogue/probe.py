"""Probes: it is time to look at what nobody reports."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from crosswind_events.data import EventData
from crosswind_events.fields import Name, Region


class ProbeDue(EventData, type="dev.crosswind.probe.due.v1"):
    """Synthetic requests are to be sent to every workload in a region, from every vantage."""

    region: Region


class TelemetryDue(EventData, type="dev.crosswind.probe.telemetry_due.v1"):
    """The real traffic of some workloads is to be looked at."""

    workloads: Annotated[tuple[Name, ...], Field(min_length=1, max_length=100)]


TYPES: tuple[type[EventData], ...] = (ProbeDue, TelemetryDue)
