"""`crosswind fleet history`: which declarations were applied, when, by whom, and how that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from crosswind.cli.faults import NOTHING, Failure
from crosswind.cli.options import works_with
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from crosswind.cli.session import Session
    from crosswind.fleet.applications import Entry

STYLES: Final = {"applied": "green", "failed": "red"}

_SHOWN: Final = 20


@click.command(
    cls=Teaching,
    examples=[
        ("What was applied last comes first", "crosswind fleet history"),
        ("Return to one of them", "crosswind fleet rollback DIGEST"),
    ],
)
@click.option("--all", "everything", is_flag=True, help=f"All of it, not the last {_SHOWN}.")
@works_with("data", "fleet")
def history(session: Session, everything: bool) -> None:
    """Show which declarations were applied: when, by whom, what changed, and how it ended."""
    from crosswind.cli.standings import Standing

    entries = Standing(session).history[::-1]
    session.output.document([entry.model_dump(mode="json") for entry in entries])
    if not entries:
        raise Failure(f"no declaration of fleet {session.fleet.name} was applied yet", NOTHING)
    shown = entries if everything else entries[:_SHOWN]
    for entry in shown:
        _tell(session, entry)
    if len(shown) < len(entries):
        session.output.say(f"and {len(entries) - len(shown)} before; --all shows them", "dim")


def _tell(session: Session, entry: Entry) -> None:
    from crosswind.cli.output import text
    from crosswind.journal.trace import written

    outcome = entry.outcome or "under way"
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(entry.counts.items()))
    line = text(f"{entry.number} ", "dim").append(entry.digest[:12], "bold")
    line.append(f" {written(entry.at)} by ").append(text(entry.by))
    line.append(", a rollback" if entry.rollback else "").append(": ")
    line.append(outcome, STYLES.get(outcome, "yellow"))
    line.append(f" ({counts})" if counts else "")
    session.output.log(line)
    for change in entry.changes:
        session.output.say(f"  {change}")
    if entry.because and entry.outcome == "failed":
        session.output.say(f"  {entry.because}", "red")
