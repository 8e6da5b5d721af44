"""`crosswind stack rights`: what people who work with a deployed app need to be allowed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from crosswind.cli.adapters import adapter
from crosswind.cli.stackoptions import CLOUD, Place, placed
from crosswind.cli.stackrequests import app_of
from crosswind.cli.teaching import Teaching
from crosswind.stacks.desk import ROLES

if TYPE_CHECKING:
    from crosswind.cli.session import Session
    from crosswind.stacks.desk import Desk


@click.command(
    cls=Teaching,
    examples=[
        ("For who looks", "crosswind stack rights aws --stack crosswind-ops"),
        ("For who approves, freezes and redrives",
         "crosswind stack rights aws --stack crosswind-ops --for operator > operator.json"),
    ],
)  # fmt: skip
@CLOUD
@click.option(
    "--for",
    "role",
    type=click.Choice(ROLES),
    default="reader",
    show_default=True,
    help="reader: chains, trace, incident, report, dlq list. operator: also approve, freeze, "
    "publish, dlq redrive.",
)
@placed
def rights(session: Session, place: Place, role: Any) -> None:
    """Print the rights that people need for the commands that take --data CLOUD:STACK.

    It is a policy as the cloud has it, bound to what the stack itself says that it is made of.
    """
    with adapter(place.cloud, "stack") as found:
        desk: Desk = found.open_desk(place.stack, place.region, app_of(place))
    click.echo(json.dumps(desk.policy(role), indent=2))
