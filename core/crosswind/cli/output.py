"""What a command says: to people on a console, or to programs as JSON, never both.

Results go to stdout, everything else to stderr. Text from events and records is made printable
before it is shown, so that nobody writes to a person's terminal by way of an event.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

PIPE_WIDTH: Final = 160
"""Columns where the output is no terminal, and COLUMNS does not say otherwise."""

PATIENCE: Final = 1.0
"""Seconds after which a person is told that something is under way."""


class Output:
    """Where a command writes.

    Args:
        as_json: results are for a program.
    """

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    @cached_property
    def console(self) -> Console:
        """Results for people; without colour where NO_COLOR is set or it is no terminal."""
        return _console(sys.stdout, stderr=False)

    @cached_property
    def margin(self) -> Console:
        """Notices and progress for people, on stderr."""
        return _console(sys.stderr, stderr=True)

    def show(self, *renderables: RenderableType) -> None:
        """Show something to people; with `--json` nothing."""
        if not self.as_json:
            for renderable in renderables:
                self.console.print(renderable)

    def say(self, words: str, style: str = "") -> None:
        """Say a line to people; with `--json` nothing."""
        self.log(text(words, style))

    def log(self, line: Text) -> None:
        """Write a line that stays one, however long it is; with `--json` nothing."""
        if not self.as_json:
            self.console.print(line, soft_wrap=True)

    def notice(self, words: str) -> None:
        """Say something on stderr that is no result."""
        self.margin.print(text(words, "yellow"), soft_wrap=True)

    def document(self, value: Any) -> None:
        """Write the one JSON document of this command; without `--json` nothing."""
        if self.as_json:
            from pydantic_core import to_json

            click.echo(to_json(value, indent=2))

    def line(self, value: Any) -> None:
        """Write one JSON line; without `--json` nothing."""
        if self.as_json:
            from pydantic_core import to_json

            click.echo(to_json(value))
            sys.stdout.flush()

    @contextmanager
    def progress(self, words: str) -> Iterator[None]:
        """Show that something is under way, where it takes longer than a second."""
        if not sys.stderr.isatty():
            yield
            return
        import threading

        status = self.margin.status(text(words))
        timer = threading.Timer(PATIENCE, status.start)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            status.stop()


def printable(words: str) -> str:
    """Text in which nothing controls a terminal; line breaks stay."""
    if words.isprintable():
        return words
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in words)


def text(words: str, style: str = "") -> Text:
    """Text as it is, without markup."""
    from rich.text import Text

    return Text(printable(words), style=style)


def _console(stream: Any, *, stderr: bool) -> Console:
    from rich.console import Console

    width = None if stream.isatty() else int(os.environ.get("COLUMNS") or PIPE_WIDTH)
    return Console(
        stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=False, width=width
    )
