"""`crosswind report`: what would have been done, against what really happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import click

from crosswind.cli.data import DeployedData
from crosswind.cli.durations import DURATION, spoken
from crosswind.cli.faults import NOTHING, Failure
from crosswind.cli.options import works_with
from crosswind.cli.rehearsing import SHADOW
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from crosswind.cli.session import Session


@click.command(
    cls=Teaching,
    examples=[
        ("Of the history that was rehearsed last", "crosswind report --shadow"),
        ("Against what really happened", "crosswind report --shadow --actual outages.jsonl"),
        ("Of a fleet that is observed as it runs",
         "crosswind report --shadow --data .crosswind/crosswind.sqlite --since 7d"),
        ("Of a deployed app", "crosswind report --shadow --data aws:crosswind-ops --since 7d"),
        ("For programs", "crosswind report --shadow --json"),
    ],
)  # fmt: skip
@click.option(
    "--shadow",
    is_flag=True,
    required=True,
    help="What would have been done where everything is only observed.",
)
@click.option(
    "--actual",
    type=click.File("rb"),
    metavar="FILE",
    help="What really happened, one JSON object a line: region, began, ended, acted, note.",
)
@click.option(
    "--since",
    type=DURATION,
    default="30d",
    show_default=True,
    metavar="DURATION",
    help="How far back, where no history was rehearsed; of one all is told.",
)
@works_with("app", "data")
def report(session: Session, shadow: bool, actual: BinaryIO | None, since: float) -> None:
    """Print what would have been done, when, and at what cost, against what really happened.

    It is read from shadow.sqlite beside the default data file where a history was rehearsed
    (crosswind signal --history) and --data does not say otherwise; else from the data of a fleet
    that is observed as it runs.

    With --actual it says which outages would have been found, how soon, and how much earlier or
    later than people; which were missed and why; and which failovers had no outage. Each line of
    that file is {"region": "aws/us-east-1", "began": TIME, "ended": TIME, "acted": TIME}: `acted`
    is when people moved the traffic. Without it nothing can be compared, and that is said.
    """
    from crosswind.cli.output import text
    from crosswind.journal.shadow.actual import read_actual
    from crosswind.journal.shadow.markdown import markdown
    from crosswind.journal.shadow.report import report as build

    _choose(session)
    outages = None if actual is None else read_actual(actual)
    with session.output.progress("reading chains"):
        found = build(session.ledger, session.app, session.clock(), since, outages)
    if not found.observed.chains and found.account is None:
        raise Failure(
            f"no chain about a region is recorded of the last {spoken(since)}; rehearse past "
            "signals with: crosswind signal --history FILE",
            NOTHING,
        )
    session.output.document(found.as_json())
    for line in markdown(found):
        session.output.log(text(line, "bold" if line.startswith("#") else ""))


def _choose(session: Session) -> None:
    """Take the rehearsal beside the data, unless a file or a stack was named."""
    from dataclasses import replace

    sources = session.sources
    rehearsed = session.beside(SHADOW)
    chosen = "data" in sources.typed or isinstance(sources.data, DeployedData)
    if not chosen and rehearsed.is_file():
        session.sources = replace(sources, data=rehearsed)
