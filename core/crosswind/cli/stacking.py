"""`crosswind stack`: an app deployed on a cloud, planned, applied, looked at and taken away."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from crosswind.cli.faults import NO, NOTHING, Failure
from crosswind.cli.stackoptions import CLOUD, LOOK_ONLY, YES, Place, placed, releasing
from crosswind.cli.stackrequests import app_of, driver_of, request
from crosswind.cli.stackrights import rights
from crosswind.cli.teaching import Family

if TYPE_CHECKING:
    from crosswind.cli.session import Session
    from crosswind.stacks.driver import Driver
    from crosswind.stacks.plan import Plan

_SHORT: Final = 12


@click.group(name="stack", cls=Family)
def stack() -> None:
    """Deploy an app to a cloud, through the cloud's own engine.

    Begin with an artifact (crosswind package --help), then see what would be done with
    `crosswind stack plan aws`. Nothing is changed before `apply` is told yes.
    """


@stack.command(
    examples=[
        ("What would be done with the artifact in ./dist", "crosswind stack plan aws"),
        (
            "With rights to look only, for programs",
            "crosswind stack plan aws dist/ARTIFACT.zip --look-only --json",
        ),
    ]
)
@CLOUD
@releasing
@LOOK_ONLY
@placed
def plan(session: Session, place: Place, look_only: bool, **asked: Any) -> None:
    """Show what deploying an artifact would add, change, replace and remove.

    ARTIFACT is that in ./dist, where there is one. The cloud itself is asked; where these
    credentials may only look, templates are compared instead. Exit code 1 says that it must not be
    applied as it is, and why.
    """
    asked_for = request(place.cloud, look_only=look_only, **asked)
    driver = driver_of(place, asked_for.release.app)
    with session.output.progress("asking what would change"):
        made = driver.plan(asked_for)
    session.output.document(made.document())
    _show(session, made)
    if made.refusals:
        raise click.exceptions.Exit(NO)


@stack.command(
    examples=[
        ("See what would be done, and be asked", "crosswind stack apply aws"),
        ("Without being asked", "crosswind stack apply aws dist/ARTIFACT.zip --yes"),
    ]
)
@CLOUD
@releasing
@YES
@placed
def apply(session: Session, place: Place, yes: bool, **asked: Any) -> None:
    """Deploy an artifact; if anything fails, all goes back to what stood before.

    The artifact is uploaded under its digest, then the cloud's own engine makes the change, and
    each step is shown. A group that is no longer in the app goes in two steps: what feeds it at
    once, its queue when that is empty. Exit code 1: refused, or taken back; 4: somebody else
    changes it; 130: ended by Ctrl-C, and said what is left.
    """
    asked_for = request(place.cloud, look_only=False, **asked)
    driver = driver_of(place, asked_for.release.app)
    with session.output.progress("asking what would change"):
        made = driver.plan(asked_for)
    _carry_out(session, driver, made, yes, "Apply")


@stack.command(
    examples=[
        ("Return to what was deployed before", "crosswind stack rollback aws"),
        ("Return to a release of the history", "crosswind stack rollback aws DIGEST"),
    ]
)
@CLOUD
@click.argument("digest", required=False)
@YES
@placed
def rollback(session: Session, place: Place, digest: str | None, yes: bool) -> None:
    """Deploy an earlier release again, as it was: its artifact, and its template.

    DIGEST is the beginning of that of a release in the history; the one before unless given.
    """
    driver = driver_of(place, app_of(place))
    with session.output.progress("asking what would change"):
        made = driver.plan_return(digest)
    _carry_out(session, driver, made, yes, "Return to")


@stack.command(
    examples=[
        ("How the app in ./dist fares", "crosswind stack status aws"),
        ("By name, for programs", "crosswind stack status aws --stack crosswind-ops --json"),
    ]
)
@CLOUD
@placed
def status(session: Session, place: Place) -> None:
    """Show each group's function, queues, dead letters and raised alarms.

    Exit code 1 says that something is not as it should be; 3 that there is no such stack.
    """
    with session.output.progress("looking"):
        found = driver_of(place, app_of(place)).status()
    session.output.document(found.document())
    from crosswind.cli.stackview import standing, troubles

    session.output.show(standing(found))
    for line in troubles(found):
        session.output.say(line, "yellow")
    if found.troubles:
        raise click.exceptions.Exit(NO)


@stack.command(examples=[("What was deployed, and when", "crosswind stack history aws")])
@CLOUD
@placed
def history(session: Session, place: Place) -> None:
    """Show what was deployed, by whom, and what was taken back and why."""
    from crosswind.cli.stackview import releases

    found = driver_of(place, app_of(place)).history()
    if not found:
        raise Failure("nothing was deployed yet; see: crosswind stack apply --help", NOTHING)
    session.output.document([one.document() for one in found])
    session.output.show(releases(found))


@stack.command(
    examples=[
        ("Take everything away, and be asked", "crosswind stack remove aws"),
        (
            "Though events are waiting, which are lost",
            "crosswind stack remove aws --stack NAME --yes --lose-messages",
        ),
    ]
)
@CLOUD
@click.option("--lose-messages", is_flag=True, help="Though queues hold events that are lost.")
@YES
@placed
def remove(session: Session, place: Place, lose_messages: bool, yes: bool) -> None:
    """Take everything away: functions, queues, rules, logs, state, artifacts and the history.

    It is refused while queues hold events, as these would be lost. It can be run again where it
    was interrupted.
    """
    driver = driver_of(place, app_of(place))
    held = {} if lose_messages else _held(driver)
    if held:
        listed = ", ".join(f"{count} in {group}" for group, count in held.items())
        raise Failure(
            f"queues hold events, which would be lost: {listed}; wait until they are worked, or "
            "give --lose-messages",
            NO,
        )
    if not yes:
        _ask("Remove the stack, its state and its history?")
    from crosswind.cli.stackview import Following

    with Following(session.output, 0, "removing") as following:
        driver.remove(following.tell)
    session.output.document({"removed": True})
    session.output.say("removed; nothing is left", "green")


@stack.command(
    examples=[
        ("For your own pipeline", "crosswind stack export aws --out template.json"),
        (
            "As Terraform",
            "crosswind stack export aws --format terraform --out crosswind.tf.json",
        ),
    ]
)
@CLOUD
@releasing
@click.option(
    "--format",
    "form",
    type=click.Choice(["cloudformation", "terraform"]),
    default="cloudformation",
    show_default=True,
    help="What the other tool reads.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Instead of stdout.",
)
@placed
def export(session: Session, place: Place, form: Any, out: Path | None, **asked: Any) -> None:
    """Write the whole stack as a document that another tool applies.

    Nothing is asked of the cloud. Two-step removal, history and the refusal to share a region's
    fate are what `crosswind stack apply` does; whoever applies otherwise sees to them.
    """
    asked_for = request(place.cloud, look_only=True, **asked)
    text = driver_of(place, asked_for.release.app).export(asked_for, form)
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    session.output.document({"file": str(out), "format": form, "digest": asked_for.release.digest})
    session.output.say(f"{out}: {form} for {asked_for.release.digest[:_SHORT]}")


stack.add_command(rights)


def _held(driver: Driver) -> dict[str, int]:
    """Messages by group, where there are any."""
    from crosswind.stacks.driver import NotDeployed

    try:
        parts = driver.status().parts
    except NotDeployed:
        return {}  # what is left of it holds none
    return {part.group: part.messages for part in parts if part.messages}


def _carry_out(session: Session, driver: Driver, made: Plan, yes: bool, verb: str) -> None:
    _show(session, made)
    output = session.output
    if made.refusals:
        output.document({**made.document(), "applied": False})
        raise click.exceptions.Exit(NO)
    if made.is_empty:
        output.document({**made.document(), "applied": False})
        return
    if not yes:
        what = f"{verb} {made.digest[:_SHORT]} on {made.stack} in {made.place}?"
        _ask(what)
    from crosswind.cli.stackview import Following

    with Following(output, len(made.changes), "applying") as following:
        deployed = driver.apply(made, following.tell)
    output.document({**made.document(), "applied": True, "deployed": deployed.document()})
    output.say(f"{deployed.digest[:_SHORT]} is deployed as {made.stack} in {made.place}", "green")
    if made.waiting:
        output.say("apply it again later: what is above waits", "yellow")


def _show(session: Session, made: Plan) -> None:
    from crosswind.cli.stackview import changes, summary

    output = session.output
    for note in made.notes:
        output.notice(note)
    if made.changes:
        output.show(changes(made))
    for line, style in summary(made):
        output.say(line, style)


def _ask(what: str) -> None:
    """Ask the person at the terminal; goes on only after a yes."""
    if not sys.stdin.isatty():
        raise Failure("nobody can be asked here; look at what would be done, then give --yes")
    click.confirm(what, abort=True, err=True)
