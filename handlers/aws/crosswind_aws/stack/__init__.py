"""An app as a stack of CloudFormation: plan, apply, look, return, remove, export.

    template     the whole, from names, groups, native, ticks, alarms, rights
    draining     what a group that is gone leaves standing until it is worked
    standing     what stands, and in states what each state means
    planning     what would change: a change set, or a comparison where none may be made
    artifacts    a bucket with artifacts and templates by digest, and the history
    attempts     notes of what was begun, and clearing up after who was stopped
    execution    carry it out and follow it; it goes back by itself where it fails
    inspection   how it fares
    removal      take all of it away
    terraform    the same for another tool
    outputs      what the stack says of itself, to desk, letters and policies
    desk         its table, bus and dead letters, for people who work with it
    policies     what these people may do, by IAM

What is decided about a stack, and how it is told, is in `crosswind.stacks`; what is here is what is
true of AWS alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crosswind_aws.stack.names import PREFIX

if TYPE_CHECKING:
    from crosswind_aws.stack.deployed import AwsStack
    from crosswind_aws.stack.desk import AwsDesk


def open_stack(app: str | None, stack: str | None = None, place: str | None = None) -> AwsStack:
    """The stack of an app.

    Args:
        app: whose it is, where its name derives from that.
        stack: its name.
        place: its region, such as `eu-west-1`; that of the environment or profile unless given.

    Raises:
        StackError: neither an app nor a name is given.
    """
    # Imported here: it loads the SDK.
    from crosswind_aws.stack.aws import Aws
    from crosswind_aws.stack.deployed import AwsStack

    return AwsStack(_name(app, stack), Aws(place))


def open_desk(stack: str | None, place: str | None = None, app: str | None = None) -> AwsDesk:
    """A deployed stack, as people work with it.

    Args:
        stack: its name.
        place: its region; that of the environment or profile unless given.
        app: whose it is, where its name derives from that.

    Raises:
        NotDeployed: there is no such stack.
        StackError: it cannot be asked, or neither an app nor a name is given.
    """
    # Imported here: it loads the SDK.
    from crosswind_aws.stack.aws import Aws
    from crosswind_aws.stack.desk import AwsDesk

    return AwsDesk(_name(app, stack), Aws(place))


def _name(app: str | None, stack: str | None) -> str:
    from crosswind.stacks.driver import StackError

    if stack is None and app is None:
        raise StackError("say which stack is meant, with --stack NAME")
    return stack or f"{PREFIX}{app}"
