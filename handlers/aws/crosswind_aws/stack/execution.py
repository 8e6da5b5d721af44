"""Carrying a plan out, and following it: it goes back by itself where it fails, and says why.

Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html and
view-stack-events.html.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from crosswind.stacks.driver import Busy, Reverted, StackError, Step, Stuck, Tell
from crosswind.stacks.history import Deployed
from crosswind_aws.stack.artifacts import Shelf
from crosswind_aws.stack.aws import Aws, explained
from crosswind_aws.stack.changesets import ChangeSet
from crosswind_aws.stack.planning import Draft
from crosswind_aws.stack.standing import look
from crosswind_aws.stack.template import digest

PATIENCE: Final = 3_600.0
"""Seconds for which a change is followed; it goes on without us."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 3.0

_WELL: Final = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"}
_BACK: Final = {"ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
_STUCK: Final = {
    "CREATE_FAILED",
    "DELETE_FAILED",
    "ROLLBACK_FAILED",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_FAILED",
}
_ENDS: Final = _WELL | _BACK | _STUCK

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

    def end(self, ends: set[str] = _ENDS) -> str:
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


def carry_out(aws: Aws, shelf: Shelf, draft: Draft, tell: Tell, now: float) -> Deployed:
    """Carry a plan out.

    Args:
        now: seconds since the epoch.

    Raises:
        Reverted: it failed, and all is as before.
        Stuck: it failed, and is not.
    """
    stack, create = draft.plan.stack, draft.standing is None
    made = shelf.create(draft.app)
    if draft.artifact is not None:
        shelf.put_artifact(draft.artifact, draft.plan.digest)
    for text in {draft.wanted, draft.final}:
        shelf.put_template(text)
    _clear(aws, stack, tell)
    try:
        outcome, why = _changed(aws, shelf, draft, tell)
    except StackError:
        if made and create:
            shelf.remove()
        raise
    record = Deployed(
        at=now,
        by=aws.caller[1],
        app=draft.app,
        digest=draft.plan.digest,
        template=digest(draft.wanted),
        outcome="applied" if outcome in _WELL and not why else "reverted",
        why=why,
        rollback=draft.rollback,
    )
    if outcome in _STUCK:
        shelf.record(record)
        raise Stuck(
            f"stack {stack} is {outcome}: {why}; see what holds it: aws cloudformation "
            f"describe-stack-events --stack-name {stack}"
        )
    if record.outcome == "reverted":
        if made and create:
            shelf.remove()
        else:
            shelf.record(record)
        left = "nothing was deployed" if create else "everything stands as before"
        raise Reverted(f"not applied, {left}: {why}")
    shelf.record(record)
    return record


def _changed(aws: Aws, shelf: Shelf, draft: Draft, tell: Tell) -> tuple[str, str]:
    """Change the stack; its state then, and what failed."""
    create = draft.standing is None
    change_set = ChangeSet(
        aws,
        draft.plan.stack,
        {"TemplateURL": shelf.url(draft.final)},
        {"ArtifactBucket": shelf.bucket},
        draft.tags,
        create=create,
    )
    if change_set.is_empty:
        change_set.delete()
        return "UPDATE_COMPLETE", ""
    following = Following(aws, change_set.stack_id, tell)
    change_set.execute()
    state = following.end()
    # A stack whose making failed is deleted, and its last word is that this is complete.
    undone = state in _BACK or state in _STUCK or (create and state == "DELETE_COMPLETE")
    return state, following.why if undone else ""


def _clear(aws: Aws, stack: str, tell: Tell) -> None:
    """Take away what an earlier attempt has left that never stood."""
    found = look(aws, stack)
    if found is not None and found.state == "ROLLBACK_COMPLETE":
        delete(aws, stack, found.id, tell)


def delete(aws: Aws, stack: str, stack_id: str, tell: Tell) -> None:
    """Delete a stack, and follow it.

    Raises:
        Stuck: something holds it.
    """
    following = Following(aws, stack_id, tell)
    with explained(f"delete stack {stack}"):
        aws.cloudformation.delete_stack(StackName=stack_id)
    state = following.end({"DELETE_COMPLETE", "DELETE_FAILED"})
    if state == "DELETE_FAILED":
        raise Stuck(f"stack {stack} is not deleted: {following.why}; remove that, and try again")
