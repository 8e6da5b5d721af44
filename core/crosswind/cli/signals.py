"""`crosswind signal`: a cloud's own notification, as neutral events."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from crosswind.cli.durations import spoken
from crosswind.cli.faults import NO, NOTHING, Failure
from crosswind.cli.options import performing, working
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from crosswind.cli.session import Session
    from crosswind.signals import Translated
    from crosswind_events import Event


@click.command(
    cls=Teaching,
    examples=[
        ("See what a CloudWatch alarm means, and publish nothing",
         "crosswind signal alarm.json --cloud aws --dry-run"),
        ("Work an old sample as if it had come now",
         "crosswind signal alarm.json --cloud aws --now"),
        ("From standard input, for programs",
         "crosswind signal - --cloud aws --dry-run --json < alarm.json"),
    ],
)  # fmt: skip
@click.argument("file", type=click.File("rb"))
@click.option(
    "--cloud",
    type=click.Choice(["aws", "gcp", "azure"]),
    required=True,
    help="Whose notification it is.",
)
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME=VALUE",
    help="A message attribute or HTTP header beside the body; may be given repeatedly.",
)
@click.option("--now", is_flag=True, help="As if it had come now, whatever time it carries.")
@click.option("--dry-run", is_flag=True, help="Show the events, and publish nothing.")
@working
@performing
def signal(
    session: Session,
    file: BinaryIO,
    cloud: str,
    attributes: Sequence[str],
    now: bool,
    dry_run: bool,
    no_work: bool,
    wait: float,
) -> None:
    """Translate a native notification, publish what it means, work it, and say what came of it.

    FILE holds the notification as it arrives, in whatever envelopes (EventBridge, SNS, SQS,
    Pub/Sub, Event Grid); `-` is standard input. What cannot be read is refused with all its
    faults, and does not touch its neighbours in a batch. What was sent so long ago that it would
    not be worked is published as if it had come now, and that is said.
    """
    from crosswind.cli import publishing
    from crosswind.signals import MAX_BYTES

    payload = file.read(MAX_BYTES + 1)
    outcomes = _translate(cloud, payload, _attributes(attributes))
    events: list[Event[Any]] = []
    notes: list[dict[str, Any]] = []
    for outcome in outcomes:
        if isinstance(outcome, list):
            events += (
                outcome
                if dry_run and not now
                else [_renewed(session, event, always=now) for event in outcome]
            )
        else:
            notes.append(_note(outcome))
    for note in notes:
        if note["outcome"] == "rejected":
            session.output.notice(f"rejected: {note['reason']}")
        else:
            session.output.notice(f"ignored{_kind(note)}: {note['reason']}")
    rejected = any(note["outcome"] == "rejected" for note in notes)
    if events and not dry_run:
        publishing.publish(session, events, work=not no_work, wait=wait, other=notes)
    else:
        _show(session, events, notes)
    if rejected:
        raise Failure("not every record could be read; see above", NO)
    if not events:
        raise Failure("nothing in it says anything about the health of a region", NOTHING)


def _translate(cloud: str, payload: bytes, attributes: dict[str, str]) -> list[Translated]:
    """By the adapter of the cloud, which the core knows by name only."""
    name = f"crosswind_{cloud}.signals"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise
        raise Failure(
            f"the adapter for {cloud} is not installed; pip install 'crosswind[{cloud}]'"
        ) from error
    translated: list[Translated] = module.translate_each(payload, attributes)
    return translated


def _attributes(given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise Failure(f"--attribute {one}: write it as NAME=VALUE")
        found[name] = value
    return found


def _renewed(session: Session, event: Event[Any], *, always: bool) -> Event[Any]:
    """An event as if it had come now, where that is wanted or it is too old to be worked."""
    from datetime import UTC, datetime

    age = session.clock() - event.time.timestamp()
    if not always:
        if age <= session.engine.settings.max_age:
            return event
        session.output.notice(
            f"It was sent {spoken(age)} ago; it is published as if it had come now."
        )
    return replace(event, time=datetime.fromtimestamp(session.clock(), UTC))


def _note(outcome: Any) -> dict[str, Any]:
    from crosswind.signals import SignalRejected

    if isinstance(outcome, SignalRejected):
        faults = [{"where": fault.where, "problem": fault.problem} for fault in outcome.faults]
        return {"outcome": "rejected", "reason": str(outcome), "faults": faults}
    return {"outcome": "ignored", "reason": outcome.reason, "kind": outcome.kind}


def _kind(note: dict[str, Any]) -> str:
    return f" ({note['kind']})" if note["kind"] else ""


def _show(session: Session, events: Sequence[Event[Any]], notes: Sequence[dict[str, Any]]) -> None:
    from pydantic_core import from_json

    from crosswind.cli.output import text
    from crosswind.graph.model import short
    from crosswind.journal.rendering import lines

    documents = [from_json(session.app.codec.encode(event)) for event in events]
    session.output.document({"events": documents, "other": list(notes)})
    for document in documents:
        session.output.show(text(short(document["type"]), "bold"))
        for line in lines({k: v for k, v in document.items() if k != "specversion"}, "  "):
            session.output.say(line)
