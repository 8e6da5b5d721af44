"""`crosswind events`: event types, and whether an event is one."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from crosswind.cli.completing import complete_type
from crosswind.cli.faults import NO
from crosswind.cli.options import works_with
from crosswind.cli.teaching import Family, Teaching

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.cli.session import Session
    from crosswind_events import EventData, InvalidEvent


@click.group(cls=Family)
def events() -> None:
    """Event types: what there is to say, and how it is written."""


@events.command(
    "list",
    cls=Teaching,
    examples=[
        ("Every type that Crosswind and the app know", "crosswind events list"),
        ("Also those of your own app", "crosswind events list --app policy:app"),
    ],
)
@works_with("app")
def list_(session: Session) -> None:
    """List the event types that the app and Crosswind know."""
    from rich import box
    from rich.table import Table

    from crosswind.cli.output import text
    from crosswind.graph.model import short

    types = session.app.codec.types
    session.output.document(
        [
            {
                "type": data.event_type,
                "class": data.__name__,
                "about": _about(data),
                "ends": data.ends,
                "taken_by": _takers(session.app, data),
            }
            for data in types
        ]
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("type", "what it says", "ends", "taken by"):
        table.add_column(name, overflow="fold")
    for data in types:
        takers = [name.rpartition(":")[2] for name in _takers(session.app, data)]
        table.add_row(
            text(short(data.event_type), "bold"),
            text(_about(data)),
            text(data.ends or "", "yellow"),
            text(", ".join(takers), "blue"),
        )
    session.output.show(table)


@events.command(
    cls=Teaching,
    examples=[
        ("What may stand in a report of a region", "crosswind events schema region.unhealthy")
    ],
)
@click.argument("type", shell_complete=complete_type)
@works_with("app")
def schema(session: Session, type: str) -> None:
    """Write the JSON Schema of an event type's data to stdout."""
    from pydantic_core import to_json

    from crosswind.cli.types import find_type

    model = find_type(session.app, type)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(),
        "title": model.event_type,
    }
    click.echo(to_json(document, indent=2))


@events.command(
    cls=Teaching,
    examples=[
        ("Is this a CloudEvent, and does its data fit its type?",
         "crosswind events validate event.json"),
        ("A batch from standard input", "crosswind events validate - --json < events.json"),
    ],
)  # fmt: skip
@click.argument("file", type=click.File("rb"))
@works_with("app")
def validate(session: Session, file: BinaryIO) -> None:
    """Check a structured CloudEvent, or a batch of them, and name every fault.

    FILE holds JSON, `-` is standard input. Exit code 1 says that something is wrong with it.
    """
    from crosswind.cli.output import text

    outcomes = _read(session.app, file.read())
    known = {data.event_type for data in session.app.codec.types}
    results = [_result(outcome, known) for outcome in outcomes]
    session.output.document(results)
    for number, result in enumerate(results):
        lead = f"{number}: " if len(results) > 1 else ""
        if result["valid"]:
            line = text(f"{lead}valid", "green").append(text(f" {result['type']} {result['id']}"))
            if not result["known"]:
                line.append("  (a type that nobody declares; its data is not checked)", "yellow")
            session.output.show(line)
        else:
            session.output.say(f"{lead}invalid", "bold red")
            for fault in result["faults"]:
                where = f"{fault['where']}: " if fault["where"] else ""
                session.output.say(f"  {where}{fault['problem']}")
    if not all(result["valid"] for result in results):
        raise click.exceptions.Exit(NO)


def _read(app: App, body: bytes) -> list[Any]:
    from crosswind_events import InvalidEvent

    try:
        if body.lstrip()[:1] == b"[":
            return list(app.codec.decode_batch(body))
        return [app.codec.decode(body)]
    except InvalidEvent as invalid:
        return [invalid]


def _result(outcome: Any, known: set[str]) -> dict[str, Any]:
    from crosswind_events import InvalidEvent

    if isinstance(outcome, InvalidEvent):
        return {"valid": False, "faults": _faults(outcome)}
    return {
        "valid": True,
        "id": outcome.id,
        "source": outcome.source,
        "type": outcome.type,
        "known": outcome.type in known,
    }


def _faults(invalid: InvalidEvent) -> list[dict[str, str]]:
    listed = [{"where": fault.where, "problem": fault.problem} for fault in invalid.faults]
    if invalid.unlisted:
        listed.append({"where": "", "problem": f"and {invalid.unlisted} more"})
    return listed


def _about(data: type[EventData]) -> str:
    """The first sentence of a type's documentation; that of a base class does not count."""
    words = inspect.cleandoc(data.__dict__.get("__doc__") or "")
    return words.partition("\n\n")[0].replace("\n", " ")


def _takers(app: App, data: type[EventData]) -> list[str]:
    return [handler.name for handler in app.by_type.get(data.event_type, ())]
