"""`crosswind fleet apply` and `crosswind fleet rollback`: the world converges to a declaration.

What is to be done is shown first, and asked for. Then an event goes out: all that changes the
register or the world is done by the chain that takes it, through the gate.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from crosswind.cli.faults import LATER, NO, NOTHING, Failure
from crosswind.cli.options import performing, working
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from rich.table import Table

    from crosswind.cli.session import Session
    from crosswind.cli.standings import Standing
    from crosswind.fleet.declaration import Fleet
    from crosswind_events import Event

NAMED: Final = 200
"""Workloads that an event names one by one; where it is more, all of the declaration is meant."""


class Intention(NamedTuple):
    """What applying would do to one workload.

    Attributes:
        before, after: (share, replicas) by region, as intended now and then.
        note: why it is not all that is declared, or that nothing is recorded of it yet.
        acts: whether it is to be looked at by the chain at all.
    """

    workload: str
    before: dict[str, tuple[float, int]]
    after: dict[str, tuple[float, int]]
    note: str
    acts: bool


@click.command(
    cls=Teaching,
    examples=[
        ("See what would be done, and be asked", "crosswind fleet apply"),
        ("Without being asked, and wait for the steps", "crosswind fleet apply --yes --wait 5m"),
    ],
)
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
@working
@performing
def apply(session: Session, yes: bool, no_work: bool, wait: float) -> None:
    """Bring the register and the world to the declaration, through the gate.

    Replicas come first, then traffic moves in the declared steps, each of them judged; what harms
    is taken back. What a failover has in hand stays as it is. Exit code 1: it was refused or has
    failed; 4: it is not done yet.
    """
    _apply(session, session.own_fleet, yes, no_work, wait)


@click.command(
    cls=Teaching,
    examples=[
        ("Return to the declaration before", "crosswind fleet rollback"),
        ("Return to one of the history", "crosswind fleet rollback DIGEST"),
    ],
)
@click.argument("digest", required=False)
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
@working
@performing
def rollback(
    session: Session,
    digest: str | None,
    yes: bool,
    no_work: bool,
    wait: float,
) -> None:
    """Apply an earlier declaration again, by the way that `crosswind fleet apply` goes.

    DIGEST is the beginning of that of a declaration in the history; unless given, the one before
    the last that was applied. Placements are brought back; modes, limits and rules are those of the
    file, which is not changed: put it back as well, or the next apply applies it again.
    """
    from crosswind.cli.standings import Standing

    assert session.own_fleet  # says at once where none is declared
    earlier = _earlier(Standing(session), digest)
    _apply(session, earlier, yes, no_work, wait, rollback=True)


def _apply(
    session: Session,
    target: Fleet,
    yes: bool,
    no_work: bool,
    wait: float,
    rollback: bool = False,
) -> None:
    from crosswind.cli.standings import Standing
    from crosswind.fleet.changes import changes

    _check_deployed(session)
    standing = Standing(session)
    before = None if standing.last is None else standing.declaration(standing.last.digest)
    lines = () if before == target else changes(before, target)
    intentions = [_intention(standing, target, name) for name in target.workloads]
    acts = [one for one in intentions if one.acts]
    _show(session, target, lines, intentions)
    if not acts and before == target:
        session.output.document({"digest": target.digest, "applied": False, "workloads": []})
        session.output.say("nothing is to be done", "green")
        return
    if not yes:
        _ask(session.own_fleet.name, target, len(acts), rollback)
    names = [one.workload for one in acts]
    event = _event(session, standing, target, names, lines, rollback)
    _publish(session, event, target, intentions, no_work, wait)


def _check_deployed(session: Session) -> None:
    """Demand that a stack has the declaration of the file, by whose rules its functions go.

    Raises:
        Failure: it has another.
    """
    own = session.own_fleet
    if session.desk is not None and session.desk.about.declared != own.digest:
        raise Failure(
            f"{session.desk.about.place} has another declaration than {session.declared_path}; "
            "deploy this one first: crosswind package, then crosswind stack apply",
            NO,
        )


def _intention(standing: Standing, target: Fleet, workload: str) -> Intention:
    """What the chain would do, as far as can be seen from here."""
    from crosswind.fleet.applications import Placed
    from crosswind.fleet.comparison import drift
    from crosswind.fleet.convergence import aim, division
    from crosswind.fleet.state import WorkloadState

    spec = target.workloads[workload]
    state, seen = standing.register.get(workload), standing.world.get(workload)
    note, acts = "", False
    if state is None:
        note, acts = "is recorded from now on", True
        there = seen.weights if seen and seen.weights and division(seen.weights) else spec.weights
        replicas = {**spec.replicas, **(seen.replicas if seen else {})}
        state = WorkloadState(weights=there, capacity=replicas)
    elif seen is not None and state.moving is None:
        differs = drift(state, (), standing.regions, seen)
        if differs:
            note, acts = f"is asserted again: {differs}", True
    goal = aim(Placed(weights=spec.weights, replicas=spec.replicas), state, standing.regions)
    if goal.held:
        note = f"stays as far as {goal.held}"
    return Intention(
        workload=workload,
        before=_amounts(state.weights, state.capacity),
        after=_amounts(goal.weights, goal.replicas),
        note=note,
        acts=acts or goal.changes,
    )


def _amounts(weights: Any, replicas: Any) -> dict[str, tuple[float, int]]:
    return {r: (weights.get(r, 0.0), replicas.get(r, 0)) for r in {**weights, **replicas}}


def _show(
    session: Session, target: Fleet, lines: Sequence[str], intentions: Sequence[Intention]
) -> None:
    output = session.output
    output.say(f"declaration {target.digest[:12]} of fleet {target.name}", "bold")
    for line in lines:
        output.say(f"  {line}")
    shown = [one for one in intentions if one.acts or one.note]
    if shown:
        output.show(_table(shown))


def _table(intentions: Sequence[Intention]) -> Table:
    from rich import box
    from rich.table import Table

    from crosswind.cli.output import text

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("workload", "region", "share", "replicas", "note"):
        made.add_column(name, overflow="fold")
    for one in intentions:
        name, note = one.workload, one.note
        for region in {**one.before, **one.after}:
            (share, count), (then, more) = (
                one.before.get(region, (0.0, 0)),
                one.after.get(region, (0.0, 0)),
            )
            made.add_row(
                text(name, "bold"),
                text(region),
                _arrow(f"{share:.0%}", f"{then:.0%}"),
                _arrow(str(count), str(more)),
                text(note, "yellow"),
            )
            name = note = ""
    return made


def _arrow(before: str, after: str) -> Any:
    from crosswind.cli.output import text

    return text(before) if before == after else text(f"{before} -> {after}", "cyan")


def _ask(fleet: str, target: Fleet, count: int, rollback: bool) -> None:
    """Ask the person at the terminal; goes on only after a yes."""
    if not sys.stdin.isatty():
        raise Failure("nobody can be asked here; look at what would be done, then give --yes")
    verb = "Return to" if rollback else "Apply"
    what = f"{verb} declaration {target.digest[:12]} on fleet {fleet}, {count} workload(s)?"
    click.confirm(what, abort=True, err=True)


def _earlier(standing: Standing, digest: str | None) -> Fleet:
    """The declaration of the history that is meant.

    Raises:
        Failure: there is none, or several are.
    """
    history, last = standing.history, standing.last
    if last is None:
        raise Failure("no declaration was applied yet, so there is none to return to", NOTHING)
    found = dict.fromkeys(
        entry.digest
        for entry in reversed(history)
        if (
            entry.digest.startswith(digest.lower())
            if digest is not None
            else entry.digest != last.digest and entry.outcome == "applied"
        )
    )
    if not found:
        which = f"begins with {digest}" if digest is not None else "was applied before"
        raise Failure(f"no declaration {which}; see: crosswind fleet history", NOTHING)
    if digest is not None and len(found) > 1:
        listed = ", ".join(one[:12] for one in found)
        raise Failure(f"several declarations begin with {digest}: {listed}")
    chosen = next(iter(found))
    kept = standing.declaration(chosen)
    if kept is None:
        raise Failure(f"declaration {chosen[:12]} is no longer kept", NOTHING)
    return kept


def _event(
    session: Session,
    standing: Standing,
    target: Fleet,
    names: Sequence[str],
    lines: Sequence[str],
    rollback: bool,
) -> Event[Any]:
    from crosswind.records.identity import name_id
    from crosswind_events import Event
    from crosswind_events.catalogue.fleet import ApplyRequested

    now, who, fleet = session.clock(), session.operator, session.own_fleet.name
    many = len(names) > NAMED
    asked = ApplyRequested(
        fleet=fleet,
        digest=target.digest,
        previous=None if standing.last is None else standing.last.digest,
        by=who,
        rollback=rollback,
        workloads=() if many else tuple(sorted(names)),
        everything=many,
        summary=tuple(line[:2000] for line in lines),
    )
    return Event.of(
        asked,
        id=name_id("apply", fleet, target.digest, who, now),
        source=session.app.source,
        time=datetime.fromtimestamp(now, UTC),
        subject=fleet,
    )


def _publish(
    session: Session,
    event: Event[Any],
    target: Fleet,
    intentions: Sequence[Intention],
    no_work: bool,
    wait: float,
) -> None:
    """Publish the request, work what is due, and say what came of it."""
    from crosswind.cli.publishing import chains_of, check, standing, summary_as_json, told
    from crosswind.cli.working import Working
    from crosswind.engine import emit

    check(session, [event])
    session.engine.runtime.declared(None)
    working = Working(session)
    session.engine.outbox.publish([emit.pack(session.app, event)])
    if not no_work:
        working.what_is_due(wait)
    (chain,) = chains_of(session, [event])
    summary = standing(session, chain)
    session.output.document(
        {
            "digest": target.digest,
            "applied": summary is not None and summary.outcome == "applied",
            "chain": chain,
            "stands": None if summary is None else summary_as_json(summary),
            "workloads": [
                {
                    "workload": one.workload,
                    "before": _placed(one.before),
                    "after": _placed(one.after),
                    "note": one.note,
                }
                for one in intentions
                if one.acts
            ],
            "worked": [line.as_json() for line in working.lines],
        }
    )
    if summary is not None:
        session.output.say(told(session, summary))
    session.output.say(session.hint(f"trace {chain[:8]}"), "cyan")
    if no_work:
        session.output.say(f"work it with: {session.hint('run --until-idle')}")
        return
    if summary is None or summary.state != "closed":
        raise click.exceptions.Exit(LATER)
    if summary.outcome != "applied":
        raise click.exceptions.Exit(NO)


def _placed(amounts: dict[str, tuple[float, int]]) -> dict[str, Any]:
    return {r: {"weight": share, "replicas": count} for r, (share, count) in amounts.items()}
