"""Something out of the ordinary which is no evidence about a region by itself."""

from __future__ import annotations

from crosswind_events.data import EventData
from crosswind_events.fields import Name, Region, Text

from .region import Native


class AnomalyDetected(EventData, type="dev.crosswind.anomaly.detected.v1"):
    """A detector saw something behave unlike itself."""

    region: Region | None = None
    metric: Name | None = None
    reason: Text
    native: Native | None = None


TYPES: tuple[type[EventData], ...] = (AnomalyDetected,)
