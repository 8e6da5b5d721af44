"""Change sets: what CloudFormation itself says that would change, and how it is carried out.

Source: docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html and
API_ResourceChange.html.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from crosswind.stacks.driver import Busy, StackError
from crosswind.stacks.plan import Action, Change, Sure
from crosswind_aws.stack.aws import Aws, explained

if TYPE_CHECKING:
    from collections.abc import Callable

CAPABILITIES: Final = ("CAPABILITY_IAM",)
"""Roles are made, and none with a name of ours."""

_PATIENCE: Final = 300.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 3.0

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
        with explained(f"create a change set of stack {stack}"):
            answer = aws.cloudformation.create_change_set(
                StackName=stack,
                ChangeSetName=self._name,
                ChangeSetType="CREATE" if create else "UPDATE",
                Description="Made by Crosswind",
                Capabilities=list(CAPABILITIES),
                Parameters=[
                    {"ParameterKey": name, "ParameterValue": value}
                    for name, value in parameters.items()
                ],
                Tags=[{"Key": name, "Value": value} for name, value in tags.items()],
                **({"OnStackFailure": "DELETE"} if create else {}),
                **source,
            )
        self._id = str(answer["Id"])
        self.stack_id = str(answer["StackId"])
        self.is_empty = self._is_empty()

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
        """Begin to carry it out."""
        with explained(f"change stack {self._stack}"):
            self._aws.cloudformation.execute_change_set(
                ChangeSetName=self._id, ClientRequestToken=self._name
            )

    def delete(self) -> None:
        """Take it away."""
        with explained(f"delete a change set of stack {self._stack}"):
            self._aws.cloudformation.delete_change_set(ChangeSetName=self._id)

    def _is_empty(self) -> bool:
        """Wait until it is made.

        Raises:
            StackError: CloudFormation refuses it; says why.
        """
        end, pause = time.monotonic() + _PATIENCE, _FIRST_PAUSE
        while time.monotonic() < end:
            with explained(f"read a change set of stack {self._stack}"):
                said = self._aws.cloudformation.describe_change_set(ChangeSetName=self._id)
            if said["Status"] == "CREATE_COMPLETE":
                return False
            if said["Status"] == "FAILED":
                reason = str(said.get("StatusReason", "it does not say why"))
                if any(words in reason.lower() for words in _NOTHING):
                    return True
                self.delete()
                raise StackError(f"CloudFormation refuses this change of {self._stack}: {reason}")
            self._sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        self.delete()
        raise Busy(f"the change set of stack {self._stack} is not made in {_PATIENCE:.0f} s")

    def _said(self) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            with explained(f"read a change set of stack {self._stack}"):
                page = self._aws.cloudformation.describe_change_set(ChangeSetName=self._id, **token)
            yield from (one["ResourceChange"] for one in page["Changes"])
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}
