"""What could not be done, and is kept for a person."""

from __future__ import annotations

from pydantic import Field

from crosswind_events.data import EventData
from crosswind_events.fields import Count, Instant, Name, Report


class DeadLettered(EventData, type="dev.crosswind.deadletter.v1"):
    """A run failed for the last time, or a delivery could not be read (`undecodable`).

    Of an undecodable delivery nothing but its `group` may be known. `failed_type` is written, and
    given, as `event_type`: on a model that name is the type of the model itself.
    """

    chain: Name | None = None
    run: Name | None = None
    handler: Name | None = None
    group: Name
    event_id: Name | None = None
    failed_type: Name | None = Field(default=None, alias="event_type")
    attempts: Count
    error: Report
    at: Instant
    undecodable: bool = False


TYPES: tuple[type[EventData], ...] = (DeadLettered,)
