"""`crosswind chains`: which chains there are."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from crosswind.cli.durations import DURATION, spoken
from crosswind.cli.faults import NOTHING
from crosswind.cli.options import works_with
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from crosswind.cli.session import Session
    from crosswind.journal.listing import Summary

_STYLES = {"open": "yellow", "queued": "yellow", "dropped": "dim", "idle": "dim"}
_OUTCOMES = {"completed": "green", "failed": "bold red", "stalled": "bold red"}


@click.command(
    cls=Teaching,
    examples=[
        ("The chains of the last day, newest first", "crosswind chains"),
        ("What is still going on, of a week", "crosswind chains --open --since 7d"),
        ("For programs", "crosswind chains --json"),
    ],
)
@click.option("--open", "only_open", is_flag=True, help="Only what is going on or waits.")
@click.option("--ticks", is_flag=True, help="Also those that the tick of a schedule began.")
@click.option(
    "--since",
    type=DURATION,
    default="1d",
    show_default=True,
    metavar="DURATION",
    help="How old the first event may be.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="At most so many, the newest.",
)
@works_with("app", "data")
def chains(session: Session, only_open: bool, ticks: bool, since: float, limit: int) -> None:
    """List chains: state, outcome, age, what they are about, and what began them.

    A chain is all that descends from one first event. Its id may be shortened wherever it stays
    unique.
    """
    from crosswind.cli.publishing import summary_as_json
    from crosswind.journal.listing import list_chains, summarize

    now = session.clock()
    with session.output.progress("reading chains"):
        found = (
            summarize(session.ledger, listed, session.app, now)
            for listed in list_chains(session.ledger, now, since, ticks=ticks)
        )
        wanted = (one for one in found if not only_open or one.state in ("open", "queued"))
        summaries = list(islice(wanted, limit + 1))
    if len(summaries) > limit:
        summaries = summaries[:limit]
        session.output.notice(f"only the newest {limit} are listed; --limit shows more")
    session.output.document([summary_as_json(summary) for summary in summaries])
    if not summaries:
        what = "open chain" if only_open else "chain"
        session.output.notice(f"no {what} of the last {spoken(since)} is recorded")
        raise click.exceptions.Exit(NOTHING)
    session.output.show(_table(summaries, now))
    session.output.say(session.hint(f"trace {summaries[0].chain[:8]}"), "cyan")


def _table(summaries: list[Summary], now: float) -> Any:
    from rich import box
    from rich.table import Table

    from crosswind.cli.output import text
    from crosswind.graph.model import short

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("chain", "state", "outcome", "age", "took", "about", "began with", "waits for"):
        table.add_column(name, overflow="fold", no_wrap=name in ("chain", "age", "took"))
    for one in summaries:
        outcome = text(one.outcome or "", _OUTCOMES.get(one.outcome or "", ""))
        if one.simulated:
            outcome.append(" (simulated)", "magenta")
        took = "" if one.closed is None else spoken(one.closed - one.opened)
        table.add_row(
            text(one.chain[:8], "cyan"),
            text(one.state, _STYLES.get(one.state, "")),
            outcome,
            spoken(now - one.opened),
            took,
            text(one.target or ""),
            text(short(one.type)),
            text(one.waits[:60], "dim"),
        )
    return table
