"""Change sets: what CloudFormation itself says that would change, and how it is carried out.

Source: docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html and
API_ResourceChange.html.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from crosswind.stacks.driver import Busy, StackError
from crosswind.stacks.plan import Action, Change, Sure
from crosswind_aws.faults import code_of
from crosswind_aws.stack import states
from crosswind_aws.stack.aws import Aws, explained

if TYPE_CHECKING:
    from collections.abc import Callable

CAPABILITIES: Final = ("CAPABILITY_IAM",)
"""Roles are made, and none with a name of ours."""

_OURS: Final = "Made by Crosswind"

_GONE: Final = {"ChangeSetNotFound", "ChangeSetNotFoundException"}

_VOID: Final = _GONE | {
    "AlreadyExistsException",
    "InvalidChangeSetStatus",
    "InvalidChangeSetStatusException",
    "OperationInProgressException",
}
"""Codes by which a change is refused as somebody else was quicker: once a change set is executed,
CloudFormation deletes the others of its stack."""

_PATIENCE: Final = 300.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 3.0

_UNUSED: Final = {"AVAILABLE", "UNAVAILABLE", "OBSOLETE", "EXECUTE_FAILED"}

_NOTHING: Final = ("didn't contain changes", "no updates are to be performed")
_ACTIONS: Final[Mapping[str, Action]] = {"Add": "add", "Modify": "change", "Remove": "remove"}
_SURE: Final[Mapping[str, Sure]] = {"True": "yes", "False": "no", "Conditional": "perhaps"}


class ChangeSet:
    """A change set that was made.

    Args:
        source: `TemplateBody` or `TemplateURL`.
        tags: of the stack, which its resources inherit.
        create: whether there is no stack yet; it is deleted again where its making fails.
    """

    def __init__(
        self,
        aws: Aws,
        stack: str,
        source: Mapping[str, str],
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        *,
        create: bool,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._aws = aws
        self._stack = stack
        self._sleep = sleep
        self._name = f"crosswind-{uuid4().hex[:12]}"
        try:
            self._create(source, parameters, tags, create=create)
        except KeyboardInterrupt:
            # It may have been made; it is known by its name as well.
            self.delete()
            raise
        try:
            self.is_empty = self._is_empty()
        except BaseException:
            # Interrupted or refused, it would be left behind and count against the stack.
            self.delete()
            raise

    def changes(self, known: Mapping[str, Change]) -> Iterator[Change]:
        """What it would do to each resource.

        Args:
            known: what the comparison of the templates says, by resource.
        """
        if self.is_empty:
            return
        for said in self._said():
            name = said["LogicalResourceId"]
            action = _ACTIONS.get(said["Action"], "change")
            replaced = _SURE.get(said.get("Replacement", "False"), "perhaps")
            compared = known.get(name)
            change = compared or Change(action, name, said["ResourceType"])
            yield replace(
                change,
                action="replace" if replaced == "yes" else action,
                id=said.get("PhysicalResourceId", ""),
                replaced=replaced,
                # Where nothing of it differs in the templates, it only follows from something: the
                # tags of the stack are new, or what it refers to is changed.
                indirect=action == "change" and (compared is None or compared.indirect),
            )

    def execute(self) -> None:
        """Begin to carry it out.

        Raises:
            Busy: somebody else has changed the stack, by which this change set is void.
        """
        with explained(f"change stack {self._stack}"), _alone(self._stack):
            self._aws.cloudformation.execute_change_set(**self._self, ClientRequestToken=self._name)

    def is_unused(self) -> bool:
        """Whether it was not executed, or is gone."""
        with explained(f"read a change set of stack {self._stack}"):
            try:
                said = self._aws.cloudformation.describe_change_set(**self._self)
            except ClientError as error:
                if code_of(error) in _GONE:
                    return True
                raise
        return said["ExecutionStatus"] in _UNUSED

    def delete(self) -> None:
        """Take it away, where it is there."""
        with explained(f"delete a change set of stack {self._stack}"):
            try:
                self._aws.cloudformation.delete_change_set(**self._self)
            except ClientError as error:
                if code_of(error) not in _GONE and "does not exist" not in str(error):
                    raise

    @property
    def _self(self) -> dict[str, str]:
        return {"StackName": self._stack, "ChangeSetName": self._name}

    def _create(
        self,
        source: Mapping[str, str],
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        *,
        create: bool,
    ) -> None:
        with explained(f"create a change set of stack {self._stack}"), _alone(self._stack):
            self._aws.cloudformation.create_change_set(
                **self._self,
                ChangeSetType="CREATE" if create else "UPDATE",
                Description=_OURS,
                Capabilities=list(CAPABILITIES),
                Parameters=[
                    {"ParameterKey": name, "ParameterValue": value}
                    for name, value in parameters.items()
                ],
                Tags=[{"Key": name, "Value": value} for name, value in tags.items()],
                **({"OnStackFailure": "DELETE"} if create else {}),
                **source,
            )

    def _is_empty(self) -> bool:
        """Wait until it is made.

        Raises:
            StackError: CloudFormation refuses it; says why.
        """
        end, pause = time.monotonic() + _PATIENCE, _FIRST_PAUSE
        while time.monotonic() < end:
            with explained(f"read a change set of stack {self._stack}"):
                said = self._aws.cloudformation.describe_change_set(**self._self)
            if said["Status"] == "CREATE_COMPLETE":
                return False
            if said["Status"] == "FAILED":
                reason = str(said.get("StatusReason", "it does not say why"))
                if any(words in reason.lower() for words in _NOTHING):
                    return True
                raise StackError(f"CloudFormation refuses this change of {self._stack}: {reason}")
            self._sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        raise Busy(f"the change set of stack {self._stack} is not made in {_PATIENCE:.0f} s")

    def _said(self) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            with explained(f"read a change set of stack {self._stack}"):
                page = self._aws.cloudformation.describe_change_set(**self._self, **token)
            yield from (one["ResourceChange"] for one in page["Changes"])
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}


def forget(aws: Aws, stack: str, before: float) -> None:
    """Delete change sets of ours that nobody has executed.

    Args:
        before: those that were made later may be in use; seconds since the epoch.
    """
    with explained(f"clear up the change sets of stack {stack}"):
        for one in _pending(aws, stack):
            if one["CreationTime"].timestamp() < before:
                aws.cloudformation.delete_change_set(ChangeSetName=one["ChangeSetId"])


def withdraw_unmade(aws: Aws, stack: str) -> bool:
    """Delete a stack that was never made, where nobody is about to make it; whether one is there.

    A first change set makes a stack with nothing in it, which stays when that is deleted.
    """
    found = states.state_of(aws, stack)
    if found is None or found == states.DELETED:
        return False
    if found != states.REVIEWED or _pending(aws, stack):
        return True
    with explained(f"delete stack {stack}"):
        aws.cloudformation.delete_stack(StackName=stack)
    return False


def _pending(aws: Aws, stack: str) -> list[dict[str, Any]]:
    """Change sets of ours that were not executed."""
    if states.state_of(aws, stack) is None:
        return []
    with explained(f"list the change sets of stack {stack}"):
        pages = aws.cloudformation.get_paginator("list_change_sets").paginate(StackName=stack)
        return [
            one
            for page in pages
            for one in page["Summaries"]
            if one.get("Description") == _OURS and one["ExecutionStatus"] in _UNUSED
        ]


@contextmanager
def _alone(stack: str) -> Iterator[None]:
    """Say of a refusal that somebody else was quicker, where that is what it means."""
    try:
        yield
    except ClientError as error:
        if code_of(error) in _VOID or "_IN_PROGRESS state" in str(error):
            raise Busy(f"somebody else changes stack {stack}: {error}; plan again") from error
        raise
