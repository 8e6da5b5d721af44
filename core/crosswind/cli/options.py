"""The options that commands share, and the session that they open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from crosswind.cli.data import DATA, DataType, DeployedData
from crosswind.cli.durations import DURATION
from crosswind.cli.faults import Failure
from crosswind.cli.output import Output
from crosswind.cli.session import Session, Sources
from crosswind.cli.teaching import DEBUG

F = TypeVar("F", bound=Callable[..., Any])

_SOURCES: Final = ("app", "data", "fleet", "world", "performers")

_OPTIONS: Final = {
    "app": click.option(
        "--app",
        metavar="MODULE:ATTR",
        envvar="CROSSWIND_APP",
        show_envvar=True,
        help="Your App, or a factory of it. The built-in failover chain unless given.",
    ),
    "data": click.option(
        "--data",
        metavar="FILE|CLOUD:STACK",
        type=DataType(),
        envvar="CROSSWIND_DATA",
        show_envvar=True,
        default=DATA,
        show_default=True,
        help="Where state and events are kept: a file, created where it is needed, or a deployed "
        "stack such as aws:crosswind-ops or aws:crosswind-ops@eu-west-1.",
    ),
    "fleet": click.option(
        "--fleet",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="CROSSWIND_FLEET",
        show_envvar=True,
        help="The fleet's declaration; ./fleet.yaml where there is one, else a demonstration.",
    ),
    "world": click.option(
        "--world",
        metavar="DIR",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of a world of local processes that actions and queries are to reach.",
    ),
    "performers": click.option(
        "--performers",
        metavar="MODULE:ATTR",
        envvar="CROSSWIND_PERFORMERS",
        show_envvar=True,
        help="Your performers, a list or a factory of one: they act and answer.",
    ),
}


def _debug(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[DEBUG] = True


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Write JSON for programs to stdout, nothing else."
)
debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=_debug,
    help="Show where an error comes from.",
)


def _shared() -> dict[str, click.Option]:
    """The options above by name, as commands carry them."""

    def nothing() -> None:
        """Carries them."""

    decorated: Any = nothing
    for option in reversed([*_OPTIONS.values(), json_option, debug_option]):
        decorated = option(decorated)
    command = click.command(decorated)
    return {
        option.name: option
        for option in command.params
        if isinstance(option, click.Option) and option.name is not None
    }


SHARED: Final = _shared()
"""Options that many commands have, by name."""


def works_with(*sources: str, creates: bool = False) -> Callable[[F], F]:
    """Give a command a `Session` as its first argument, and the options for what it works with.

    Args:
        sources: of `app`, `data`, `fleet`, `world` and `performers`.
        creates: whether the file of `--data` is created where there is none; without it the
            command ends there, as nothing is recorded.
    """

    def decorate(function: F) -> F:
        @wraps(function)
        def command(as_json: bool, **given: Any) -> Any:
            named = {name: given.pop(name, None) for name in _SOURCES}
            named["data"] = named["data"] or DATA
            sources = Sources(**named, typed=_typed())
            _check(sources, given)
            with Session(sources, Output(as_json), creates=creates) as session:
                return function(session, **given)

        decorated: Any = debug_option(json_option(command))
        for name in reversed([name for name in _SOURCES if name in sources]):
            decorated = _OPTIONS[name](decorated)
        return decorated  # type: ignore[no-any-return]  # click's decorators keep the function

    return decorate


def _check(sources: Sources, given: Mapping[str, Any]) -> None:
    """Refuse what makes no sense where nothing works on this machine."""
    if not isinstance(sources.data, DeployedData):
        return
    if sources.world is not None:
        raise Failure(
            f"--world names processes of this machine, and {sources.data} acts on what its "
            "performers reach there; leave --world out"
        )
    if given.get("wait"):
        raise Failure(
            f"--wait is for work on this machine, and the functions of {sources.data} work by "
            "themselves; leave it out, and look with: crosswind trace"
        )


def _typed() -> frozenset[str]:
    """The shared options that stood on the command line, not in the environment."""
    ctx = click.get_current_context()
    return frozenset(
        name
        for name in _SOURCES
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    )


def performing(function: F) -> F:
    """The options of commands that let events be worked; see `works_with`."""
    return works_with("app", "data", "fleet", "world", "performers", creates=True)(function)


def working(function: F) -> F:
    """The options of commands that work what is due afterwards."""
    options: Iterable[Callable[[Any], Any]] = (
        click.option("--no-work", is_flag=True, help="Leave the work to `crosswind run`."),
        click.option(
            "--wait",
            type=DURATION,
            default=0.0,
            metavar="DURATION",
            help="Also wait for timers that fall due within this time, such as 30s.",
        ),
    )
    for option in options:
        function = option(function)
    return function
