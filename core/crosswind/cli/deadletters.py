"""`crosswind dlq`: failed runs, and messages that no chain could take, to look at and try again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from crosswind.cli.durations import DURATION, spoken
from crosswind.cli.faults import NO, NOTHING, Failure
from crosswind.cli.options import performing, working, works_with
from crosswind.cli.teaching import Family, Teaching

if TYPE_CHECKING:
    from crosswind.cli.letters import DeadLetter
    from crosswind.cli.session import Session
    from crosswind.journal.deadletters import ParkedMessage
    from crosswind.stacks.desk import Letter


@click.group(cls=Family)
def dlq() -> None:
    """Dead letters: runs that were given up, and messages that no chain could take."""


@dlq.command(
    "list",
    cls=Teaching,
    examples=[
        ("Of the last week", "crosswind dlq list"),
        ("Of today, for programs", "crosswind dlq list --since 1d --json"),
        ("Of a deployed app, with what lies in its queues",
         "crosswind dlq list --data aws:crosswind-ops"),
    ],
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Also what was discarded.")
@click.option(
    "--since",
    type=DURATION,
    default="7d",
    show_default=True,
    metavar="DURATION",
    help="How old the first event of a chain, or a parked message, may be.",
)
@works_with("app", "data")
def list_(session: Session, everything: bool, since: float) -> None:
    """List failed runs, parked messages and what lies in the queues of a stack, newest first."""
    from rich import box
    from rich.table import Table

    from crosswind.cli.letters import as_json, found, when
    from crosswind.cli.output import text
    from crosswind.graph.model import short

    with session.output.progress("reading chains"):
        letters = found(session, since, discarded=everything)
    session.output.document([as_json(letter) for letter in letters])
    if not letters:
        session.output.notice(f"no dead letters of the last {spoken(since)}")
        raise click.exceptions.Exit(NOTHING)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("id", "what", "age", "event", "error"):
        table.add_column(name, overflow="fold", no_wrap=name in ("id", "age"))
    for letter in letters:
        shown = as_json(letter)
        kind = "discarded" if shown.get("discarded") else shown["kind"]
        table.add_row(
            text(letter.id[:12], "cyan"),
            text(shown["handler"] or kind),
            spoken(session.clock() - when(letter)),
            text(short(shown["type"] or "?")),
            text(shown["error"].splitlines()[0][:200] if shown["error"] else "", "red"),
        )
    session.output.show(table)
    session.output.say(session.hint(f"dlq show {letters[0].id[:12]}"), "cyan")


@dlq.command(cls=Teaching, examples=[("Why it was given up, and on what", "crosswind dlq show ID")])
@click.argument("id")
@works_with("app", "data")
def show(session: Session, id: str) -> None:
    """Show one dead letter: the error of every attempt, and the event."""
    from crosswind.cli.letters import find, in_full
    from crosswind.journal.rendering import lines

    letter = find(session, id)
    shown = in_full(letter)
    session.output.document(shown)
    for line in lines(shown):
        session.output.say(line)
    session.output.say(session.hint(f"dlq redrive {letter.id[:12]}"), "cyan")


@dlq.command(
    cls=Teaching,
    examples=[("Try it again, after what was wrong is mended", "crosswind dlq redrive ID")],
)
@click.argument("id")
@working
@performing
def redrive(session: Session, id: str, no_work: bool, wait: float) -> None:
    """Try a dead letter again, with as many attempts as before.

    A failed run goes on from what it has done: nothing is done twice. Its chain is opened again,
    which is refused while another chain holds the same target. A parked message is published once
    more as it was. One that lies in a queue of dead letters is sent to the queue of its group, and
    then taken away.
    """
    from crosswind.cli.letters import find
    from crosswind.cli.working import Working
    from crosswind.journal.deadletters import FailedRun

    letter = find(session, id)
    working = Working(session)
    _send(session, letter)
    if not no_work:
        working.what_is_due(wait)
    session.output.document(
        {"redriven": letter.id, "worked": [line.as_json() for line in working.lines]}
    )
    session.output.say(f"redriven {letter.id[:12]}")
    if isinstance(letter, FailedRun):
        session.output.say(session.hint(f"trace {letter.record.chain[:8]}"), "cyan")


@dlq.command(
    cls=Teaching,
    examples=[
        ("Put a message aside that nobody needs",
         "crosswind dlq discard ID --reason 'a form of the old site' --yes"),
    ],
)  # fmt: skip
@click.argument("id")
@click.option("--reason", default="", help="Why nobody needs it; it stands in the journal.")
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
@works_with("app", "data")
def discard(session: Session, id: str, reason: str, yes: bool) -> None:
    """Put a message aside that no chain could take, so that it is no longer listed.

    Who did and why is kept with it; `dlq list --all` shows it, and it can still be redriven. One
    that lies in a queue of dead letters is parked with its first 4 KB, and taken out of the queue.
    A failed run is a part of its chain, and stays there.
    """
    from crosswind.cli.letters import find
    from crosswind.journal.deadletters import FailedRun

    if not reason.strip():
        raise Failure("say why nobody needs it, such as: --reason 'a form of the old site'")
    letter = find(session, id)
    if isinstance(letter, FailedRun):
        raise Failure(
            f"{letter.id[:12]} is a failed run, and a part of chain {letter.record.chain[:8]}: it "
            "stays in the journal; redrive it, or leave it",
            NO,
        )
    if not yes:
        if not sys.stdin.isatty():
            raise Failure("nobody can be asked here; look at it with dlq show, then give --yes")
        click.confirm(f"Discard {letter.id[:12]}?", abort=True, err=True)
    name = _put_aside(session, letter, reason.strip()[:500])
    session.output.document({"discarded": name, "by": session.operator})
    session.output.say(f"discarded {name[:12]}")


def _send(session: Session, letter: DeadLetter) -> None:
    from crosswind.engine.redrive import Redrive
    from crosswind.journal.deadletters import FailedRun, ParkedMessage

    if isinstance(letter, FailedRun):
        engine = session.engine
        redriving = Redrive(session.app, engine.runtime, session.bus, engine.runs.flights)
        redriving.run(letter.record.chain, letter.id)
    elif isinstance(letter, ParkedMessage):
        _publish_again(session, letter)
    elif session.desk is not None:
        session.desk.letters.resend(letter)


def _publish_again(session: Session, letter: ParkedMessage) -> None:
    from pydantic_core import from_json

    from crosswind.journal.deadletters import note_redrive, redrives
    from crosswind.ports import Message
    from crosswind.records.record import attributes
    from crosswind_events import InvalidEvent

    parked, ledger = letter.parked, session.ledger
    if not parked.whole:
        raise Failure("only its beginning is kept; its sender has to send it again", NO)
    body = parked.body.encode()
    try:
        session.app.codec.decode(body)
    except InvalidEvent as invalid:
        raise Failure(f"it would be parked again: {invalid}", NO) from invalid
    name = f"{parked.message}#redrive-{redrives(ledger, letter.id) + 1}"
    session.bus.publish([Message(name, body, attributes(from_json(body)))])
    note_redrive(ledger, letter.id, session.operator, session.clock())


def _put_aside(session: Session, letter: ParkedMessage | Letter, reason: str) -> str:
    """Note that nobody needs a message; the id under which it is parked."""
    from crosswind.engine.settings import Settings
    from crosswind.journal.deadletters import ParkedMessage, note_discard, parked_as
    from crosswind.ports import Delivery
    from crosswind.records.parking import Parking

    now, who = session.clock(), session.operator
    if isinstance(letter, ParkedMessage):
        note_discard(session.ledger, letter.id, who, now, reason)
        return letter.id
    settings = session.app.settings or Settings()
    kept: list[str] = []

    def keep(whole: Letter) -> None:
        parking = Parking(
            session.ledger, lambda: now, lambda at: at + settings.max_age + settings.retention
        )
        delivery = Delivery(whole.message, whole.body.encode())
        parking.park(whole.group, delivery, f"discarded by {who}: {reason}", None)
        kept.append(parked_as(whole.group, whole.message, now))
        note_discard(session.ledger, kept[0], who, now, reason)

    assert session.desk is not None  # only there are letters in queues
    session.desk.letters.take(letter, keep)
    return kept[0]
