"""`crosswind replay`: what today's code and fleet would decide on a recorded chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from crosswind.cli.completing import complete_chain
from crosswind.cli.faults import NO, NOTHING, Failure
from crosswind.cli.options import works_with
from crosswind.cli.output import text
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from crosswind.cli.session import Session
    from crosswind.fleet.declaration import Fleet
    from crosswind.journal.chain import Chain
    from crosswind.journal.replay import Replayed

_VERDICTS = {"same": "green", "differs": "bold red", "unknown": "yellow", "skipped": "dim"}


@click.command(
    cls=Teaching,
    examples=[
        ("Would today's code and fleet decide the same?", "crosswind replay CHAIN"),
        ("Would another policy?", "crosswind replay CHAIN --fleet stricter.yaml"),
        ("Would another version of the code, under the fleet of then?",
         "crosswind replay CHAIN --app policy:app --recorded-fleet"),
    ],
)  # fmt: skip
@click.argument("chain", shell_complete=complete_chain)
@click.option("--run", metavar="RUN", help="Only this run, by the beginning of its key.")
@click.option(
    "--recorded-fleet",
    is_flag=True,
    help="Replay under the fleet as it was declared then, so that only the code differs.",
)
@works_with("app", "data", "fleet")
def replay(session: Session, chain: str, run: str | None, recorded_fleet: bool) -> None:
    """Give recorded runs to today's code, and show where it would decide otherwise.

    Nothing is written, published, asked or done: what was observed then is given back, and so are
    the results of actions. Where the code asks for something else the run ends, as nobody knows
    what the answer would have been. Exit code 1 says that something would be decided otherwise.
    """
    from crosswind.cli.tracing import read
    from crosswind.journal.replay import as_json, replay_chain

    stored = read(session, chain)
    recorded = None
    if recorded_fleet or session.declared_path is None:
        if not recorded_fleet:
            session.output.notice("no fleet is declared here; this is under the fleet of then")
        recorded = _recorded(session, stored)
    fleet = session.fleet if recorded is None else None
    result = replay_chain(stored, session.app, fleet, run=run, recorded=recorded)
    session.output.document(as_json(result))
    if not result.runs:
        which = f"run {run}" if run is not None else "run"
        raise Failure(f"chain {stored.id} has no {which}", NOTHING)
    for one in result.runs:
        _show(session, one)
    counts = {verdict: sum(one.verdict == verdict for one in result.runs) for verdict in _VERDICTS}
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    session.output.say(f"chain {stored.id[:8]}, {len(result.runs)} run(s): {told}")
    if result.differs:
        raise click.exceptions.Exit(NO)


def _recorded(session: Session, chain: Chain) -> dict[str, Fleet]:
    """The fleets under which the runs of the chain decided, by digest."""
    from crosswind.journal.fleets import declared_as, digests

    partitions = session.partitions("fleet:")
    return {digest: declared_as(session.ledger, digest, partitions) for digest in digests(chain)}


def _show(session: Session, one: Replayed) -> None:
    from crosswind.graph.model import short

    line = text(f"{one.run[:8]} ", "dim").append(text(one.handler, "blue"))
    line.append(text(f" on {short(one.event)}  ")).append(one.verdict, _VERDICTS[one.verdict])
    if one.why:
        line.append(text(f": {one.why}"))
    session.output.show(line)
    for row in one.difference:
        style = {"+": "green", "-": "red", "@": "cyan"}.get(row[:1], "dim")
        session.output.say(f"    {row}", style)
