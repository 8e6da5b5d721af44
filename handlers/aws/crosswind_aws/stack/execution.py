"""Carrying a plan out: it goes back by itself where it fails, and says why.

    begin      the bucket; a note of what is begun; what earlier attempts have left is cleared
    upload     the artifact and the templates, by their digests
    ask        a change set; then the stack is looked at, which must be as it was planned for
    execute    from here on CloudFormation carries it out, whoever dies
    follow     until it has come to its end; then the history says so, and the note is taken away

Two that apply at once: CloudFormation deletes every other change set of a stack when one is
executed, and makes none while a stack is changed. As a change set is asked for before the stack is
looked at, whoever comes second finds either his change set void or the stack changed.

Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html,
view-stack-events.html, and .../APIReference/API_ExecuteChangeSet.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from crosswind.stacks.attempt import Attempt
from crosswind.stacks.driver import Busy, Interrupted, Reverted, StackError, Stuck, Tell
from crosswind.stacks.history import Deployed
from crosswind_aws.stack import states
from crosswind_aws.stack.artifacts import Shelf, artifact_key, template_key
from crosswind_aws.stack.attempts import Attempts
from crosswind_aws.stack.aws import Aws
from crosswind_aws.stack.changesets import ChangeSet
from crosswind_aws.stack.following import Following, delete
from crosswind_aws.stack.planning import Draft
from crosswind_aws.stack.standing import look
from crosswind_aws.stack.template import digest

_GOES_ON: Final = (
    "CloudFormation carries the change of stack {stack} out all the same, or takes it back. How it "
    "goes is said by: crosswind stack status; {back}. The next plan or apply goes on from there"
)


def carry_out(aws: Aws, shelf: Shelf, draft: Draft, tell: Tell, now: float) -> Deployed:
    """Carry a plan out.

    Args:
        now: seconds since the epoch.

    Raises:
        Busy: somebody else changes the stack, or has changed it since it was planned for.
        Interrupted: this process was told to stop.
        Reverted: it failed, and all is as before.
        Stuck: it failed, and is not.
    """
    stack = draft.plan.stack
    attempts = Attempts(aws, shelf, stack)
    with _said_of(f"nothing was changed: stack {stack} is as it was. Apply again when you like"):
        shelf.create(draft.app)
        attempt = _attempt(aws, shelf, draft, now)
        attempts.begin(attempt)
        try:
            following, change_set = _prepared(aws, shelf, attempts, attempt, draft, tell)
            stopped = None if following is None else _executed(change_set)
        except BaseException as error:
            _undo(attempts, attempt, error)
            raise
    if following is None:
        state = "UPDATE_COMPLETE"
    else:
        back = (
            f"take it back with: aws cloudformation cancel-update-stack --stack-name {stack}"
            if draft.standing is not None
            else "take it away with crosswind stack remove when it has ended"
        )
        with _said_of(_GOES_ON.format(stack=stack, back=back), goes_on=True):
            if stopped is not None:
                raise stopped
            state = following.end()
    return _concluded(shelf, attempts, attempt, draft, state, following)


def _attempt(aws: Aws, shelf: Shelf, draft: Draft, now: float) -> Attempt:
    texts = {draft.wanted, draft.final}
    needs = (artifact_key(draft.plan.digest), *sorted(map(template_key, texts)))
    return Attempt(
        at=now,
        by=aws.caller[1],
        app=draft.app,
        digest=draft.plan.digest,
        template=digest(draft.wanted),
        final=digest(draft.final),
        needs=needs,
        fresh=tuple(key for key in needs if not shelf.has(key)),
        rollback=draft.rollback,
    )


def _prepared(
    aws: Aws, shelf: Shelf, attempts: Attempts, attempt: Attempt, draft: Draft, tell: Tell
) -> tuple[Following | None, ChangeSet]:
    """Everything before the change; nothing to follow where there is nothing to change."""
    stack = draft.plan.stack
    _clear(aws, stack, tell)
    attempts.clear(draft.standing, attempt, attempt.at)
    if draft.artifact is not None and artifact_key(draft.plan.digest) in attempt.fresh:
        body = draft.artifact.read_bytes()
        shelf.put(artifact_key(draft.plan.digest), body, "application/zip")
    for text in {draft.wanted, draft.final}:
        if template_key(text) in attempt.fresh:
            shelf.put(template_key(text), text.encode())
    change_set = ChangeSet(
        aws,
        stack,
        {"TemplateURL": shelf.url(template_key(draft.final))},
        {"ArtifactBucket": shelf.name},
        draft.tags,
        create=draft.standing is None,
    )
    try:
        stack_id = _unchanged(aws, draft)
        if change_set.is_empty:
            change_set.delete()
            return None, change_set
        return Following(aws, stack_id, tell), change_set
    except BaseException:
        # What was not begun, for whatever reason, an interrupt too, leaves nothing behind.
        change_set.delete()
        raise


def _undo(attempts: Attempts, attempt: Attempt, error: BaseException) -> None:
    """Leave no trace; where that cannot be done either, both are said."""
    try:
        attempts.undo(attempt)
    except StackError as other:
        if isinstance(error, StackError):
            raise type(error)(f"{error}; besides, {other}") from error
        raise


def _executed(change_set: ChangeSet) -> KeyboardInterrupt | None:
    """Have it carried out; that this process was told to stop just then, where it was."""
    try:
        change_set.execute()
    except (KeyboardInterrupt, StackError) as error:
        if change_set.is_unused():
            change_set.delete()
            raise
        # It is carried out, though nobody heard the answer.
        return error if isinstance(error, KeyboardInterrupt) else None
    return None


def _unchanged(aws: Aws, draft: Draft) -> str:
    """The ARN of the stack, which is as it was planned for.

    Raises:
        Busy: it is not.
    """
    stack, before, found = draft.plan.stack, draft.standing, look(aws, draft.plan.stack)
    alike = found is not None and (
        found.state == states.REVIEWED
        if before is None
        else (found.id, found.state, found.changed, found.template)
        == (before.id, before.state, before.changed, before.template)
    )
    if found is None or not alike:
        state = "gone" if found is None else found.state
        raise Busy(
            f"somebody else has changed stack {stack} since this was planned, which is {state} now;"
            " nothing of this was applied, plan again"
        )
    return found.id


def _concluded(
    shelf: Shelf,
    attempts: Attempts,
    attempt: Attempt,
    draft: Draft,
    state: str,
    following: Following | None,
) -> Deployed:
    """What came of it, written down."""
    stack, create = draft.plan.stack, draft.standing is None
    # A stack whose making failed is deleted, and its last word is that this is complete.
    undone = state not in states.MADE or (create and state == states.DELETED)
    why = following.why if undone and following is not None else ""
    record = attempt.ended("reverted" if undone else "applied", why)
    if not undone or not create or state in states.STUCK:
        shelf.record(record)
        if not undone:
            attempts.supersede(attempt)
        attempts.end(attempt)
    else:
        attempts.undo(attempt)
    if state in states.STUCK:
        raise Stuck(
            f"stack {stack} is {state}: {why}; see what holds it: aws cloudformation "
            f"describe-stack-events --stack-name {stack}"
        )
    if undone:
        left = "nothing was deployed" if create else "everything stands as before"
        raise Reverted(f"not applied, {left}: {why}")
    return record


def _clear(aws: Aws, stack: str, tell: Tell) -> None:
    """Take away what an earlier attempt has left that never stood."""
    found = look(aws, stack)
    if found is not None and found.state == states.FAILED_TO_BE:
        delete(aws, stack, found.id, tell)


@contextmanager
def _said_of(left: str, *, goes_on: bool = False) -> Iterator[None]:
    """Say what is left where this process is told to stop.

    Args:
        left: the state of things, and how to go on.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Interrupted(f"stopped; {left}", goes_on=goes_on) from stop
    except Busy as error:
        if not goes_on:
            raise
        raise Busy(f"{error}; {left}") from error
