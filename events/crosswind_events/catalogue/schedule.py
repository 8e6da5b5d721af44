"""Time that has come."""

from __future__ import annotations

from crosswind_events.data import EventData
from crosswind_events.fields import Instant, Name


class Tick(EventData, type="dev.crosswind.schedule.tick.v1"):
    """A schedule is due; `due` is the time it was set for, not the time it was noticed."""

    schedule: Name
    due: Instant


TYPES: tuple[type[EventData], ...] = (Tick,)
