"""Traffic: the steps in which a plan moves shares between regions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from crosswind_events.data import EventData
from crosswind_events.fields import Text

from .failover import Plan


class TrafficShift(EventData, type="dev.crosswind.traffic.shift.v1"):
    """A step is due: judge what the step before did, then go on, hold, or plan again.

    `step` counts from 1 to the plan's steps; one more is the look after the last. `epoch` is the
    register's after the step before. `holds` counts the pauses that were added to this step,
    `waits` those in which another plan was seen at work.
    """

    plan: Plan
    step: Annotated[int, Field(ge=1)]
    epoch: Annotated[int, Field(ge=0)]
    holds: Annotated[int, Field(ge=0)] = 0
    waits: Annotated[int, Field(ge=0)] = 0
    because: Text


TYPES: tuple[type[EventData], ...] = (TrafficShift,)
