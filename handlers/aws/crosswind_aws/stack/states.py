"""The states of a stack, and what each means for whoever asks: one table for plan, status, removal.

Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/
view-stack-events.html#cfn-console-view-stack-data-resources-status-codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from crosswind.stacks.driver import Busy, Stuck
from crosswind_aws.faults import code_of
from crosswind_aws.stack.aws import Aws, explained

REVIEWED: Final = "REVIEW_IN_PROGRESS"
"""A stack that has a change set, and was never made."""

FAILED_TO_BE: Final = "ROLLBACK_COMPLETE"
"""A stack whose making failed, all of which was taken back; it can only be deleted."""

DELETED: Final = "DELETE_COMPLETE"
DELETING: Final = "DELETE_IN_PROGRESS"

EMPTY: Final = {REVIEWED, FAILED_TO_BE, DELETED}
"""States of a stack that never was, or is no more: it has no resources."""

MADE: Final = {"CREATE_COMPLETE", "UPDATE_COMPLETE", DELETED}
"""A change came to its end as it was meant to."""

TAKEN_BACK: Final = {FAILED_TO_BE, "UPDATE_ROLLBACK_COMPLETE"}
"""A change failed, and all stands as before."""

STUCK: Final[Mapping[str, str]] = {
    "DELETE_FAILED": "run crosswind stack remove again; the console says what holds it",
    "ROLLBACK_FAILED": "remove it with crosswind stack remove, and apply again",
    "CREATE_FAILED": "remove it with crosswind stack remove, and apply again",
    "UPDATE_ROLLBACK_FAILED": "mend what the console names, then: aws cloudformation "
    "continue-update-rollback --stack-name {stack}",
    "UPDATE_FAILED": "roll it back: aws cloudformation rollback-stack --stack-name {stack}",
}
"""States in which a person must see to it, and what to do."""

ENDS: Final = MADE | TAKEN_BACK | set(STUCK)

_WELL: Final = (MADE | TAKEN_BACK) - EMPTY | {"UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}


def is_changing(state: str) -> bool:
    """Whether CloudFormation changes the stack now."""
    return state.endswith("_IN_PROGRESS") and state != REVIEWED


def is_well(state: str) -> bool:
    """Whether a stack that stands is as its last template says."""
    return state in _WELL


def changeable(stack: str, state: str) -> None:
    """Look whether a stack can be changed as it is.

    Raises:
        Busy: it is being changed.
        Stuck: it cannot be changed as it is; says what to do.
    """
    if is_changing(state):
        raise Busy(f"stack {stack} is {state}; somebody else changes it, try again later")
    if state in STUCK:
        raise Stuck(f"stack {stack} is {state}; {STUCK[state].format(stack=stack)}")


def removable(stack: str, state: str) -> None:
    """Look whether a stack can be deleted as it is: whatever it is, but for a change under way.

    Raises:
        Busy: it is being changed; one that is being deleted already is none.
    """
    if is_changing(state) and state != DELETING:
        raise Busy(
            f"stack {stack} is {state}; somebody else changes it. See crosswind stack status, and "
            "remove it when that has ended"
        )


def described(aws: Aws, stack: str) -> dict[str, Any] | None:
    """What CloudFormation says of a stack; None where there is none of this name."""
    with explained(f"look at stack {stack}"):
        try:
            found: dict[str, Any]
            (found,) = aws.cloudformation.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if code_of(error) == "ValidationError" and "does not exist" in str(error):
                return None
            raise
    return found


def state_of(aws: Aws, stack: str) -> str | None:
    """The state of a stack; None where there is none of this name."""
    found = described(aws, stack)
    return None if found is None else str(found["StackStatus"])
