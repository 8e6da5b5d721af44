"""The health of a region, as one observer saw it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crosswind_events.data import EventData, Part
from crosswind_events.fields import Labels, Measures, Name, Region, Text, Url


class Native(Part):
    """The vendor's own notification from which an event was made."""

    kind: Name
    id: Name
    account: Name | None = None
    name: Name | None = None
    url: Url | None = None
    labels: Labels = Field(default_factory=dict)


class _Observation(Part):
    """What one observer saw of a region.

    `evidence` says what kind of observer, `vantage` where it stood; observers of different kinds
    or standing apart are what makes a quorum.
    """

    region: Region
    evidence: Literal["provider", "alarm", "probe", "telemetry", "operator"]
    reason: Text
    workload: Name | None = None
    service: Name | None = None
    vantage: Name | None = None
    native: Native | None = None
    measured: Measures = Field(default_factory=dict)


class RegionUnhealthy(_Observation, EventData, type="dev.crosswind.region.unhealthy.v1"):
    """An observer found a region, or a workload in it, unhealthy."""


class RegionRecovered(_Observation, EventData, type="dev.crosswind.region.recovered.v1"):
    """An observer that had found a region unhealthy found it well again."""


TYPES: tuple[type[EventData], ...] = (RegionUnhealthy, RegionRecovered)
