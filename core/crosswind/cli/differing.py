"""`crosswind fleet diff`: declared against intended against actual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import click

from crosswind.cli.durations import spoken
from crosswind.cli.faults import NO
from crosswind.cli.options import works_with
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from rich.table import Table

    from crosswind.cli.session import Session
    from crosswind.cli.standings import Standing
    from crosswind.fleet.differences import Amounts, Row

MEANING: Final = {
    "failover": ("yellow", "a failover or its way back has it in hand; nothing is to be done"),
    "plan": ("yellow", "another plan is under way"),
    "change": ("cyan", "the declaration says otherwise: crosswind fleet apply"),
    "left": ("cyan", "a plan has moved it, and nothing has brought it back: crosswind fleet apply"),
    "drift": ("red", "the world is not as intended; the drift chain asserts it again"),
    "undeclared": ("magenta", "the register holds it, the declaration does not"),
}
"""What each kind of difference means, and its style."""


@click.command(
    cls=Teaching,
    examples=[
        ("Where declaration, register and world differ", "crosswind fleet diff"),
        ("All of it, also what agrees", "crosswind fleet diff --all"),
        ("For programs; exit code 1 says that something differs", "crosswind fleet diff --json"),
    ],
)
@click.option("--all", "everything", is_flag=True, help="Also show what agrees.")
@works_with("data", "fleet", "world", "performers")
def diff(session: Session, everything: bool) -> None:
    """Show where what is declared, what is intended and what is there differ, and why.

    Three columns for shares and three for replicas: declared (the file), intended (the register),
    actual (the world). Only reads. Exit code 1 says that something differs.
    """
    from crosswind.cli.standings import Standing, different

    standing = Standing(session)
    found = different(standing.rows)
    session.output.document(_as_json(standing))
    _tell(session, standing)
    shown = standing.rows if everything else found
    if shown:
        session.output.show(table(shown))
    kinds: Counter[str] = Counter(kind for row in found for kind in row.kinds)
    for kind, (style, meaning) in MEANING.items():
        if kinds[kind]:
            session.output.say(f"{kind}: {meaning}", style)
    for line in dict.fromkeys(f"{row.workload}: {row.because}" for row in found if row.because):
        session.output.say(f"  {line}")
    for workload, why in _silent(standing):
        session.output.notice(f"{workload}: {why}")
    if not found:
        session.output.say("nothing differs", "green")
        return
    raise click.exceptions.Exit(NO)


def table(rows: Iterable[Row]) -> Table:
    """Shares and replicas, each as declared, as intended and as they are."""
    from rich import box
    from rich.table import Table

    from crosswind.cli.output import text

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("workload", overflow="fold")
    made.add_column("region", no_wrap=True)
    for name in ("share", "intended", "actual", "replicas", "intended", "actual"):
        made.add_column(name, justify="right")
    made.add_column("difference", overflow="fold")
    before = ""
    for row in rows:
        style = MEANING[row.kinds[0]][0] if row.kinds else ""
        columns = (row.declared, row.intended, row.actual)
        made.add_row(
            text("" if row.workload == before else row.workload, "bold"),
            text(row.region),
            *(text(_share(one), style) for one in columns),
            *(text(_count(one), style) for one in columns),
            text(", ".join(row.kinds), style),
        )
        before = row.workload
    return made


def _share(amounts: Amounts | None) -> str:
    if amounts is None:
        return "-"
    return "?" if amounts.weight is None else f"{amounts.weight:.0%}"


def _count(amounts: Amounts | None) -> str:
    if amounts is None:
        return "-"
    return "?" if amounts.replicas is None else str(amounts.replicas)


def _tell(session: Session, standing: Standing) -> None:
    """Which declaration is looked at, and which was applied last."""
    from crosswind.fleet.changes import changes

    fleet, last = standing.fleet, standing.last
    declared = session.declared
    where = "the demonstration" if declared.path is None else str(declared.path)
    session.output.say(f"fleet {fleet.name} ({where}), declaration {fleet.digest[:12]}")
    if last is None:
        session.output.say("no declaration was applied yet")
        return
    ago = spoken(max(0.0, session.clock() - last.at))
    outcome = last.outcome or "under way"
    session.output.say(f"last applied: {last.digest[:12]} by {last.by}, {ago} ago: {outcome}")
    before = standing.declaration(last.digest)
    if last.digest != fleet.digest and before is not None:
        for line in changes(before, fleet):
            session.output.say(f"  {line}")


def _silent(standing: Standing) -> list[tuple[str, str]]:
    """Of whom the world says nothing; in one line where it is the same of all."""
    reasons = set(standing.silent.values())
    if len(reasons) == 1 and len(standing.silent) > 1:
        return [(f"{len(standing.silent)} workloads", reasons.pop())]
    return list(standing.silent.items())


def _as_json(standing: Standing) -> dict[str, Any]:
    from crosswind.cli.standings import different

    last = standing.last
    found = different(standing.rows)
    return {
        "fleet": standing.fleet.name,
        "digest": standing.fleet.digest,
        "applied": None if last is None else last.model_dump(mode="json"),
        "differs": bool(found),
        "kinds": dict(Counter(kind for row in found for kind in row.kinds)),
        "rows": [
            {
                "workload": row.workload,
                "region": row.region,
                "declared": _pair(row.declared),
                "intended": _pair(row.intended),
                "actual": _pair(row.actual),
                "kinds": list(row.kinds),
                "because": row.because,
            }
            for row in standing.rows
        ],
        "unknown": standing.silent,
    }


def _pair(amounts: Amounts | None) -> dict[str, Any] | None:
    return None if amounts is None else amounts._asdict()
