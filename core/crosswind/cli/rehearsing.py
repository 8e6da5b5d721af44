"""Past signals through today's policy: `crosswind signal --history`."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, cast

import click

from crosswind.cli.durations import DURATION
from crosswind.cli.faults import NO, NOTHING, Failure

if TYPE_CHECKING:
    from crosswind.adopting.driver import Past
    from crosswind.cli.session import Session
    from crosswind.journal.shadow.account import Account
    from crosswind.journal.shadow.history import History

SHADOW: Final = "shadow.sqlite"
"""The name of the file of a rehearsal, beside that of the data."""

_SHOWN: Final = 20

_BACK: Final = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,3})?[smhd]")

_BESIDE: Final = ("-wal", "-shm")
"""What SQLite keeps beside a file while it is open."""


class PastOrFile(click.ParamType["BinaryIO | float"]):
    """A file of past signals, or how far back an account is asked for them: `30d`.

    A file that is there is meant, whatever it is called.
    """

    name = "past"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> BinaryIO | float:
        """To an open file, or to seconds."""
        given = str(value)
        if _BACK.fullmatch(given) and not Path(given).exists():
            return DURATION.convert(given, param, ctx)
        return cast("BinaryIO", click.File("rb").convert(value, param, ctx))


PAST_OR_FILE: Final = PastOrFile()


class Asked(NamedTuple):
    """Which past signals of an account are wanted.

    Attributes:
        cloud: whose account it is.
        back: seconds before now.
        regions: all unless given.
        keep: the file in which they are kept as well.
    """

    cloud: str
    back: float
    regions: Sequence[str] = ()
    keep: Path | None = None


def rehearse_account(session: Session, asked: Asked, into: Path | None) -> None:
    """Read what an account's alarms said, and rehearse it.

    Raises:
        Failure: as `rehearse` does, or the file that is to be kept exists.
    """
    from crosswind.adopting.driver import Scope
    from crosswind.cli.adopting import opened, telling
    from crosswind.journal.shadow.history import MAX_LINES

    if asked.keep is not None and os.path.lexists(asked.keep):
        raise Failure(f"{asked.keep} exists; name another file with --keep")
    now = session.clock()
    with telling(session.output) as tell:
        past = opened(asked.cloud).past(
            now - asked.back, now, MAX_LINES, Scope(asked.regions), tell
        )
    for unread in past.unread:
        session.output.notice(str(unread))
    for note in past.notes:
        session.output.notice(note)
    if not past.lines:
        rest = "; not all was read, see above" if past.unread else ""
        raise Failure(f"no alarm of the account said anything in this time{rest}", NOTHING)
    body = _written(past)
    if asked.keep is not None:
        with asked.keep.open("xb") as file:
            file.write(body)
    rehearse(session, BytesIO(body), into, f"the past of the account on {asked.cloud}")


def _written(past: Past) -> bytes:
    """Past signals as a file of a history has them."""
    from pydantic_core import to_json

    return b"".join(to_json(line) + b"\n" for line in past.lines)


def rehearse(
    session: Session, stream: BinaryIO, into: Path | None, called: str | None = None
) -> None:
    """Rehearse a history, keep what came of it, and say so.

    Args:
        called: what it is, for people; its file unless given.

    Raises:
        Failure: nothing in it could be used, a part could not be read, or the file in which it is
            to be kept holds something else.
    """
    from crosswind.cli.signals import translate
    from crosswind.engine.settings import Settings
    from crosswind.journal.shadow.history import read_history

    target = into or session.beside(SHADOW)
    _check(session, target)
    settings = session.app.settings or Settings()
    with session.output.progress("reading the history"):
        found = read_history(stream, session.app.codec, translate, ahead=settings.skew)
    for refused in found.refused[:_SHOWN]:
        session.output.notice(f"line {refused.line}: {refused.problem}")
    if found.unread > _SHOWN:
        session.output.notice(f"and {found.unread - _SHOWN:,} more that could not be read")
    if not found.arrivals:
        _nothing(session, found)
    name = Path(str(getattr(stream, "name", "-"))).name
    account = _played(
        session,
        found,
        target,
        called or ("standard input" if name in ("-", "<stdin>") else name),
    )
    _told(session, account, target)
    if account.refused:
        raise Failure(f"{account.refused:,} line(s) or record(s) could not be read; see above", NO)


def _check(session: Session, target: Path) -> None:
    """Refuse to put a rehearsal in the place of anything else."""
    from crosswind.embedded.sqlite_store import SqliteStore
    from crosswind.journal.shadow.account import Account
    from crosswind.records.ledger import Ledger

    data = session.sources.data
    if isinstance(data, Path) and data.exists() and target.exists() and target.samefile(data):
        raise Failure(f"{target} holds what really happened; name another file with --into")
    if not target.is_file() or not target.stat().st_size:
        return
    with SqliteStore(target) as store:
        if Account.kept(Ledger(store, session.clock)) is None:
            raise Failure(
                f"{target} holds something else than a rehearsal; name another file with --into"
            )


def _played(session: Session, found: History, target: Path, name: str) -> Account:
    """Rehearse into a new file, which takes the place of the old one when it is whole."""
    from crosswind.embedded.sqlite_store import SqliteStore
    from crosswind.journal.shadow.rehearsal import rehearse as play

    target.parent.mkdir(parents=True, exist_ok=True)
    with _draft(target) as draft:
        with session.output.progress("rehearsing"), SqliteStore(draft) as store, store.batch():
            account = play(session.app, session.fleet, found, store, file=name)
        os.replace(draft, target)
        # What the file before had beside it would be read as a part of this one.
        _remove(target, *_BESIDE)
    return account


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """A file beside the target that is gone at the end, whatever happens."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        yield draft
    finally:
        _remove(draft, "", *_BESIDE)


def _remove(file: Path, *suffixes: str) -> None:
    for suffix in suffixes:
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def _nothing(session: Session, found: History) -> None:
    session.output.document(
        {
            "lines": found.lines,
            "events": 0,
            "ignored": dict(found.ignored),
            "refused": found.unread,
        }
    )
    for reason, count in found.ignored.most_common(_SHOWN):
        session.output.notice(f"ignored {count:,} time(s): {reason}")
    if found.unread:
        raise Failure("no line could be used; see above", NO)
    raise Failure(
        "no line of the history says anything about the health of a region"
        if found.lines
        else "the history is empty",
        NOTHING,
    )


def _told(session: Session, account: Account, target: Path) -> None:
    from crosswind.cli.durations import spoken
    from crosswind.journal.review.wording import stamp

    session.output.document({"into": str(target), **account.as_json()})
    span = f"{stamp(account.began)} to {stamp(account.last)}"
    session.output.say(f"{account.lines:,} line(s), {span}, rehearsed in {spoken(account.took)}")
    session.output.say(
        f"{account.worked:,} event(s) were worked; {account.repeated:,} had come before; "
        f"{sum(account.untaken.values()):,} are taken by no handler; {account.parked:,} were parked"
    )
    session.output.say(
        f"{sum(account.ignored.values()):,} record(s) say nothing of a region; "
        f"{account.refused:,} could not be read"
    )
    where = shlex.quote(str(target))
    session.output.say(f"crosswind report --shadow --data {where}", "cyan")
