"""Commands whose help holds examples, and a group that shows them by section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from crosswind.cli.faults import explained

DEBUG = "crosswind.debug"

Example = tuple[str, str]
"""What an example does, and its command line."""


class Teaching(click.Command):
    """A command with examples in its help.

    In an example, words in capitals such as CHAIN stand for what a person fills in.
    """

    def __init__(self, *args: Any, examples: Sequence[Example] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, one under the other, each with what it does."""
        if self.examples:
            with formatter.section("Examples"):
                for what, line in self.examples:
                    formatter.write_text(f"# {what}")
                    # Not wrapped: it is to be copied.
                    formatter.write(f"{' ' * formatter.current_indent}{line}\n")
        super().format_epilog(ctx, formatter)


class Family(click.Group):
    """A group of commands about one subject."""

    command_class = Teaching

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are defined."""
        return list(self.commands)


class Root(Family):
    """The command `crosswind`.

    Args:
        sections: names of commands by heading, in the order in which help shows them.
    """

    def __init__(
        self, *args: Any, sections: Mapping[str, Sequence[click.Command]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections
        for commands in sections.values():
            for command in commands:
                self.add_command(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """By section."""
        width = max(len(name) for name in self.commands)
        for heading, commands in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [
                        (f"{command.name or '':<{width}}", command.get_short_help_str(90))
                        for command in commands
                    ]
                )

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what goes wrong becomes one message and an exit code."""
        try:
            return super().invoke(ctx)
        except click.ClickException as failure:
            if ctx.meta.get(DEBUG) and failure.__cause__ is not None:
                import traceback

                traceback.print_exception(failure.__cause__)
            raise
        except (click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            told = None if ctx.meta.get(DEBUG) else explained(error)
            if told is None:
                raise
            raise told from error
