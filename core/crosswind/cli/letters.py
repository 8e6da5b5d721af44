"""Dead letters of every kind: failed runs, parked messages, and what lies in queues of a cloud."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from crosswind.cli.faults import NOTHING, Failure
from crosswind.journal.deadletters import (
    FailedRun,
    ParkedMessage,
    failed_runs,
    parked_message,
)
from crosswind.stacks.desk import Letter

if TYPE_CHECKING:
    from crosswind.cli.session import Session

DeadLetter = FailedRun | ParkedMessage | Letter

_LATELY = 2 * 86_400.0
_SHOWN = 4_096


def found(session: Session, since: float, *, discarded: bool = False) -> list[DeadLetter]:
    """All dead letters of so many seconds, newest first; those in queues whatever their age.

    Args:
        discarded: also those that somebody has put aside.
    """
    return sorted(_all(session, since, discarded), key=when, reverse=True)


def find(session: Session, prefix: str) -> DeadLetter:
    """The dead letter whose id begins like this.

    Raises:
        Failure: there is none, or several are.
    """
    from crosswind.journal.listing import HORIZON

    given = prefix.strip().lower()
    chosen: dict[str, DeadLetter] = {}
    with session.output.progress("reading chains"):
        # Most are asked for while they are new, and all of a store is a thousand reads.
        for since in (_LATELY, HORIZON):
            letters = found(session, since, discarded=True) if given and not chosen else ()
            chosen |= {one.id: one for one in letters if one.id.startswith(given)}
    if not chosen:
        raise Failure(f"there is no dead letter {prefix}; list them: crosswind dlq list", NOTHING)
    if len(chosen) > 1:
        raise Failure(f"{len(chosen)} dead letters begin with {prefix}; give more of it")
    return chosen.popitem()[1]


def when(letter: DeadLetter) -> float:
    """When it died, seconds since the epoch; for one in a queue, when it was sent."""
    return letter.sent if isinstance(letter, Letter) else letter.at


def as_json(letter: DeadLetter) -> dict[str, Any]:
    """For programs."""
    from crosswind.journal.trace import written

    shared = {"id": letter.id, "at": written(when(letter))}
    if isinstance(letter, FailedRun):
        record = letter.record
        return {
            **shared,
            "kind": "run",
            "chain": record.chain,
            "handler": record.handler,
            "group": record.group,
            "type": letter.type,
            "error": letter.error,
        }
    if isinstance(letter, Letter):
        return {
            **shared,
            "kind": "queued",
            "message": letter.message,
            "handler": None,
            "group": letter.group,
            "type": _type(letter.body),
            "error": "given up by the queue, and not taken up by its function yet",
            "receipts": letter.receipts,
        }
    parked = letter.parked
    return {
        **shared,
        "kind": "parked",
        "message": parked.message,
        "handler": None,
        "group": parked.group,
        "type": parked.type,
        "error": parked.reason,
        "redriven": letter.redriven or None,
        "discarded": letter.discarded or None,
    }


def in_full(letter: DeadLetter) -> dict[str, Any]:
    """With the event, and the error of each attempt."""
    from pydantic_core import from_json

    shown = as_json(letter)
    if isinstance(letter, FailedRun):
        shown["event"] = from_json(letter.record.event)
        shown["attempts"] = [
            {"at": fail.at, "turn": fail.turn, "error": fail.error} for fail in letter.record.fails
        ]
    elif isinstance(letter, Letter):
        shown["body"], shown["whole"] = letter.body[:_SHOWN], len(letter.body) <= _SHOWN
    else:
        shown["body"], shown["whole"] = letter.parked.body, letter.parked.whole
    return shown


def _all(session: Session, since: float, discarded: bool) -> Iterator[DeadLetter]:
    from crosswind.records.parking import Parking

    now = session.clock()
    yield from _queued(session)
    yield from failed_runs(session.ledger, now, since)
    parking = Parking(session.ledger, session.clock, lambda at: at)
    for parked in parking.list(days=int(since // 86_400) + 2):
        if parked.at >= now - since:
            letter = parked_message(session.ledger, parked)
            if discarded or not letter.discarded:
                yield letter


def _queued(session: Session) -> Iterator[Letter]:
    """What lies in the queues of a stack, as far as these credentials may look."""
    from crosswind.stacks.driver import Denied

    if session.desk is None:
        return
    try:
        yield from session.desk.letters.look()
    except Denied as error:
        session.output.notice(f"only what is in the table is listed: {error}")


def _type(body: str) -> str | None:
    """The type of the event in a body, whatever lies around it; None where it is none."""
    from pydantic_core import from_json

    try:
        said = from_json(body)
    except ValueError:
        return None
    kind = said.get("type", said.get("detail-type")) if isinstance(said, dict) else None
    return kind[:200] if isinstance(kind, str) else None
