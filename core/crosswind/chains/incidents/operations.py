"""Actions on incidents and the query for those that are open."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from crosswind.actions import Action, Answer, Query

Name = Annotated[str, Field(min_length=1, max_length=256)]


class Incident(Answer):
    """An incident that is open; `since` is in seconds since the epoch."""

    incident: str
    title: str
    severity: str
    since: float
    chain: str | None = None


class Opened(Answer):
    """The incident as it stands; `new` is False where it was open already."""

    incident: Incident
    new: bool


class OpenIncident(Action[Opened], kind="incident.open"):
    """Remember an incident, unless it is open already; allowed after the chain has closed.

    Args:
        incident: its name; the same trouble has the same name.
        chain: the chain that met it.
    """

    after_close: ClassVar[bool] = True

    incident: Name
    title: Annotated[str, Field(min_length=1, max_length=300)]
    severity: Name
    chain: Name | None = None
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
    """Remember that an incident is over; allowed after the chain has closed."""

    after_close: ClassVar[bool] = True

    incident: Name
    because: Annotated[str, Field(max_length=2000)] = ""

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
