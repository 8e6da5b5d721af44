"""Publishing events by hand, and saying what came of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from crosswind.cli.durations import spoken
from crosswind.cli.faults import NO, Failure
from crosswind.cli.working import Working
from crosswind.journal.chain import read_chain
from crosswind.journal.listing import Listed, Summary, summarize_chain
from crosswind.journal.placement import chain_of

if TYPE_CHECKING:
    from crosswind.cli.session import Session
    from crosswind.handlers import Handler
    from crosswind_events import Event


def publish(
    session: Session, events: Sequence[Event[Any]], *, work: bool, wait: float, **about: Any
) -> None:
    """Publish first events, work what is due, and say what came of each chain.

    Args:
        about: what else the JSON document holds.

    Raises:
        Failure: an event is refused, or no handler of the app takes it.
    """
    from crosswind.engine import emit

    check(session, events)
    working = Working(session)
    session.engine.outbox.publish([emit.pack(session.app, event) for event in events])
    for event in events:
        session.output.say(f"published {event.type} {event.id}")
    if work:
        working.what_is_due(wait)
    chains = chains_of(session, events)
    summaries = [summary for chain in chains if (summary := standing(session, chain)) is not None]
    session.output.document(
        {
            "published": [{"id": event.id, "type": event.type} for event in events],
            **about,
            "chains": [summary_as_json(summary) for summary in summaries],
            "worked": [line.as_json() for line in working.lines],
        }
    )
    for summary in summaries:
        session.output.say(told(session, summary))
    for chain in chains:
        session.output.say(session.hint(f"trace {chain[:8]}"), "cyan")
    if not work and session.desk is None:
        session.output.say(f"work it with: {session.hint('run --until-idle')}")


def check(session: Session, events: Iterable[Event[Any]]) -> None:
    """Refuse what would be lost: what nobody takes, and what is too old to be worked."""
    engine = session.engine
    for event in events:
        if not takers(session, event):
            known = ", ".join(sorted(session.app.by_type)) or "nothing"
            raise Failure(
                f"no handler of app {session.app.name} takes {event.type} as it is; it takes: "
                f"{known}",
                NO,
            )
        age = session.clock() - event.time.timestamp()
        if age > engine.settings.max_age:
            raise Failure(
                f"event {event.id} is {spoken(age)} old; nothing older than "
                f"{spoken(engine.settings.max_age)} is worked. With --now it is published as if "
                "it had come now",
                NO,
            )
        if age < -engine.settings.skew:
            raise Failure(f"event {event.id} lies {spoken(-age)} in the future", NO)


def takers(session: Session, event: Event[Any]) -> list[Handler]:
    """The handlers of the app that take an event."""
    return [h for h in session.app.by_type.get(event.type, ()) if h.matches(event)]


def chains_of(session: Session, events: Iterable[Event[Any]]) -> list[str]:
    """The chains in which events are worked, each once."""
    found = [
        chain_of(session.ledger, event, handler)
        for event in events
        for handler in takers(session, event)
    ]
    return list(dict.fromkeys(found))


def standing(session: Session, chain: str) -> Summary | None:
    """How a chain stands; None where nothing of it is written yet."""
    stored = read_chain(session.ledger, chain)
    if stored is None:
        return None
    first = next((run.event for run in stored.runs if "hop" not in run.event), None)
    listed = Listed(
        chain,
        stored.opened,
        "" if first is None else str(first["type"]),
        "" if first is None else str(first["source"]),
        None if first is None else first.get("subject"),
        None,
    )
    return summarize_chain(stored, listed, session.app, session.clock())


def summary_as_json(summary: Summary) -> dict[str, Any]:
    """How a chain stands, for programs."""
    from crosswind.journal.trace import written

    return {
        "chain": summary.chain,
        "state": summary.state,
        "outcome": summary.outcome,
        "target": summary.target,
        "type": summary.type,
        "source": summary.source,
        "opened": written(summary.opened),
        "closed": None if summary.closed is None else written(summary.closed),
        "waits": summary.waits,
        "failed": summary.failed,
        "simulated": summary.simulated,
    }


def told(session: Session, summary: Summary) -> str:
    """How a chain stands, in a sentence."""
    chain, simulated = summary.chain[:8], " (simulated)" if summary.simulated else ""
    if summary.state == "closed":
        took = spoken((summary.closed or summary.opened) - summary.opened)
        return f"chain {chain} ended after {took}: {summary.outcome}{simulated}"
    waits = f"; it waits for {summary.waits}" if summary.waits else ""
    return f"chain {chain} is {summary.state}{waits}{simulated}"
