"""`crosswind package`: the artifact that a cloud runs."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from crosswind.cli.faults import LATER, NO, Failure
from crosswind.cli.options import works_with
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from rich.table import Table

    from crosswind.cli.output import Output
    from crosswind.cli.session import Session
    from crosswind.packaging.build import Loaded, Request
    from crosswind.packaging.platform import Named, Platform
    from crosswind.packaging.report import Built

CLOUDS: Final = ("aws",)
"""Whose adapters can package so far."""


@click.command(
    cls=Teaching,
    examples=[
        (
            "An artifact for AWS Lambda on Graviton, in ./dist",
            "crosswind package aws --app policy:app --runtime python3.13 --arch arm64",
        ),
        (
            "With what stands for the fleet in the account, so that its functions act",
            "crosswind package aws --app policy:app --runtime python3.13 --resources aws.yaml",
        ),
        (
            "What is in it, or every reason why it cannot be made, for programs",
            "crosswind package aws --app policy:app --runtime python3.13 --arch arm64 --json",
        ),
    ],
)
@click.argument("cloud", type=click.Choice(CLOUDS))
@click.option(
    "--group", metavar="NAME", help="Serve this group, unless its function names another."
)
@click.option(
    "--runtime",
    metavar="NAME",
    help="Such as python3.13; that of the Python which runs this, unless given.",
)
@click.option("--arch", metavar="NAME", help="x86_64 or arm64.  [default: x86_64]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("dist"),
    show_default=True,
    metavar="PATH",
    help="The artifact's file, if it ends in .zip, or the folder for it.",
)
@click.option(
    "--requirements",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What the app needs; ./requirements.txt unless given, or what pyproject.toml depends on.",
)
@click.option(
    "--resources",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What stands for the fleet in the account, such as aws.yaml: checked, packed as JSON, and "
    "given to the cloud's own performers.",
)
@click.option(
    "--find-links",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder of wheels, asked beside the index.",
)
@click.option("--offline", is_flag=True, help="Ask no index; take what was fetched before.")
@click.option("--compile", is_flag=True, help="Add bytecode: starts faster, and is larger.")
@click.option("--whole", is_flag=True, help="Leave no module out because nothing imports it.")
@click.option(
    "--bundle", multiple=True, metavar="PACKAGE", help="Pack it though the runtime has it."
)
@click.option("--include", multiple=True, metavar="GLOB", help="Pack these files too.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Never pack these.")
@click.option("--not-secret", multiple=True, metavar="GLOB", help="Files that hold no secret.")
@works_with("app", "fleet", "performers")
def package(
    session: Session,
    cloud: str,
    group: str | None,
    runtime: str | None,
    arch: str | None,
    out: Path,
    requirements: Sequence[Path],
    resources: Path | None,
    find_links: Sequence[Path],
    offline: bool,
    compile: bool,  # noqa: A002 - click names a parameter as its option
    whole: bool,
    bundle: Sequence[str],
    include: Sequence[str],
    exclude: Sequence[str],
    not_secret: Sequence[str],
) -> None:
    """Make the artifact that a cloud runs: your app, its fleet, Crosswind, and what all need.

    It is a zip that is the same, byte for byte, wherever it is made of the same things, so that its
    digest pins them. Beside it are written what is in it (CycloneDX) and a lock: requirements that
    name exactly its wheels. `.gitignore` and [tool.crosswind.package] of pyproject.toml say which
    files stay out.

    Exit code 1 says that it cannot be made as things are, and names every reason.
    """
    from crosswind.packaging.build import Request
    from crosswind.packaging.project import Rules

    if session.sources.app is None:
        raise Failure("say which app is to be packaged, with --app MODULE:ATTR")
    request = Request(
        root=Path.cwd(),
        app=session.sources.app,
        performers=session.sources.performers,
        resources=resources,
        group=group,
        runtime=runtime,
        architecture=arch,
        out=out,
        requirements=tuple(requirements),
        find_links=tuple(find_links),
        offline=offline,
        compile=compile,
        whole=whole,
        bundle=frozenset(name.lower() for name in bundle),
        rules=Rules(tuple(include), tuple(exclude), tuple(not_secret)),
    )
    built = _build(session, request, _platform(cloud))
    session.output.document(built.document())
    _show(session.output, built)


def _platform(cloud: str) -> Platform:
    """What the adapter of a cloud says; the core knows it by name only."""
    name = f"crosswind_{cloud}.package"
    try:
        found: Platform = importlib.import_module(name).PLATFORM
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise
        raise Failure(
            f"the adapter for {cloud} is not installed; pip install 'crosswind[{cloud}]'"
        ) from error
    return found


def _build(session: Session, request: Request, platform: Platform) -> Built:
    from crosswind.packaging.build import build
    from crosswind.packaging.faults import IndexUnreachable, PackagingFailed, ToolMissing

    try:
        return build(
            request, platform, lambda: _load(session), sys.modules, session.output.progress
        )
    except PackagingFailed as failed:
        faults = [
            {"rule": one.rule, "where": one.where, "problem": one.problem, "remedy": one.remedy}
            for one in failed.faults
        ]
        session.output.document({"faults": faults})
        raise Failure(str(failed), NO) from failed
    except IndexUnreachable as error:
        raise Failure(str(error), LATER) from error
    except ToolMissing as error:
        raise Failure(str(error)) from error


def _load(session: Session) -> Loaded:
    """Import what is asked for, as every command does."""
    from crosswind.cli.loading import load_performers
    from crosswind.errors import CrosswindError
    from crosswind.packaging.build import Loaded, NotLoaded

    sources = session.sources
    assert sources.app is not None
    try:
        app = session.app
        performers = None
        if sources.performers is not None:
            load_performers(sources.performers)  # says what is wrong with them
            performers = _performers(sources.performers)
        fleet = None if session.declared_path is None else session.fleet
    except (Failure, CrosswindError) as error:
        raise NotLoaded(str(error)) from error
    return Loaded(app, _app(sources.app), performers, fleet)


def _app(name: str) -> Named:
    """How an entry gets at an app that was loaded."""
    from crosswind.app import App
    from crosswind.packaging.platform import Named

    module, attribute, found = _found(name)
    return Named(module, attribute, factory=not isinstance(found, App))


def _performers(name: str) -> Named:
    """How an entry gets at performers that were loaded: one, several, or what a factory makes."""
    from crosswind.packaging.platform import Named

    module, attribute, found = _found(name)
    factory = isinstance(found, type) or not (_performs(found) or isinstance(found, Iterable))
    return Named(module, attribute, factory, single=_performs(found() if factory else found))


def _found(name: str) -> tuple[str, str, Any]:
    module, _, attribute = name.partition(":")
    return module, attribute, attrgetter(attribute)(sys.modules[module])


def _performs(found: Any) -> bool:
    return not isinstance(found, type) and hasattr(found, "perform")


def _show(output: Output, built: Built) -> None:
    from crosswind.cli.output import text

    for note in built.notes:
        output.notice(note)
    output.show(_table(built))
    left = ", ".join(f"{name} {version}" for name, version in built.provided)
    if left:
        output.say(f"left to the runtime: {left}")
    output.say(f"groups: {', '.join(built.groups)}; handler: {built.handler}")
    style = {True: "green", None: "yellow", False: "red"}[built.tried.passed]
    output.say(f"smoke import: {built.tried.words}", style)
    if not built.compiled:
        output.say("bytecode: none; --compile makes a cold start faster")
    target = f"{built.target.runtime.name} {built.target.architecture}"
    output.log(text(f"{built.path}  {target}  {_size(built.zipped)}", "bold"))
    output.log(text(f"sha256 {built.sha256}"))
    output.log(text(f"sbom   {built.sbom}"))
    output.log(text(f"lock   {built.lock}"))


def _table(built: Built) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("in the artifact")
    for heading in ("packed", "unpacked", "files", "left out"):
        table.add_column(heading, justify="right")
    table.add_column("which was")
    for part in built.parts:
        left = sum(part.left_out.values())
        most = sorted(part.left_out, key=lambda why: -part.left_out[why])
        was = ", ".join(most[:2]) + (" ..." if len(most) > 2 else "")
        table.add_row(
            part.title,
            _size(part.packed),
            _size(part.unpacked),
            str(part.files),
            _size(left) if left else "",
            was,
        )
    table.add_section()
    files = sum(part.files for part in built.parts)
    table.add_row("all", _size(built.zipped), _size(built.unzipped), str(files), "", "")
    return table


def _size(count: int) -> str:
    """Bytes for people: decimal, as clouds count them in their limits and prices."""
    return f"{count / 1e6:.2f} MB" if count >= 10_000 else f"{count / 1e3:.1f} kB"
