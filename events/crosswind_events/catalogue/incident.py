"""What a person must look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from crosswind_events.data import EventData
from crosswind_events.fields import Name, Reasons, Region, Report, Text


class IncidentOpened(EventData, type="dev.crosswind.incident.opened.v1"):
    """Something went wrong beyond what may be put right without a person.

    `cause` is the reason in a sentence, `because` what led to it, `gathered` what was found out
    for whoever answers the call: a name and a finding each.
    """

    incident: Name
    title: Annotated[str, Field(min_length=1, max_length=300)]
    cause: Text
    severity: Literal["critical", "major", "minor"]
    chain: Name | None = None
    region: Region | None = None
    workload: Name | None = None
    because: Reasons = ()
    gathered: Annotated[Mapping[Name, Report], Field(max_length=32)] = Field(default_factory=dict)


class IncidentResolved(EventData, type="dev.crosswind.incident.resolved.v1"):
    """An incident is over."""

    incident: Name
    by: Name | None = None
    summary: Text


TYPES: tuple[type[EventData], ...] = (IncidentOpened, IncidentResolved)
