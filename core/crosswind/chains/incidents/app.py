"""The app that remembers incidents and tells people: once for each, however often it is met.

incident.opened -> opened; notified if it was not open before
deadletter that ended its chain -> incident.opened
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crosswind.app import App
from crosswind.chains.incidents.operations import OpenIncident
from crosswind.context import Context
from crosswind.operations.notification import Notify
from crosswind_events import Event
from crosswind_events.catalogue.deadletter import DeadLettered
from crosswind_events.catalogue.incident import IncidentOpened

app: Final = App("incidents")


@app.on(acts=[OpenIncident, Notify], aside=True)
def tell(event: Event[IncidentOpened], ctx: Context) -> None:
    """Open the incident, and notify people if it is a new one."""
    incident = event.data
    opened = ctx.act(
        OpenIncident(
            incident=incident.incident,
            title=incident.title,
            severity=incident.severity,
            chain=incident.chain,
            workload=incident.workload,
        )
    )
    if opened.new:
        ctx.act(Notify(title=f"{incident.severity}: {incident.title}"[:200], text=_text(incident)))


@app.on(aside=True)
def dead_letter(event: Event[DeadLettered], ctx: Context) -> Iterator[IncidentOpened]:
    """A chain that ended in a dead letter is an incident; a lost branch is its chain's business."""
    dead = event.data
    if dead.chain is None or "ended" not in event.extensions:
        return
    yield IncidentOpened(
        incident=f"dead-letter:{dead.chain}",
        title=f"{dead.handler or 'a handler'} gave up, and its chain with it"[:300],
        cause=dead.error[:2000] or "no error was given",
        severity="major",
        chain=dead.chain,
    )


def _text(incident: IncidentOpened) -> str:
    lines = [incident.cause]
    lines += [f"- {reason}" for reason in incident.because]
    lines += [f"- {name}: {finding}" for name, finding in incident.gathered.items()]
    if incident.chain:
        lines.append(f"chain {incident.chain}")
    return "\n".join(lines)[:4000]
