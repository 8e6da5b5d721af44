"""`crosswind graph`: the chains of an app, drawn."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crosswind.cli.faults import Failure
from crosswind.cli.options import works_with
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from crosswind.cli.session import Session

_SUFFIXES = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".md": "mermaid"}


@click.command(
    cls=Teaching,
    examples=[
        ("As Mermaid text", "crosswind graph"),
        ("As a picture of your own app", "crosswind graph --app policy:app -o chains.svg"),
        ("As data", "crosswind graph --json"),
    ],
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "svg"]),
    help="Told by the suffix of --output unless given; mermaid without either.",
)
@click.option(
    "-o",
    "--output",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it there instead of to stdout.",
)
@works_with("app")
def graph(session: Session, form: str | None, file: Path | None) -> None:
    """Draw which events lead to which handlers, and these to which events.

    It is read from the annotations of the handlers, which the engine enforces. Timers are dashed,
    branches thick, chains that are started dotted; events that end their chain are marked.
    """
    from crosswind.graph import mermaid, svg
    from crosswind.graph.model import build

    built = build(session.app)
    if form is None:
        form = "mermaid" if file is None else _SUFFIXES.get(file.suffix.lower())
    if form is None:
        raise Failure(f"{file} does not say what to draw; give --format mermaid or --format svg")
    drawn = svg.draw(built) if form == "svg" else mermaid.draw(built)
    session.output.document(asdict(built))
    if file is not None:
        file.write_text(drawn, encoding="utf-8")
        session.output.notice(f"{file} holds the graph of {built.name}")
    elif not session.output.as_json:
        click.echo(drawn, nl=False)
