"""Deadlines of chains: one that has not ended in time is declared stalled, with an incident."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crosswind.engine import emit
from crosswind.engine.outbox import Outbox
from crosswind.engine.runtime import Runtime
from crosswind.errors import Conflict, Returned
from crosswind.ports import ABSENT, Put
from crosswind.records.head import Head
from crosswind.records.identity import (
    HEAD,
    RUN,
    chain_partition,
    emitted_id,
    name_id,
    run_key,
)
from crosswind.records.record import Outgoing, Record
from crosswind_events import Event
from crosswind_events.catalogue.chain import ChainDeadline, ChainStalled
from crosswind_events.catalogue.incident import IncidentOpened

if TYPE_CHECKING:
    from crosswind.app import App

HANDLER = "crosswind:deadline"
_TURNS = 8
_ROUNDING = 0.001
"""Seconds by which a time may differ from itself when it has been written as a date."""
_NAME = 200
"""How much of a target's name is said in an event."""


def deadline_event(
    app: App, group: str, chain: str, opened: float, deadline: float, generation: int = 0
) -> Outgoing:
    """The timer that comes when a chain has to be over; due at its deadline.

    Args:
        generation: how often a redrive has opened the chain again; each time has a timer of its
            own.
    """
    event = Event.of(
        ChainDeadline(
            chain=chain,
            opened=datetime.fromtimestamp(opened, UTC),
            deadline=datetime.fromtimestamp(deadline, UTC),
        ),
        id=name_id("deadline", chain, *((generation,) if generation else ())),
        source=app.source,
        time=datetime.fromtimestamp(opened, UTC),
        extensions={
            "correlationid": chain,
            "partitionkey": chain,
            "hop": 1,
            "group": group,
        },
    )
    return emit.pack(app, event, deadline)


def reach_deadline(runtime: Runtime, outbox: Outbox, event: Event[Any]) -> None:
    """Close a chain that is still open as stalled, and say so, in one write.

    Raises:
        Returned: the chain is contended.
    """
    chain = event.data.chain
    partition = chain_partition(chain)
    run = run_key(HANDLER, event.source, event.id)
    for _ in range(_TURNS):
        item = runtime.ledger.read(partition, HEAD)
        if item is None:
            return
        head = Head.decode(item.value)
        now = runtime.clock()
        if head.outcome == "stalled":
            _publish_again(runtime, outbox, partition, run)
            return
        # Whoever took an expired lock has closed the chain, and could not tell anybody.
        expired = head.outcome == "expired"
        if not head.open and not expired:
            return
        early = (head.deadline or 0.0) - runtime.settings.skew - now
        if early > 0 and event.data.deadline.timestamp() + _ROUNDING < (head.deadline or 0.0):
            return  # it was opened again since, and another timer is set for it
        if early > 0 and not expired:
            raise Returned(f"the deadline of chain {chain} has not come", early)
        record = Record(
            state="committed",
            handler=HANDLER,
            group=str(event.extensions.get("group", "")),
            code="",
            chain=chain,
            run=run,
            event=runtime.app.codec.encode(event),
            began=now,
            ended=now,
            out=_stalled(runtime, event, head, run),
        )
        expires = runtime.expires(now)
        written = record.encode()
        try:
            closing = [Put(HEAD, head.closed("stalled", now).encode(), item.version, expires)]
            versions = runtime.ledger.write(
                partition,
                [Put(RUN + run, written, ABSENT, expires), *([] if expired else closing)],
            )
        except Conflict as conflict:
            if RUN + run in conflict.found:
                _publish_again(runtime, outbox, partition, run)
                return
            continue
        outbox.publish(record.out)
        if RUN + run in versions:
            outbox.note(partition, RUN + run, written, versions[RUN + run])
        return
    raise Returned(f"chain {chain} is contended", runtime.settings.wait)


def _publish_again(runtime: Runtime, outbox: Outbox, partition: str, run: str) -> None:
    item = runtime.ledger.read(partition, RUN + run)
    if item is None:
        return
    record = Record.decode(item.value)
    if not record.settled:
        outbox.publish(record.out)
        outbox.note(partition, RUN + run, item.value, item.version)


def _trouble(head: Head, chain: str) -> str:
    """The name of the incident: that of the target, so that its next chain can resolve it."""
    lock = head.lock
    return f"chain:{chain}" if lock is None else f"{lock.flight}:{lock.target}"[:_NAME]


def _stalled(runtime: Runtime, event: Event[Any], head: Head, run: str) -> list[Outgoing]:
    chain, app = event.data.chain, runtime.app
    target = None if head.lock is None else head.lock.target
    because = f"not over {event.data.deadline - event.data.opened} after it was opened"
    at = datetime.fromtimestamp(runtime.clock(), UTC)
    extensions: dict[str, str | int | bool] = {
        "correlationid": chain,
        "partitionkey": chain,
        "causationid": event.id,
        "hop": 1,
        "ended": "stalled",
    }
    data = (
        ChainStalled(
            chain=chain,
            opened=event.data.opened,
            because=because,
            target=None if target is None else target[:_NAME],
        ),
        IncidentOpened(
            incident=_trouble(head, chain),
            title=f"A chain has stalled{f' over {target[:_NAME]}' if target else ''}",
            cause=because,
            severity="major",
            chain=chain,
        ),
    )
    return [
        emit.pack(
            app,
            Event.of(
                one,
                id=emitted_id(chain, run, index),
                source=app.source,
                time=at,
                subject=target,
                extensions=extensions,
            ),
        )
        for index, one in enumerate(data)
    ]
