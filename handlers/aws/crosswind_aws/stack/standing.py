"""What stands in the account now: the stack, the template that it was made from, its queues."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from botocore.exceptions import ClientError

from crosswind.stacks.driver import StackError
from crosswind_aws.faults import code_of
from crosswind_aws.stack import groups, names, states
from crosswind_aws.stack.aws import Aws, explained
from crosswind_aws.stack.template import about

_COUNTS: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)

_GONE: Final = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}


class Standing(NamedTuple):
    """A stack as it stands.

    Attributes:
        id: its ARN.
        state: as CloudFormation says.
        template: from which it was made.
        tags: of the stack itself.
        changed: when it was last changed, seconds since the epoch.
    """

    id: str
    state: str
    template: Mapping[str, Any]
    tags: Mapping[str, str]
    changed: float

    @property
    def about(self) -> dict[str, Any]:
        """What its template says of itself."""
        return about(self.template)

    @property
    def exists(self) -> bool:
        """Whether it has resources."""
        return self.state not in states.EMPTY


class Depth(NamedTuple):
    """Messages of a queue: waiting, received and not settled, delayed."""

    waiting: int
    in_hand: int
    delayed: int

    @property
    def all(self) -> int:
        """Whatever they are at."""
        return sum(self)


def look(aws: Aws, stack: str) -> Standing | None:
    """The stack of this name, whatever its state; None where there is none."""
    found = states.described(aws, stack)
    if found is None:
        return None
    state = str(found["StackStatus"])
    template = {} if state in states.EMPTY else _template(aws, stack)
    changed = found.get("LastUpdatedTime") or found["CreationTime"]
    return Standing(
        id=str(found["StackId"]),
        state=state,
        template=template,
        tags={one["Key"]: one["Value"] for one in found.get("Tags", ())},
        changed=changed.timestamp(),
    )


def settled(aws: Aws, stack: str) -> Standing | None:
    """The stack of this name where it has resources, is one of ours and is not being changed.

    Raises:
        Busy: somebody else changes it.
        Stuck: it cannot be changed as it is; says what to do.
        StackError: it is none of ours.
    """
    found = look(aws, stack)
    if found is None or not found.exists:
        return None
    states.changeable(stack, found.state)
    if not found.about:
        raise StackError(
            f"stack {stack} was not made by this version of Crosswind; name another with --stack"
        )
    return found


def depth(aws: Aws, queue: str) -> Depth:
    """How many messages a queue holds, by its name; a queue that is gone holds none."""
    with explained(f"count the messages of queue {queue}"):
        try:
            url = aws.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
            answer = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))
        except ClientError as error:
            if code_of(error) in _GONE:
                return Depth(0, 0, 0)
            raise
    waiting, in_hand, delayed = (int(answer["Attributes"][name]) for name in _COUNTS)
    return Depth(waiting, in_hand, delayed)


def outstanding(aws: Aws, stack: str, group: str) -> int:
    """Messages of a group, dead ones too, and those that schedules will yet send to it."""
    queue, dead = groups.queues(stack, group)
    return depth(aws, queue).all + depth(aws, dead).all + _scheduled(aws, stack, queue)


def _scheduled(aws: Aws, stack: str, queue: str) -> int:
    """Events with a long delay: one-time schedules that send to this queue."""
    group = names.fitted(stack, names.FUNCTION)
    found = 0
    with explained(f"list the schedules of group {group}"):
        try:
            pages = aws.scheduler.get_paginator("list_schedules").paginate(
                GroupName=group, NamePrefix="crosswind-"
            )
            for page in pages:
                found += sum(
                    one.get("Target", {}).get("Arn", "").rpartition(":")[2] == queue
                    for one in page["Schedules"]
                )
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
    return found


def _template(aws: Aws, stack: str) -> Mapping[str, Any]:
    with explained(f"read the template of stack {stack}"):
        body = aws.cloudformation.get_template(StackName=stack, TemplateStage="Original")[
            "TemplateBody"
        ]
    if isinstance(body, Mapping):
        return body
    try:
        found = json.loads(body)
    except ValueError:
        return {}  # YAML, which is none of ours
    return found if isinstance(found, Mapping) else {}
