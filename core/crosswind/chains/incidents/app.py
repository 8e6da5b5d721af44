"""The app that remembers incidents and tells people: once for each, however often it is met.

incident.opened -> remembered; notified if it was not open before, or is graver now
incident.resolved -> remembered as over
deadletter that ended its chain -> incident.opened
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from crosswind.app import App
from crosswind.chains.incidents.operations import (
    Findings,
    Opened,
    OpenIncident,
    OpenIncidents,
    ResolveIncident,
)
from crosswind.context import Context, Lock
from crosswind.operations.notification import Notify
from crosswind_events import Event
from crosswind_events.catalogue.deadletter import DeadLettered
from crosswind_events.catalogue.incident import IncidentOpened, IncidentResolved

app: Final = App("incidents")

_REGION: Final = re.compile(r"region:((?:aws|gcp|azure)/[a-z0-9-]+)")
"""The incident of a region has its name: chains about a region hold it under flight `region`."""

_NAME: Final = 256


@app.on(acts=[OpenIncident, Notify], aside=True)
def tell(event: Event[IncidentOpened], ctx: Context) -> None:
    """Remember the incident, and notify people if it is a new one or has grown graver."""
    incident = event.data
    named = _REGION.fullmatch(incident.incident)
    opened = ctx.act(
        OpenIncident(
            incident=incident.incident,
            title=incident.title,
            severity=incident.severity,
            cause=incident.cause,
            chain=incident.chain,
            region=incident.region or (named[1] if named else None),
            workload=incident.workload,
        )
    )
    if opened.new or opened.raised:
        raised = "" if opened.new else "raised to "
        title = f"{raised}{incident.severity}: {incident.title}"
        ctx.act(Notify(title=title[:200], text=_text(incident, opened)))


@app.on(reads=[OpenIncidents], acts=[ResolveIncident], aside=True)
def close(event: Event[IncidentResolved], ctx: Context) -> None:
    """Remember that an incident is over, unless whoever says so has done it already."""
    name = event.data.incident
    known = ctx.observe(OpenIncidents(prefix=name)).incidents
    if any(one.incident == name for one in known):
        ctx.act(ResolveIncident(incident=name, because=event.data.summary, by=event.data.by))


@app.on(aside=True)
def dead_letter(event: Event[DeadLettered], ctx: Context) -> Iterator[IncidentOpened]:
    """A chain that ended in a dead letter is an incident; a lost branch is its chain's business.

    Nor is one what failed after the end of a chain that ended otherwise: a notifier. Least of all
    are the handlers here, which would tell for ever that they cannot tell; `crosswind incident
    list` shows from the journal what they could not.
    """
    dead = event.data
    if dead.chain is None or event.extensions.get("ended") != "failed" or dead.handler in _OWN:
        return
    handler = dead.handler or "a handler"
    name = _trouble(dead, event.subject, ctx.lock)
    region = _REGION.fullmatch(name)
    yield IncidentOpened(
        incident=name,
        title=f"{handler} gave up, and its chain has failed"[:300],
        cause=dead.error[:2000] or "no error was given",
        severity="major",
        chain=dead.chain,
        region=region[1] if region else None,
        because=(
            f"{dead.failed_type or 'an event'} was tried {max(dead.attempts, 1)} time(s)",
            "what was wrong is to be mended; then the run can be tried again: crosswind dlq list",
        ),
        gathered={
            name: text
            for name, text in (
                ("handler", dead.handler),
                ("run", dead.run),
                ("event", dead.event_id),
                ("event type", dead.failed_type),
                ("error", dead.error),
            )
            if text
        },
    )


def _trouble(dead: DeadLettered, subject: str | None, lock: Lock | None) -> str:
    """What the trouble is called: the same that dies again and again is one incident.

    A chain that holds a target is about that target, whichever of its handlers has failed.
    """
    if lock is not None:
        return f"{lock.flight}:{lock.target}"[:_NAME]
    handler = dead.handler or "unknown"
    scheduled = subject is not None and subject.rpartition(":")[0] == handler.rpartition(":")[0]
    about = f":{subject}" if subject and not scheduled else ""
    return f"handler:{handler}{about}"[:_NAME]


def _text(incident: IncidentOpened, opened: Opened) -> str:
    lines = [incident.cause]
    lines += [f"- {reason}" for reason in incident.because]
    lines += [f"- {name}: {finding}" for name, finding in incident.gathered.items()]
    lines += _references(opened.findings)
    if incident.chain:
        lines.append(f"chain {incident.chain}")
    lines.append(f"crosswind incident show {incident.incident}")
    return "\n".join(lines)[:4000]


def _references(found: Findings) -> Iterator[str]:
    for heard in found.evidence[-3:]:
        at = datetime.fromtimestamp(heard.at, UTC).isoformat(timespec="seconds")
        yield f"- seen: {heard.kind} of {heard.region} at {at}: {heard.reason}"
    for plan in found.plans[-3:]:
        yield f"- plan {plan.plan} of {plan.workload}, attempt {plan.attempt}: {plan.chosen}"
    for kind, words in (
        ("refused", found.refused),
        ("gave up", found.gave_up),
        ("waits", found.waits),
    ):
        for one in words[-3:]:
            yield f"- {kind}: {one}"


_OWN: Final = frozenset(handler.name for handler in app.handlers)
