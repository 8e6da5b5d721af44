"""Taking a stack away, with what CloudFormation would leave: late logs, and the bucket."""

from __future__ import annotations

from collections.abc import Iterable

from botocore.exceptions import ClientError

from crosswind.stacks.driver import Interrupted, NotDeployed, Tell
from crosswind_aws.faults import code_of
from crosswind_aws.stack import names, states
from crosswind_aws.stack.artifacts import Shelf
from crosswind_aws.stack.aws import Aws, explained
from crosswind_aws.stack.following import delete
from crosswind_aws.stack.standing import look
from crosswind_aws.stack.template import group_of


def remove(aws: Aws, shelf: Shelf, stack: str, tell: Tell) -> None:
    """Take everything away. Whatever of it is there: it can be run again where it was interrupted.

    Raises:
        NotDeployed: nothing of it is there.
        Busy: somebody else changes it.
        Interrupted: this process was told to stop.
        Stuck: something holds the stack.
    """
    found = look(aws, stack)
    if found is None and not shelf.exists():
        raise NotDeployed(f"there is no stack {stack} in {aws.place}")
    logs: list[str] = []
    if found is not None:
        states.removable(stack, found.state)
        owners = {group_of(one) for one in found.template.get("Resources", {}).values()} - {""}
        logs = [names.log_group(stack, group) for group in sorted(owners)]
    try:
        if found is not None:
            delete(aws, stack, found.id, tell)
        _logs(aws, logs)
        shelf.remove()
    except KeyboardInterrupt as stop:
        raise Interrupted(
            f"stopped; part of stack {stack} may be left, and what CloudFormation has begun goes "
            "on. Take the rest away with: crosswind stack remove",
            goes_on=True,
        ) from stop


def _logs(aws: Aws, several: Iterable[str]) -> None:
    """Log groups that the last lines of a function have made again."""
    for name in several:
        with explained(f"delete log group {name}"):
            try:
                aws.logs.delete_log_group(logGroupName=name)
            except ClientError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise
