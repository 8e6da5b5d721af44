"""`crosswind incident`: what a person must look at, and the review of what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from crosswind.cli.durations import DURATION, spoken
from crosswind.cli.faults import NO, NOTHING, Failure
from crosswind.cli.options import performing, working, works_with
from crosswind.cli.teaching import Family, Teaching

if TYPE_CHECKING:
    from crosswind.cli.session import Session
    from crosswind.journal.review.incidents import Found

_STATES = {"open": "bold red", "untold": "bold red", "observed": "magenta", "resolved": "green"}
_SEVERITIES = {"critical": "bold red", "major": "yellow", "minor": ""}

_SINCE = click.option(
    "--since",
    type=DURATION,
    default="30d",
    show_default=True,
    metavar="DURATION",
    help="How long ago it may have been met; what is open is always listed.",
)


@click.group(cls=Family)
def incident() -> None:
    """Incidents: what a person must look at, and the review of what happened."""


@incident.command(
    "list",
    cls=Teaching,
    examples=[
        ("Open ones first, then those of the last month", "crosswind incident list"),
        ("What is open now in one region", "crosswind incident list --open --region aws/us-east-1"),
        ("For programs", "crosswind incident list --since 7d --json"),
    ],
)
@click.option("--open", "only_open", is_flag=True, help="Only those that are not over.")
@click.option("--region", metavar="REGION", help="Only those of one region.")
@_SINCE
@works_with("app", "data")
def list_(session: Session, only_open: bool, region: str | None, since: float) -> None:
    """List incidents: those that are open first, the gravest of them at the top.

    An incident is opened once for each trouble, however often it is met. `observed` is one that
    would have been opened if its chain had not only been observed; `untold` one whose handler gave
    up or waits.
    """
    from crosswind.journal.review.story import incident_as_json

    with session.output.progress("reading incidents"):
        found = [
            one
            for one in _all(session, since, region)
            if not only_open or one.state in ("open", "untold")
        ]
    session.output.document([incident_as_json(one) for one in found])
    if not found:
        what = "incident is open" if only_open else f"incident of the last {spoken(since)}"
        where = f" in {region}" if region else ""
        session.output.notice(f"no {what}{where}")
        raise click.exceptions.Exit(NOTHING)
    session.output.show(_table(found, session.clock()))
    session.output.say(session.hint(f"incident show {found[0].id[:8]}"), "cyan")


@incident.command(
    cls=Teaching,
    examples=[
        ("The review, as Markdown", "crosswind incident show ID"),
        ("Of what is or was the trouble of a region", "crosswind incident show aws/us-east-1"),
        ("Into a file", "crosswind incident show ID > review.md"),
        ("For programs", "crosswind incident show ID --json"),
    ],
)
@click.argument("id")
@_SINCE
@works_with("app", "data")
def show(session: Session, id: str, since: float) -> None:
    """Print the review of an incident: seen, decided, done, how long, not known, to improve.

    ID is that of the list or the beginning of it, the incident's name, or its region. The review is
    read from the journal alone, over all chains of the same trouble: the failover, its relapse, the
    way back. What the journal does not hold is not said.
    """
    from crosswind.cli.output import text
    from crosswind.journal.review.markdown import markdown
    from crosswind.journal.review.story import review

    with session.output.progress("reading the journal"):
        found = _all(session, since)
        one = _find(found, id, since)
        told = review(session.ledger, session.app, one, session.clock(), found)
    session.output.document(told.as_json())
    for line in markdown(told):
        session.output.log(text(line, "bold" if line.startswith("#") else ""))


@incident.command(
    cls=Teaching,
    examples=[
        ("Say that it is over, and how",
         "crosswind incident resolve ID --reason 'the quota was raised'"),
    ],
)  # fmt: skip
@click.argument("id")
@click.option("--reason", default="", help="How it ended; it is what the review will read.")
@_SINCE
@working
@performing
def resolve(
    session: Session, id: str, reason: str, since: float, no_work: bool, wait: float
) -> None:
    """Close an incident that did not close by itself.

    The chains close the incidents of their region when its traffic has moved, or is back. Others,
    such as a broken glass, stay open until a person has looked at them.
    """
    from datetime import UTC, datetime

    from crosswind.cli import publishing
    from crosswind.records.identity import name_id
    from crosswind_events import Event
    from crosswind_events.catalogue.incident import IncidentResolved

    if not reason.strip():
        raise Failure("say how it ended, such as: --reason 'the quota was raised'")
    one = _find(_all(session, since), id, since)
    if one.state != "open":
        raise Failure(f"incident {one.id[:8]} is not open, it is {one.state}", NO)
    now, who = session.clock(), session.operator
    event = Event.of(
        IncidentResolved(incident=one.name, by=who, summary=reason.strip()[:2000]),
        id=name_id("resolved", one.id, who, now),
        source=session.app.source,
        time=datetime.fromtimestamp(now, UTC),
        subject=one.region or one.name,
    )
    publishing.publish(session, [event], work=not no_work, wait=wait)


def _all(session: Session, since: float, region: str | None = None) -> list[Found]:
    """The incidents of every fleet in the data file, or of the fleet of the stack."""
    from crosswind.chains.incidents.kept import PARTITION
    from crosswind.journal.review.incidents import incidents

    fleets = [name.removeprefix(PARTITION) for name in session.partitions(PARTITION)]
    return incidents(session.ledger, fleets, session.clock(), since, region=region)


def _find(found: list[Found], given: str, since: float) -> Found:
    from crosswind.journal.review.incidents import NoSuchIncident, find_incident

    try:
        return find_incident(found, given)
    except NoSuchIncident as error:
        raise Failure(
            f"{error}, of those that are open or of the last {spoken(since)}; --since looks "
            "further back, and crosswind incident list shows what there is",
            NOTHING,
        ) from error


def _table(found: list[Found], now: float) -> Any:
    from rich import box
    from rich.table import Table

    from crosswind.cli.output import text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("id", "state", "severity", "since", "lasted", "met", "where", "what"):
        table.add_column(name, overflow="fold", no_wrap=name in ("id", "since", "lasted", "met"))
    for one in found:
        lasted = "" if one.until is None else spoken(one.until - one.since)
        table.add_row(
            text(one.id[:8], "cyan"),
            text(one.state, _STATES[one.state]),
            text(one.severity, _SEVERITIES.get(one.severity, "")),
            f"{spoken(now - one.since)} ago",
            lasted,
            f"{one.times}x",
            text(one.region or ", ".join(one.workloads)),
            text(one.title),
        )
    return table
