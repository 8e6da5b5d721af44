"""The events of a stack while it is changed, told as they come, until it has come to an end."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

from crosswind.stacks.driver import Busy, Step, Stuck, Tell
from crosswind_aws.stack import states
from crosswind_aws.stack.aws import Aws, explained

PATIENCE: Final = 3_600.0
"""Seconds for which a change is followed; it goes on without us."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 3.0

_FOLLOWS: Final = ("cancelled", "the following resource(s) failed")
"""Words of a failure that only follows from another."""


class Following:
    """The events of a stack from now on.

    Args:
        stack: its ARN, by which it is known when it is gone, too.
    """

    def __init__(
        self, aws: Aws, stack: str, tell: Tell, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._aws = aws
        self._stack = stack
        self._tell = tell
        self._sleep = sleep
        self._seen = {event["EventId"] for event in self._events()}
        self.failures: list[str] = []

    def end(self, ends: Collection[str] = states.ENDS) -> str:
        """Tell every event until the stack has come to an end; the state that it has then.

        Raises:
            Busy: it takes longer than is waited for; it goes on all the same.
        """
        limit, pause = time.monotonic() + PATIENCE, _FIRST_PAUSE
        while time.monotonic() < limit:
            for event in self._fresh():
                step = self._told(event)
                if event["PhysicalResourceId"] == self._stack and step.status in ends:
                    return step.status
            self._sleep(pause)
            pause = min(pause * 1.3, _LONGEST_PAUSE)
        raise Busy("it is still under way; look at it with: crosswind stack status")

    @property
    def why(self) -> str:
        """What failed first, for people."""
        return "; ".join(self.failures[:3]) or "CloudFormation does not say why"

    def _told(self, event: dict[str, Any]) -> Step:
        status = str(event["ResourceStatus"])
        reason = str(event.get("ResourceStatusReason") or "")
        name = str(event["LogicalResourceId"])
        failed = status.endswith("_FAILED")
        if failed and not reason.lower().startswith(_FOLLOWS) and "cancelled" not in reason:
            self.failures.append(f"{name}: {reason}")
        step = Step(
            resource=name,
            type=str(event["ResourceType"]),
            status=status,
            reason=reason,
            failed=failed,
            done=not status.endswith("_IN_PROGRESS"),
        )
        self._tell(step)
        return step

    def _fresh(self) -> list[dict[str, Any]]:
        """Events that were not told yet, oldest first."""
        found: list[dict[str, Any]] = []
        for event in self._events():
            if event["EventId"] in self._seen:
                break
            found.append(event)
        self._seen |= {event["EventId"] for event in found}
        return found[::-1]

    def _events(self) -> Iterator[dict[str, Any]]:
        """The newest first."""
        token: dict[str, str] = {}
        while True:
            with explained("read the events of the stack"):
                page = self._aws.cloudformation.describe_stack_events(
                    StackName=self._stack, **token
                )
            yield from page["StackEvents"]
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}


def delete(aws: Aws, stack: str, stack_id: str, tell: Tell) -> None:
    """Delete a stack, and follow it; one that is being deleted already is followed.

    Args:
        stack_id: its ARN, so that none of the same name that is made meanwhile is meant.

    Raises:
        Stuck: something holds it.
    """
    following = Following(aws, stack_id, tell)
    with explained(f"delete stack {stack}"):
        # Asked after the events were read: its end is among those still to come, or was before.
        (found,) = aws.cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
        if found["StackStatus"] == states.DELETED:
            return
        aws.cloudformation.delete_stack(StackName=stack_id)
    state = following.end({states.DELETED, "DELETE_FAILED"})
    if state == "DELETE_FAILED":
        raise Stuck(f"stack {stack} is not deleted: {following.why}; remove that, and try again")
