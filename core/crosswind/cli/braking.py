"""`crosswind freeze` and `crosswind break-glass`: the switches over all actions of a fleet."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from crosswind.cli.durations import DURATION, spoken
from crosswind.cli.faults import Failure
from crosswind.cli.options import performing, working, works_with
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from crosswind.cli.session import Session
    from crosswind.gate.brakes import BrakeLever, Switch


@click.command(
    cls=Teaching,
    examples=[
        ("Stop all actions for an hour", "crosswind freeze --for 1h --reason 'the grid is unsure'"),
        ("Those on one workload, until it is ended",
         "crosswind freeze --workload chat --reason 'the sale'"),
        ("Go on", "crosswind freeze --end"),
    ],
)  # fmt: skip
@click.option("--for", "seconds", type=DURATION, metavar="DURATION", help="Ends by itself then.")
@click.option("--workload", help="Only actions on this workload.")
@click.option("--reason", default="", help="Why; whoever waits reads it.")
@click.option("--end", is_flag=True, help="End the freeze.")
@works_with("data", "fleet", creates=True)
def freeze(
    session: Session, seconds: float | None, workload: str | None, reason: str, end: bool
) -> None:
    """Stop every action before its next call: runs wait, nothing fails, nothing is lost.

    What is under way is not called back. Expiries and deadlines run on. Runs that wait look again
    every half minute.
    """
    if end:
        lever = _lever(session)
        _ended(session, "freeze", lever.read().freeze)
        lever.thaw()
        return
    if not reason.strip():
        raise Failure("a freeze needs a --reason; whoever finds their chain waiting reads it")
    _check_workload(session, workload)
    switch = _lever(session).freeze(session.operator, reason, seconds, workload)
    _thrown(session, "frozen", switch)


@click.command(
    "break-glass",
    cls=Teaching,
    examples=[
        ("Let actions pass without approval, limits or freeze",
         "crosswind break-glass --for 15m --reason 'approver unreachable, region down'"),
        ("Put the glass back before its time", "crosswind break-glass --end"),
    ],
)  # fmt: skip
@click.option("--for", "seconds", type=DURATION, metavar="DURATION", help="At most a day.")
@click.option("--workload", help="Only actions on this workload.")
@click.option("--reason", default="", help="Why; it is what the review will read.")
@click.option("--end", is_flag=True, help="Put the glass back.")
@working
@performing
def break_glass(
    session: Session,
    seconds: float | None,
    workload: str | None,
    reason: str,
    end: bool,
    no_work: bool,
    wait: float,
) -> None:
    """Let actions pass without approval, limits or freeze, for a while, and open an incident.

    What is only observed stays observed. The incident is published first, so that no glass is
    broken unseen.
    """
    from crosswind.cli.working import Working

    if end:
        lever = _lever(session)
        _ended(session, "break-glass", lever.read().break_glass)
        lever.restore_glass()
        return
    if not reason.strip() or seconds is None:
        raise Failure("break-glass needs --reason and --for, such as: --for 15m --reason 'why'")
    if not 0 < seconds <= 86_400:
        raise Failure("break-glass takes a time of at most a day")
    _check_workload(session, workload)
    working = Working(session)
    who = session.operator
    _open_incident(session, who, seconds, workload, reason)
    switch = _lever(session).break_glass(who, reason, seconds, workload)
    if not no_work:
        working.what_is_due(wait)
    _thrown(session, "glass broken", switch)


def _lever(session: Session) -> BrakeLever:
    from crosswind.gate.brakes import BrakeLever

    return BrakeLever(session.ledger, session.ruled, session.clock)


def _check_workload(session: Session, workload: str | None) -> None:
    if workload is None:
        return
    fleet = session.ruling
    if workload not in fleet.workloads:
        raise Failure(
            f"fleet {fleet.name} has no workload {workload}; it has: {', '.join(fleet.workloads)}"
        )


def _open_incident(
    session: Session, who: str, seconds: float, workload: str | None, reason: str
) -> None:
    from crosswind.engine import emit
    from crosswind.records.identity import name_id
    from crosswind_events import Event
    from crosswind_events.catalogue.incident import IncidentOpened

    now, fleet = session.clock(), session.ruled
    about = f" for {workload}" if workload else ""
    incident = IncidentOpened(
        incident=f"break-glass:{fleet}:{int(now)}",
        title=f"{who} has broken the glass of fleet {fleet}{about} for {spoken(seconds)}",
        cause=reason,
        severity="major",
        workload=workload,
    )
    event = Event.of(
        incident,
        id=name_id("break-glass", fleet, who, now),
        source=session.app.source,
        time=datetime.fromtimestamp(now, UTC),
        subject=fleet,
    )
    session.engine.outbox.publish([emit.pack(session.app, event)])


def _thrown(session: Session, what: str, switch: Switch) -> None:
    session.output.document(_as_json(session, switch))
    about = f" of {switch.workload}" if switch.workload else ""
    rest = "" if switch.until is None else f" for {spoken(switch.until - switch.at)}"
    fleet = session.ruled
    session.output.say(f"{what}: actions on fleet {fleet}{about}{rest}, by {switch.by}", "bold")


def _ended(session: Session, what: str, switch: Switch | None) -> None:
    standing = switch is not None and (switch.until is None or session.clock() < switch.until)
    session.output.document({"ended": standing})
    if switch is not None and standing:
        session.output.say(f"{what} by {switch.by} is over ({switch.reason})")
    else:
        session.output.say(f"there was no {what}")


def _as_json(session: Session, switch: Switch) -> dict[str, Any]:
    from dataclasses import asdict

    return {"fleet": session.ruled, **asdict(switch)}
