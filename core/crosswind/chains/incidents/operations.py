"""Actions on incidents and the query for those that are open."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import Field

from crosswind.actions import Action, Answer, Query
from crosswind_events import Part, Region

Name = Annotated[str, Field(min_length=1, max_length=256)]
Because = Annotated[str, Field(max_length=2000)]

SEVERITIES: Final = ("minor", "major", "critical")
"""From the least to the gravest; an open incident may rise and never falls."""


class Heard(Part):
    """One piece of evidence, by the event that gave it; `at` is in seconds since the epoch."""

    event: str
    source: str
    kind: str
    region: str
    at: float
    reason: str


class Planned(Part):
    """One accepted plan, and what was chosen for it."""

    plan: str
    workload: str
    attempt: int
    chosen: str


class Findings(Answer):
    """What the journal of a chain held when an incident was opened: where to look.

    Attributes:
        chain: None where nothing of a chain was to be found.
        evidence: the newest pieces.
        plans: the newest plans.
        refused: actions that were not taken, and who said so.
        gave_up: runs that failed for the last time, with their last error.
        waits: what it was waiting for.
        more: how much was left out.
    """

    chain: str | None = None
    evidence: tuple[Heard, ...] = ()
    plans: tuple[Planned, ...] = ()
    refused: tuple[str, ...] = ()
    gave_up: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    more: int = 0


class Incident(Answer):
    """An incident that is open.

    Attributes:
        since: when it was opened, seconds since the epoch.
        latest, told: the title under which it was met last, and when that was.
    """

    incident: str
    title: str
    severity: str
    since: float
    chain: str | None = None
    latest: str = ""
    told: float | None = None


class Opened(Answer):
    """The incident as it stands.

    Attributes:
        new: False where it was open already.
        raised: it was open, and is graver now than it was.
        findings: what the journal of the chain held when this was told.
    """

    incident: Incident
    new: bool
    raised: bool = False
    findings: Findings = Findings()


class OpenIncident(Action[Opened], kind="incident.open"):
    """Remember an incident, or that an open one was met again; allowed after the chain has closed.

    Args:
        incident: its name; the same trouble has the same name.
        cause: the reason in a sentence.
        chain: the chain that met it.
        region: where, if it is the trouble of one region.
    """

    after_close: ClassVar[bool] = True

    incident: Name
    title: Annotated[str, Field(min_length=1, max_length=300)]
    severity: Name
    cause: Because = ""
    chain: Name | None = None
    region: Region | None = None
    workload: Name | None = None

    def assumed(self) -> Opened:
        """As if it were new."""
        found = Incident(
            incident=self.incident,
            title=self.title,
            severity=self.severity,
            since=0.0,
            chain=self.chain,
        )
        return Opened(incident=found, new=True)

    def summary(self) -> str:
        """One line."""
        return f"open incident {self.incident}: {self.title}"


class Resolved(Answer):
    """Whether it was open until now."""

    was_open: bool


class ResolveIncident(Action[Resolved], kind="incident.resolve"):
    """Remember that an incident is over; allowed after the chain has closed.

    Args:
        because: how it ended.
        by: the person who says so, where it is one.
    """

    after_close: ClassVar[bool] = True

    incident: Name
    because: Because = ""
    by: Name | None = None

    def assumed(self) -> Resolved:
        """As if it had not been open."""
        return Resolved(was_open=False)

    def summary(self) -> str:
        """One line."""
        return f"resolve incident {self.incident}"


class Incidents(Answer):
    """Open incidents, by name; at most 100."""

    incidents: tuple[Incident, ...]


class OpenIncidents(Query[Incidents], kind="incident.list"):
    """The incidents that are open, of which the name is `prefix` or goes on after it with `:`."""

    prefix: Annotated[str, Field(max_length=256)] = ""
