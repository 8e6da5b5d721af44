"""The reference of the command line, written from the commands themselves.

    python -m crosswind.cli.reference > docs/cli.md

A test fails where `docs/cli.md` is not what this writes, and another where an example does not run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from crosswind.cli.faults import CODES
from crosswind.cli.options import SHARED
from crosswind.cli.root import crosswind
from crosswind.cli.teaching import Root, Teaching

_BEGINNING = """\
# The command line

<!-- Written by `python -m crosswind.cli.reference`; change the commands, not this file. -->

`pip install 'crosswind[cli]'` brings the command `crosswind`; `python -m crosswind` is the same.

Everything is kept in one file, `.crosswind/crosswind.sqlite` in the working folder unless `--data`
names another, or the [stack of a deployed app](aws.md#the-same-commands-on-a-stack). Without a
`fleet.yaml` the commands work on a small demonstration fleet, say so, and only observe. In the
examples words in capitals, such as CHAIN, stand for what you fill in; an id may be shortened as
long as it stays unique.

Results go to stdout, notices and errors to stderr. `--json` writes one JSON document, or a JSON
line for each event of `crosswind run`, and nothing else. Colour is for terminals; `NO_COLOR` turns
it off.
"""


def reference() -> str:
    """The whole reference, Markdown."""
    return "\n".join(_lines(crosswind))


def _lines(root: Root) -> Iterator[str]:
    yield _BEGINNING
    yield "## Exit codes\n"
    yield "| code | meaning |"
    yield "|---|---|"
    yield from (f"| {code} | {meaning} |" for code, meaning in CODES.items())
    yield ""
    with click.Context(root, info_name="crosswind") as ctx:
        for heading, commands in root.sections.items():
            yield f"## {heading}\n"
            for command in commands:
                yield from _command(command, ctx)
        yield "## Options that commands share\n"
        yield "| option | meaning |"
        yield "|---|---|"
        yield from (_option(option, ctx) for option in SHARED.values())
        yield ""


def _command(command: click.Command, parent: click.Context) -> Iterator[str]:
    ctx = click.Context(command, info_name=command.name, parent=parent)
    with ctx:
        if isinstance(command, click.Group):
            yield f"### {ctx.command_path}\n"
            yield f"{_paragraphs(command)}\n"
            for name in command.list_commands(ctx):
                yield from _command(command.commands[name], ctx)
            return
        yield f"### {ctx.command_path}\n"
        yield f"`{' '.join([ctx.command_path, *command.collect_usage_pieces(ctx)])}`\n"
        yield f"{_paragraphs(command)}\n"
        if isinstance(command, Teaching) and command.examples:
            yield "```sh"
            for what, line in command.examples:
                yield f"# {what}"
                yield line
            yield "```\n"
        options = [p for p in command.params if isinstance(p, click.Option)]
        own = [option for option in options if option.name not in SHARED]
        if own:
            yield "| option | meaning |"
            yield "|---|---|"
            yield from (_option(option, ctx) for option in own)
            yield ""
        shared = [SHARED[o.name].opts[-1] for o in options if o.name in SHARED]
        if shared:
            yield f"Also {', '.join(f'`{name}`' for name in shared)}.\n"


def _paragraphs(command: click.Command) -> str:
    paragraphs = (command.help or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _option(option: click.Option, ctx: click.Context) -> str:
    names, words = option.get_help_record(ctx) or ("", "")
    cells = (f"`{names}`", " ".join(words.split()))
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(reference())
