"""Capacity: replicas that a plan needs before traffic may move."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from crosswind_events.data import EventData
from crosswind_events.fields import Region

from .failover import Plan


class CapacityRequested(EventData, type="dev.crosswind.capacity.requested.v1"):
    """A plan needs `replicas` in total in one region; `ready` of them serve already.

    What is only `spare` is not waited for.
    """

    plan: Plan
    region: Region
    replicas: Annotated[int, Field(ge=0, le=100_000)]
    ready: Annotated[int, Field(ge=0, le=100_000)]
    spare: bool = False


class CapacityDue(EventData, type="dev.crosswind.capacity.due.v1"):
    """The time for a plan's capacity is over; what has not come counts as refused."""

    plan: Plan


TYPES: tuple[type[EventData], ...] = (CapacityRequested, CapacityDue)
