"""The options of `crosswind stack`: which stack is meant, and how an artifact is deployed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click

from crosswind.cli.faults import LATER, NO, NOTHING, Failure
from crosswind.cli.options import works_with

if TYPE_CHECKING:
    from crosswind.cli.session import Session

F = TypeVar("F", bound=Callable[..., Any])

_INTERRUPTED: Final = 130
"""What shells say of a command that was ended by Ctrl-C."""

CLOUDS: Final = ("aws",)
"""Whose adapters have stacks so far."""


class Place(NamedTuple):
    """Which stack is meant."""

    cloud: str
    stack: str | None
    region: str | None


def placed(function: F) -> F:
    """The options that say which stack; `CLOUD` comes before all else that is typed."""

    @wraps(function)
    def command(
        session: Session, cloud: str, stack: str | None, region: str | None, **g: Any
    ) -> Any:
        with told():
            return function(session, Place(cloud, stack, region), **g)

    made: Any = click.option(
        "--region",
        metavar="NAME",
        help="Where the stack is; as the cloud's own tools are configured, unless given.",
    )(command)
    made = click.option(
        "--stack",
        metavar="NAME",
        envvar="CROSSWIND_STACK",
        show_envvar=True,
        help="Its name; crosswind-APP unless given.",
    )(made)
    return works_with()(made)  # type: ignore[no-any-return]  # click's decorators keep the function


def releasing(function: F) -> F:
    """The artifact, and the options that say how it is deployed."""
    made: Any = function
    for option in reversed(
        (
            click.argument(
                "artifact",
                required=False,
                type=click.Path(exists=True, dir_okay=False, path_type=Path),
            ),
            click.option(
                "--resources",
                type=click.Path(exists=True, dir_okay=False, path_type=Path),
                metavar="FILE",
                help="What stands for the fleet on the cloud; rights are bound to it.",
            ),
            click.option(
                "--grants",
                type=click.Path(exists=True, dir_okay=False, path_type=Path),
                metavar="FILE",
                help="Rights that kinds of action and query of your own need, by kind.",
            ),
            click.option(
                "--share-fate",
                is_flag=True,
                help="Host a failover where it may be lost with the region that it leaves.",
            ),
            click.option(
                "--signals",
                metavar="GROUP",
                help="Which group hears what the cloud itself says of regions, or none; the first "
                "by name that takes such events, unless given.",
            ),
            click.option(
                "--memory",
                type=int,
                default=512,
                show_default=True,
                metavar="MB",
                help="Of each function; its share of processors grows with it.",
            ),
            click.option(
                "--timeout",
                type=int,
                default=30,
                show_default=True,
                metavar="SECONDS",
                help="Of one call of a function.",
            ),
            click.option(
                "--concurrency",
                type=int,
                default=10,
                show_default=True,
                metavar="N",
                help="Calls of each function at a time, reserved for it; 0 reserves nothing.",
            ),
            click.option(
                "--retention",
                type=int,
                default=30,
                show_default=True,
                metavar="DAYS",
                help="For which logs are kept.",
            ),
            click.option(
                "--max-age",
                type=int,
                default=900,
                show_default=True,
                metavar="SECONDS",
                help="That an event may wait before an alarm is raised.",
            ),
            click.option(
                "--notify", multiple=True, metavar="ARN", help="The topic that alarms tell."
            ),
        )
    ):
        made = option(made)
    return made  # type: ignore[no-any-return]  # click's decorators keep the function


CLOUD: Final = click.argument("cloud", type=click.Choice(CLOUDS))
LOOK_ONLY: Final = click.option(
    "--look-only",
    is_flag=True,
    help="Compare templates; change nothing even for a moment, as a change set does.",
)
YES: Final = click.option(
    "--yes", is_flag=True, help="Do not ask; needed where there is no terminal."
)


@contextmanager
def told() -> Iterator[None]:
    """What each error about a stack means for whoever typed the command."""
    from crosswind.packaging.manifest import NoArtifact
    from crosswind.stacks.driver import Busy, Denied, Interrupted, NotDeployed, Reverted, Stuck
    from crosswind.stacks.history import NoSuchRelease
    from crosswind.stacks.release import NotDeployable

    try:
        yield
    except (NotDeployed, NoSuchRelease) as error:
        raise Failure(str(error), NOTHING) from error
    except Busy as error:
        raise Failure(str(error), LATER) from error
    except Interrupted as error:
        raise Failure(str(error), _INTERRUPTED) from error
    except (Denied, NotDeployable, Reverted, Stuck) as error:
        raise Failure(str(error), NO) from error
    except NoArtifact as error:
        raise Failure(str(error)) from error
