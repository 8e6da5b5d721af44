"""`crosswind dlq`: failed runs and parked messages, for a person to look at and try again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from crosswind.cli.durations import DURATION, spoken
from crosswind.cli.faults import NO, NOTHING, Failure
from crosswind.cli.options import performing, working, works_with
from crosswind.cli.teaching import Family, Teaching

if TYPE_CHECKING:
    from crosswind.cli.session import Session
    from crosswind.journal.deadletters import DeadLetter, ParkedMessage


@click.group(cls=Family)
def dlq() -> None:
    """Dead letters: runs that were given up, and messages that no chain could take."""


@dlq.command(
    "list",
    cls=Teaching,
    examples=[
        ("Of the last week", "crosswind dlq list"),
        ("Of today, for programs", "crosswind dlq list --since 1d --json"),
    ],
)
@click.option(
    "--since",
    type=DURATION,
    default="7d",
    show_default=True,
    metavar="DURATION",
    help="How old the first event of a chain, or a parked message, may be.",
)
@works_with("app", "data")
def list_(session: Session, since: float) -> None:
    """List failed runs and parked messages, newest first."""
    from rich import box
    from rich.table import Table

    from crosswind.cli.output import text
    from crosswind.graph.model import short

    with session.output.progress("reading chains"):
        letters = sorted(_all(session, since), key=lambda letter: letter.at, reverse=True)
    session.output.document([_as_json(letter) for letter in letters])
    if not letters:
        session.output.notice(f"no dead letters of the last {spoken(since)}")
        raise click.exceptions.Exit(NOTHING)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("id", "what", "age", "event", "error"):
        table.add_column(name, overflow="fold", no_wrap=name in ("id", "age"))
    for letter in letters:
        shown = _as_json(letter)
        table.add_row(
            text(letter.id[:12], "cyan"),
            text(shown["handler"] or "parked"),
            spoken(session.clock() - letter.at),
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
    from pydantic_core import from_json

    from crosswind.journal.deadletters import FailedRun
    from crosswind.journal.rendering import lines

    letter = _find(session, id)
    shown = _as_json(letter)
    if isinstance(letter, FailedRun):
        shown["event"] = from_json(letter.record.event)
        shown["attempts"] = [
            {"at": fail.at, "turn": fail.turn, "error": fail.error} for fail in letter.record.fails
        ]
    else:
        shown["body"], shown["whole"] = letter.parked.body, letter.parked.whole
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
    more as it was.
    """
    from crosswind.cli.working import Working
    from crosswind.journal.deadletters import FailedRun

    letter = _find(session, id)
    working = Working(session)
    if isinstance(letter, FailedRun):
        _redrive_run(session, letter.record.chain, letter.id)
    else:
        _publish_again(session, letter)
    if not no_work:
        working.what_is_due(wait)
    session.output.document(
        {"redriven": letter.id, "worked": [line.as_json() for line in working.lines]}
    )
    session.output.say(f"redriven {letter.id[:12]}")
    if isinstance(letter, FailedRun):
        session.output.say(session.hint(f"trace {letter.record.chain[:8]}"), "cyan")


def _redrive_run(session: Session, chain: str, run: str) -> None:
    from crosswind.engine.redrive import Redrive

    engine = session.engine
    redriving = Redrive(session.app, engine.runtime, session.bus, engine.runs.flights)
    redriving.run(chain, run)


def _publish_again(session: Session, letter: ParkedMessage) -> None:
    from pydantic_core import from_json, to_json

    from crosswind.cli.identity import operator
    from crosswind.journal.deadletters import REDRIVEN
    from crosswind.ports import ABSENT, Message, Put
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
    item = ledger.read(REDRIVEN, letter.id)
    times = 1 if item is None else int(from_json(item.value)["times"]) + 1
    session.bus.publish(
        [Message(f"{parked.message}#redrive-{times}", body, attributes(from_json(body)))]
    )
    note = to_json({"by": operator(), "at": session.clock(), "times": times})
    ledger.write(REDRIVEN, [Put(letter.id, note, ABSENT if item is None else item.version)])


def _all(session: Session, since: float) -> Iterator[DeadLetter]:
    from crosswind.journal.deadletters import failed_runs, parked_message
    from crosswind.records.parking import Parking

    now = session.clock()
    yield from failed_runs(session.ledger, now, since)
    parking = Parking(session.ledger, session.clock, lambda at: at)
    for parked in parking.list(days=int(since // 86_400) + 2):
        if parked.at >= now - since:
            yield parked_message(session.ledger, parked)


def _find(session: Session, prefix: str) -> DeadLetter:
    from crosswind.journal.listing import HORIZON

    given = prefix.strip().lower()
    with session.output.progress("reading chains"):
        found = {one.id: one for one in _all(session, HORIZON) if one.id.startswith(given)}
    if not given or not found:
        raise Failure(f"there is no dead letter {prefix}; list them: crosswind dlq list", NOTHING)
    if len(found) > 1:
        raise Failure(f"{len(found)} dead letters begin with {prefix}; give more of it")
    return found.popitem()[1]


def _as_json(letter: DeadLetter) -> dict[str, Any]:
    from crosswind.journal.deadletters import FailedRun
    from crosswind.journal.trace import written

    if isinstance(letter, FailedRun):
        record = letter.record
        return {
            "id": letter.id,
            "kind": "run",
            "chain": record.chain,
            "handler": record.handler,
            "group": record.group,
            "type": letter.type,
            "at": written(letter.at),
            "error": letter.error,
        }
    parked = letter.parked
    return {
        "id": letter.id,
        "kind": "parked",
        "message": parked.message,
        "handler": None,
        "group": parked.group,
        "type": parked.type,
        "at": written(parked.at),
        "error": parked.reason,
        "redriven": letter.redriven or None,
    }
