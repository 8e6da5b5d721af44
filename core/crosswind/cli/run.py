"""`crosswind run`: a worker on this machine."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

import click

from crosswind.cli.data import on_this_machine
from crosswind.cli.durations import DURATION
from crosswind.cli.faults import Failure
from crosswind.cli.options import performing
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from crosswind.cli.session import Session


@click.command(
    cls=Teaching,
    examples=[
        ("Work until Ctrl-C, and send the ticks of schedules", "crosswind run"),
        ("Work what is due and stop", "crosswind run --until-idle"),
        ("Also wait for timers of the next ten seconds", "crosswind run --until-idle --wait 10s"),
        ("One group of your own app, its log as JSON lines",
         "crosswind run --app policy:app --group policy --until-idle --json"),
    ],
)  # fmt: skip
@click.option("--group", "groups", multiple=True, help="Only this group; may be given repeatedly.")
@click.option("--until-idle", is_flag=True, help="Stop when nothing is due.")
@click.option(
    "--wait",
    type=DURATION,
    default=0.0,
    metavar="DURATION",
    help="With --until-idle: also wait for timers that fall due within this time.",
)
@performing
def run(session: Session, groups: tuple[str, ...], until_idle: bool, wait: float) -> None:
    """Work events as they come: receive, decide, act, acknowledge.

    Any number of workers may share one data file; killing one loses nothing. Each event worked is
    a line: when, in which chain, who worked it, and what it led to.
    """
    from crosswind.cli.working import Working

    data = on_this_machine(
        session.sources.data,
        "crosswind run",
        "there the functions of the stack work: crosswind stack status shows how they fare",
    )
    unknown = [group for group in groups if group not in session.app.groups]
    if unknown:
        raise Failure(
            f"app {session.app.name} has no group {', '.join(unknown)}; it has: "
            f"{', '.join(session.app.groups)}"
        )
    working = Working(session, groups=groups or None, as_worker=True)
    names = ", ".join(working.worker.groups)
    if until_idle:
        working.until_idle(wait)
        session.output.say(f"nothing is due any more; {working.count} event(s) were worked")
        return
    stop = threading.Event()
    _stop_on_signals(stop)
    session.output.notice(f"working {names} on {data}; stop with Ctrl-C")
    working.worker.run(stop)
    session.output.notice(f"stopped; {working.count} event(s) were worked")


def _stop_on_signals(stop: threading.Event) -> None:
    """Finish what is in hand on the first signal; a second one ends the process at once."""

    def ask(number: int, frame: Any) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
