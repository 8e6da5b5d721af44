"""The command `crosswind`: its sections, and what is said of it as a whole."""

from __future__ import annotations

import click

from crosswind.cli.adopting import adopt
from crosswind.cli.approving import approve
from crosswind.cli.braking import break_glass, freeze
from crosswind.cli.chains import chains
from crosswind.cli.completion import completion
from crosswind.cli.deadletters import dlq
from crosswind.cli.drilling import drill
from crosswind.cli.events import events
from crosswind.cli.fleets import fleet
from crosswind.cli.graphing import graph
from crosswind.cli.incidents import incident
from crosswind.cli.packaging import package
from crosswind.cli.publish import publish
from crosswind.cli.replaying import replay
from crosswind.cli.reporting import report
from crosswind.cli.run import run
from crosswind.cli.signals import signal
from crosswind.cli.stacking import stack
from crosswind.cli.teaching import Root
from crosswind.cli.tracing import trace

SECTIONS = {
    "Work": (run, publish, signal),
    "Look": (chains, trace, incident, report, replay, graph),
    "Drill": (drill,),
    "Decide": (approve, freeze, break_glass, dlq),
    "Declare": (events, fleet, adopt),
    "Deploy": (package, stack),
    "Shell": (completion,),
}


@click.command(
    cls=Root,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 the answer is no, 2 wrong usage or bad input, 3 nothing found, "
    "4 not possible for now. Results go to stdout, notices and errors to stderr.",
)
@click.version_option(package_name="crosswind", message="%(prog)s %(version)s")
def crosswind() -> None:
    """React to what happens in AI deployments on several clouds, and see why.

    Begin with `crosswind publish --help`; everything is kept in one file in ./.crosswind, and
    nothing outside is changed before a fleet is declared that says so.
    """
