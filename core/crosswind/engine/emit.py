"""From what a handler yields to the events of its outbox.

An event made by a run takes its identity from that run; one made after a join or a settled
question takes id, hop, causation and time from that join alone, so that racing runs make the same
event.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from crosswind.emissions import Branch, Later, Start
from crosswind.errors import BoundExceeded, NotDeclared
from crosswind.records.identity import emitted_id, resume_id
from crosswind.records.record import Outgoing
from crosswind_events import Event, EventData
from crosswind_events.catalogue.chain import RunResume

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.engine.settings import Settings
    from crosswind.handlers import Handler

INHERITED = ("traceparent", "tracestate", "simulated", "ended")
"""Extensions that an event passes on to what it leads to."""

_BETWEEN, _WITHIN = ";", "|"
_NAME = 256


class Maker(NamedTuple):
    """Who makes an event: a run, or what it joined or settled last."""

    name: str
    cause: str
    hop: int
    at: float | None = None


class Emission(NamedTuple):
    """One thing yielded, with its maker, its number among the maker's events, and its branches."""

    yielded: EventData | Later[Any] | Branch[Any] | Start[Any]
    maker: Maker
    number: int
    branches: list[tuple[str, str]]


def branch_path(extensions: Mapping[str, str | int | bool]) -> list[tuple[str, str]]:
    """The (join, member) pairs of the branches that an event belongs to, innermost last."""
    path = str(extensions.get("branch", ""))
    return [
        (join, member)
        for join, _, member in (step.partition(_WITHIN) for step in path.split(_BETWEEN) if step)
    ]


def branch_extension(path: list[tuple[str, str]]) -> str:
    """The extension that carries a path of branches."""
    for step in path:
        if any(mark in part for part in step for mark in (_BETWEEN, _WITHIN)):
            raise BoundExceeded(f"join {step[0]!r}, member {step[1]!r}: names hold no ';' or '|'")
        if any(not 1 <= len(part) <= _NAME for part in step):
            raise BoundExceeded(
                f"join {step[0]!r:.80}, member {step[1]!r:.80}: names have 1 to {_NAME} characters"
            )
    return _BETWEEN.join(_WITHIN.join(step) for step in path)


def data_of(yielded: Any) -> Any:
    """The event data inside of what was yielded."""
    return yielded.data if isinstance(yielded, (Later, Branch, Start)) else yielded


def check_declared(handler: Handler, yielded: Any) -> None:
    """Refuse what the return annotation does not name.

    Raises:
        NotDeclared: says what to add.
    """
    data = data_of(yielded)
    if not isinstance(data, EventData):
        raise NotDeclared(
            f"{handler.name} yielded {type(data).__name__}; only event data can be emitted"
        )
    if not handler.may_emit(data):
        raise NotDeclared(
            f"{handler.name} emitted {type(data).__name__}; add it to its return annotation"
        )


def outgoing(
    app: App,
    settings: Settings,
    cause: Event[Any],
    chain: str,
    emission: Emission,
    *,
    now: float,
    inherit: Mapping[str, str | int | bool],
) -> Outgoing:
    """The outbox entry for one thing yielded.

    Args:
        cause: the event that was handled.
        inherit: extensions that this run adds to what it passes on.

    Raises:
        BoundExceeded: too many hops, or too many timers in a row.
    """
    yielded, maker, number, branches = emission
    data: EventData = data_of(yielded)
    extensions: dict[str, str | int | bool] = {}
    given = cause.extensions
    for name in INHERITED:
        if name in given:
            extensions[name] = given[name]
    extensions.update(inherit)
    subject = cause.subject
    if not isinstance(yielded, EventData) and yielded.subject is not None:
        subject = yielded.subject
    due: float | None = None
    at = now if maker.at is None else maker.at
    source = app.source
    if isinstance(yielded, Start):
        extensions.pop("ended", None)
        if yielded.observer is not None:
            source = f"{app.source}/{quote(yielded.observer, safe='')}"
    else:
        extensions["correlationid"] = extensions["partitionkey"] = chain
        extensions["hop"] = maker.hop + 1
        if isinstance(yielded, Later):
            due = _timer(settings, cause, data, yielded, extensions, at)
        elif isinstance(yielded, Branch):
            branches = [*branches, (yielded.join, yielded.member)]
        if branches:
            extensions["branch"] = branch_extension(branches)
        if int(extensions["hop"]) > settings.hops:
            raise BoundExceeded(
                f"{data.event_type} would be hop {extensions['hop']} of its chain; at most "
                f"{settings.hops} are allowed. Does the chain run in a circle?"
            )
    extensions["causationid"] = maker.cause
    event = Event.of(
        data,
        id=emitted_id(chain, maker.name, number),
        source=source,
        time=datetime.fromtimestamp(at, UTC),
        subject=subject,
        extensions=extensions,
    )
    return pack(app, event, due)


def _timer(
    settings: Settings,
    cause: Event[Any],
    data: EventData,
    timer: Later[Any],
    extensions: dict[str, str | int | bool],
    at: float,
) -> float | None:
    if timer.delay >= settings.max_age:
        raise BoundExceeded(
            f"{data.event_type} would come in {timer.delay:g} s; a chain lives at most "
            f"{settings.max_age:g} s"
        )
    if timer.scope is not None:
        extensions["scope"] = timer.scope
    extensions["timer"] = True
    if cause.type == data.event_type:
        tick = int(cause.extensions.get("tick", 0)) + 1
        if tick > settings.ticks:
            raise BoundExceeded(
                f"{data.event_type} would be timer {tick} in a row; at most {settings.ticks} "
                "are allowed. Give the wait an end."
            )
        extensions["tick"] = tick
        extensions["hop"] = int(cause.extensions.get("hop", 0)) or 1
    return at + timer.delay if timer.delay > 0 else None


def pack(
    app: App,
    event: Event[Any],
    due: float | None = None,
    *,
    again: str = "",
    resume: bool = False,
) -> Outgoing:
    """An event, ready for outbox and bus.

    Args:
        again: redrive or retry number, which sets the native message id apart.
    """
    attributes: dict[str, str | int | bool] = {
        "id": event.id,
        "source": event.source,
        "type": event.type,
        **event.extensions,
    }
    if event.subject is not None:
        attributes["subject"] = event.subject
    message = f"{event.id}#{again}" if again else event.id
    return Outgoing(app.codec.encode(event), message, attributes, due, resume)


def resume(
    app: App,
    *,
    handler: str,
    group: str,
    chain: str,
    run: str,
    turn: int,
    now: float,
    due: float | None,
    again: str = "",
) -> Outgoing:
    """The event that continues a run at a turn."""
    event = Event.of(
        RunResume(chain=chain, run=run, turn=turn, handler=handler),
        id=resume_id(chain, run, turn),
        source=app.source,
        time=datetime.fromtimestamp(now, UTC),
        extensions={"correlationid": chain, "partitionkey": chain, "hop": 1, "group": group},
    )
    return pack(app, event, due, again=again, resume=True)
