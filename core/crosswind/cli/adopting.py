"""`crosswind adopt`: a first fleet from what an account has."""

from __future__ import annotations

import importlib
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from crosswind.cli.durations import DURATION
from crosswind.cli.faults import NOTHING, Failure
from crosswind.cli.options import works_with
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from crosswind.adopting.drafts import Draft
    from crosswind.adopting.driver import Adopter, Tell
    from crosswind.adopting.found import Found
    from crosswind.cli.output import Output
    from crosswind.cli.session import Session
    from crosswind.fleet.declaration import Fleet

CLOUDS: Final = ("aws",)
"""Whose adapters can read an account so far."""

_SHOWN: Final = 20
_STDOUT: Final = "-"


@click.command(
    cls=Teaching,
    examples=[
        ("The rights that it needs, for whoever grants them", "crosswind adopt aws --print-policy"),
        ("A first fleet from all regions of the account", "crosswind adopt aws"),
        (
            "Two regions and what begins with chat, looked at before it is kept",
            "crosswind adopt aws --region us-east-1 --region eu-west-1 --only 'chat*' --out -",
        ),
        ("And then: is it sound?", "crosswind fleet validate fleet.yaml"),
    ],
)
@click.argument("cloud", type=click.Choice(CLOUDS))
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="NAME",
    help="Read this region; may be given repeatedly. All that are enabled, unless given.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="GLOB",
    help="Declare only workloads of such names; may be given repeatedly.",
)
@click.option("--name", default="main", show_default=True, metavar="NAME", help="Of the fleet.")
@click.option(
    "--out",
    default="fleet.yaml",
    show_default=True,
    metavar="FILE",
    help="Where the fleet is written; `-` prints it.",
)
@click.option("--force", is_flag=True, help="Write it even where that file exists.")
@click.option(
    "--within",
    type=DURATION,
    default="5m",
    show_default=True,
    metavar="DURATION",
    help="After this time nothing more is asked, and what was not read is named.",
)
@click.option(
    "--print-policy", is_flag=True, help="Print the rights that it needs; nothing is asked."
)
@works_with()
def adopt(
    session: Session,
    cloud: str,
    regions: Sequence[str],
    only: Sequence[str],
    name: str,
    out: str,
    force: bool,
    within: float,
    print_policy: bool,
) -> None:
    """Read an account, with rights to read only, and write a first fleet.yaml.

    What serves requests becomes workloads; alarms that watch it become evidence; weighted records
    give its shares. Budgets, keys and secrets are named, never what is in them. Each guess is
    marked GUESS, every mode is observe, and at the end of the file stands what was found and has no
    place in it, and what could not be read, with the right that is missing.

    Nothing is changed in the account, and a file is never written over without --force.
    """
    if print_policy:
        import json

        click.echo(json.dumps(_adapter(cloud).policy(), indent=2))
        return
    if out != _STDOUT and not force and os.path.lexists(out):
        raise Failure(f"{out} exists; name another file with --out, or write over it with --force")
    _named(name)
    from crosswind.adopting.driver import Scope
    from crosswind.adopting.mapping import draft

    with telling(session.output) as tell:
        found = opened(cloud).read(Scope(regions, within), tell)
    made = draft(found, only)
    for unread in found.unread:
        session.output.notice(str(unread))
    if not made.workloads:
        session.output.document(_document(found, made, None, None))
        where = f"{len(found.regions)} region(s) of account {found.account}"
        raise Failure(f"nothing that serves requests was found in {where}", NOTHING)
    _keep(session, found, made, name, out, force)


def _keep(session: Session, found: Found, made: Draft, name: str, out: str, force: bool) -> None:
    from datetime import UTC, datetime

    from crosswind.adopting.writing import write
    from crosswind.fleet.documents import MAX_BYTES
    from crosswind.fleet.load import parse_fleet

    today = datetime.fromtimestamp(session.clock(), UTC)
    text = write(found, made, name, f"{today:%Y-%m-%d}")
    if len(text.encode()) > MAX_BYTES:
        raise Failure(
            f"a fleet of {len(made.workloads):,} workloads would be larger than "
            f"{MAX_BYTES:,} bytes; name those that matter with --only"
        )
    fleet = parse_fleet(text)
    if out == _STDOUT:
        if not session.output.as_json:
            click.echo(text, nl=False)
    else:
        _write(Path(out), text, force)
    document = _document(found, made, fleet, None if out == _STDOUT else out)
    session.output.document({**document, "text": text} if out == _STDOUT else document)
    _told(session.output, found, made, out)


def _named(name: str) -> None:
    from pydantic import TypeAdapter, ValidationError

    from crosswind.fleet.quantities import FleetName

    try:
        TypeAdapter(FleetName).validate_python(name)
    except ValidationError:
        raise Failure(
            f"--name {name}: write small letters, digits and hyphens, at most 63"
        ) from None


def _write(path: Path, text: str, force: bool) -> None:
    """Write a file whole or not at all; one that appeared meanwhile is not written over."""
    if not force:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        return
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.write_text(text, encoding="utf-8")
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def _told(output: Output, found: Found, made: Draft, out: str) -> None:
    for left in made.left[:_SHOWN]:
        output.notice(f"not mapped: {left}")
    if len(made.left) > _SHOWN:
        output.notice(f"and {len(made.left) - _SHOWN:,} more, at the end of the file")
    counts = Counter(left.what for left in made.left)
    if out == _STDOUT:
        return
    hints = f", {len(made.hints)} perhaps" if made.hints else ""
    output.say(
        f"{out}: {len(made.workloads)} workload(s) in {len(made.regions)} region(s), "
        f"{len(made.alerts)} alarm(s) mapped{hints}",
        "green",
    )
    if counts:
        output.say("no place for " + ", ".join(f"{count} {what}" for what, count in counts.items()))
    if found.unread:
        output.say(f"{len(found.unread)} part(s) were not read", "yellow")
    output.say("Correct each GUESS, then: crosswind fleet validate " + out, "cyan")


def _document(found: Found, made: Draft, fleet: Fleet | None, out: str | None) -> dict[str, Any]:
    return {
        "out": out,
        "account": found.account,
        "regions": list(found.regions),
        "fleet": fleet.model_dump(mode="json", exclude_unset=True) if fleet else None,
        "hints": [hint._asdict() for hint in made.hints],
        "left": [left._asdict() for left in made.left],
        "unread": [unread._asdict() for unread in found.unread],
    }


def opened(cloud: str) -> Adopter:
    """Who reads an account of a cloud; the core knows the adapters by name only.

    Raises:
        Failure: it is not installed.
        NotAsked: its SDK is not.
    """
    adopter: Adopter = _adapter(cloud).open_account()
    return adopter


def _adapter(cloud: str) -> Any:
    name = f"crosswind_{cloud}.adopt"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise
        raise Failure(
            f"the adapter for {cloud} is not installed, or reads no account yet; "
            f"pip install 'crosswind[{cloud}]'"
        ) from error


@contextmanager
def telling(output: Output) -> Iterator[Tell]:
    """Shows how far the reading of an account is, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda words: None
        return
    from crosswind.cli.output import text

    with output.margin.status(text("reading the account")) as status:
        yield lambda words: status.update(text(words))
