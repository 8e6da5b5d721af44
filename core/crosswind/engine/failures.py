"""Failures: recorded and counted by the engine, so that retries look the same on every bus.

attempt failed -> retrying(turn + 1), a resume event after back-off
last attempt   -> failed, a dead letter goes out; the chain closes, or only the branch fails
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from crosswind.engine import emit
from crosswind.engine.execution import Execution
from crosswind.engine.opening import Joining, Leading, Opening
from crosswind.engine.turns import Drop, Overtaken
from crosswind.engine.writer import kept
from crosswind.errors import (
    ActionRefused,
    BoundExceeded,
    Conflict,
    DeclarationError,
    Diverged,
    NotDeclared,
    NotPossible,
    Returned,
    TooLarge,
)
from crosswind.ports import ABSENT, Change, Put
from crosswind.records.head import Head
from crosswind.records.identity import HEAD, RUN, emitted_id
from crosswind.records.joins import failed_member, member_key
from crosswind.records.record import Failure, Outgoing
from crosswind_events import Event, InvalidEvent
from crosswind_events.catalogue.chain import BranchFailed
from crosswind_events.catalogue.deadletter import DeadLettered

PERMANENT = (
    ActionRefused,
    BoundExceeded,
    DeclarationError,
    Diverged,
    InvalidEvent,
    NotDeclared,
    NotPossible,
    TooLarge,
)
"""Failures that no repetition can mend."""

_ERROR_LENGTH = 2_000
_TURNS = 12


def describe(error: BaseException) -> str:
    """An error for journal and dead letter: its type and message, bounded."""
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - an error that cannot say what it is must still be recorded
        text = f"{type(error).__name__}, whose text cannot be had"
    return text if len(text) <= _ERROR_LENGTH else text[: _ERROR_LENGTH - 1] + "…"


def backoff(
    base: float,
    limit: float,
    failures: int,
    draw: Callable[[float, float], float] = random.uniform,
) -> float:
    """Seconds until the next attempt: exponential with full jitter, bounded.

    Args:
        draw: draws the jitter between two numbers.
    """
    return draw(0.0, min(limit, base * 2 ** (failures - 1)) * 2)


def record_failure(execution: Execution, error: Exception, attempts: int) -> None:
    """Record a failed attempt, and what follows from it, durably.

    Args:
        attempts: how often the run is tried at the most.
    """
    record, runtime = execution.record, execution.runtime
    now, settings = runtime.clock(), runtime.settings
    if isinstance(error, TooLarge):
        # What made it too large was not written; without it the failure has room.
        del record.log[execution.writer.durable :]
    record.log = record.kept_after_failure()
    record.fails.append(Failure(now, describe(error), record.turn))
    record.out = kept(record)
    tries = len(record.fails) - record.forgiven
    if isinstance(error, PERMANENT) or tries >= attempts:
        fail(execution, error)
        return
    record.turn += 1
    wait = backoff(settings.backoff, settings.backoff_limit, tries, runtime.draw or random.uniform)
    record.until = now + wait
    record.why = describe(error)
    record.out.append(execution.resume_event(record.until, now))
    record.settled = False
    try:
        execution.writer.save("retrying")
    except Drop as turn:
        execution.drop(turn.why)


def fail(execution: Execution, error: BaseException) -> None:
    """Give a run up: its dead letter goes out, and its chain or branch fails in the same write.

    Raises:
        Overtaken: another has written the run.
    """
    record, event = execution.record, execution.event
    record.ended, record.until, record.why = execution.runtime.clock(), None, describe(error)
    if event.type == DeadLettered.event_type:
        record.out, record.settled = [], not record.first
        record.why = f"parked; a dead letter's own failure is not announced: {record.why}"
        execution.writer.opening = None
        execution.writer.save("failed")
        return
    branches = emit.branch_path(event.extensions) if "branch" in event.extensions else []
    record.out.append(_dead_letter(execution, error))
    if branches and not execution.handler.aside:
        record.out.append(_branch_failed(execution, branches, error))
    record.settled = False
    record.state = "failed"
    for _ in range(_TURNS):
        try:
            changes = _changes(execution, branches)
            versions = execution.runtime.ledger.write(execution.writer.partition, changes)
        except Conflict as conflict:
            key = RUN + record.run
            if key in conflict.found:
                raise Overtaken(conflict.found[key]) from conflict
            opening = execution.writer.opening
            if opening is not None and opening.scope in conflict.found:
                execution.drop("its timer was cancelled")
                return
            if opening is not None:
                opening.mend(dict(conflict.found))
            continue
        break
    else:
        raise Returned("the chain is contended", execution.runtime.settings.wait)
    execution.writer.version = versions.get(RUN + record.run)


def _changes(execution: Execution, branches: list[tuple[str, str]]) -> list[Change]:
    """The failed run, and in the same write the end of its chain or of its branch."""
    record, runtime = execution.record, execution.runtime
    expires = runtime.expires(runtime.clock())
    execution.writer.written = record.encode()
    run = Put(
        RUN + record.run, execution.writer.written, execution.writer.version or ABSENT, expires
    )
    changes: list[Change] = [run]
    opening = execution.writer.opening
    if opening is not None and not isinstance(opening, Opening):
        changes += opening.changes(None, None, expires)
    if execution.handler.aside:
        if isinstance(opening, Opening):
            changes += opening.changes(None, None, expires)
        return changes
    if branches:
        join, member = branches[-1]
        key = member_key(join, member)
        if runtime.ledger.read(execution.writer.partition, key) is None:
            hop = int(execution.event.extensions.get("hop", 0))
            changes.append(Put(key, failed_member(join, member, hop, record.why), ABSENT, expires))
        return changes
    if isinstance(opening, (Leading, Joining)):
        closed = opening.head.closed("failed", runtime.clock())
        changes += opening.changes(closed, None, expires)
        return changes
    item = runtime.ledger.read(execution.writer.partition, HEAD)
    if item is not None:
        head = Head.decode(item.value)
        if head.open:
            closed = head.closed("failed", runtime.clock())
            changes.append(Put(HEAD, closed.encode(), item.version, expires))
    elif isinstance(opening, Opening):
        closed = opening.head.closed("failed", runtime.clock())
        changes += opening.changes(closed, ABSENT, expires)
    return changes


def _dead_letter(execution: Execution, error: BaseException) -> Outgoing:
    record, event = execution.record, execution.event
    data = DeadLettered(
        chain=record.chain,
        run=record.run,
        handler=record.handler,
        group=record.group,
        event_id=event.id,
        event_type=event.type,
        attempts=len(record.fails),
        error=describe(error),
        at=datetime.fromtimestamp(execution.runtime.clock(), UTC),
    )
    alone = not execution.handler.aside and "branch" not in event.extensions
    return announce(execution, data, "dead", {"ended": "failed"} if alone else {})


def _branch_failed(
    execution: Execution, branches: list[tuple[str, str]], error: BaseException
) -> Outgoing:
    join, member = branches[-1]
    data = BranchFailed(
        join=join, member=member, handler=execution.record.handler, reason=describe(error)
    )
    outer = branches[:-1]
    extensions: dict[str, str | int | bool] = {}
    if outer:
        extensions["branch"] = emit.branch_extension(outer)
    return announce(execution, data, "branch-failed", extensions)


def announce(
    execution: Execution, data: Any, what: str, extensions: dict[str, str | int | bool]
) -> Outgoing:
    """An event that the engine itself makes of a run."""
    record, event, app = execution.record, execution.event, execution.runtime.app
    inherited = {k: v for k, v in event.extensions.items() if k in emit.INHERITED}
    made = Event.of(
        data,
        id=emitted_id(record.chain, f"{what}:{record.run}", record.redrives),
        source=app.source,
        time=datetime.fromtimestamp(execution.runtime.clock(), UTC),
        subject=event.subject,
        extensions={
            **inherited,
            **extensions,
            "correlationid": record.chain,
            "partitionkey": record.chain,
            "causationid": event.id,
            "hop": int(event.extensions.get("hop", 0)) + 1,
        },
    )
    return emit.pack(app, made)
