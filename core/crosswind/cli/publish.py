"""`crosswind publish`: an event by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import click

from crosswind.cli.completing import complete_type
from crosswind.cli.faults import Failure
from crosswind.cli.options import performing, working
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from crosswind.cli.session import Session


@click.command(
    cls=Teaching,
    examples=[
        (
            "Report by hand that a region fails",
            "crosswind publish region.unhealthy --subject aws/us-east-1 --data-json "
            """'{"region": "aws/us-east-1", "evidence": "operator", "reason": "no answers"}'""",
        ),
        (
            "The same, its data from a file, to be worked by `crosswind run`",
            "crosswind publish region.unhealthy unhealthy.json --no-work",
        ),
    ],
)
@click.argument("type", shell_complete=complete_type)
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--data-json", metavar="JSON", help="The event's data; {} unless given.")
@click.option("--subject", help="What the event is about, such as a region.")
@click.option("--source", help="Who says so; the user of this machine unless given.")
@click.option(
    "--id", "identity", help="Its id; the same id again is a duplicate. New if not given."
)
@working
@performing
def publish(
    session: Session,
    type: str,
    file: BinaryIO | None,
    data_json: str | None,
    subject: str | None,
    source: str | None,
    identity: str | None,
    no_work: bool,
    wait: float,
) -> None:
    """Publish one event, work what is due, and say what came of it.

    TYPE is the full name of an event type, or its end: `region.unhealthy`. FILE holds the event's
    data as JSON, `-` is standard input. The data is checked against the type before anything is
    published; `crosswind events schema TYPE` shows what it may hold.
    """
    from crosswind.cli import publishing
    from crosswind.cli.types import find_type

    if file is not None and data_json is not None:
        raise Failure("give the data either as FILE or with --data-json, not both")
    model = find_type(session.app, type)
    text = file.read() if file is not None else data_json or "{}"
    event = _event(session, model, text, subject, source, identity)
    publishing.publish(session, [event], work=not no_work, wait=wait)


def _event(
    session: Session,
    model: Any,
    text: str | bytes,
    subject: str | None,
    source: str | None,
    identity: str | None,
) -> Any:
    """The event, read as if it had come from elsewhere, so that every fault is named."""
    import uuid
    from datetime import UTC, datetime
    from urllib.parse import quote

    from pydantic_core import from_json, to_json

    try:
        data = from_json(text)
    except ValueError as error:
        raise Failure(f"the data is no JSON: {error}") from error
    document = {
        "specversion": "1.0",
        "id": identity or str(uuid.uuid4()),
        "source": source or f"//crosswind/operator/{quote(session.operator, safe='@:')}",
        "type": model.event_type,
        "time": datetime.now(UTC).isoformat(),
        "data": data,
    }
    if subject is not None:
        document["subject"] = subject
    return session.app.codec.decode(to_json(document))
