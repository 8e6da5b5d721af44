"""A deployed stack, as people work with it: its table, its bus, its dead letters, and who they are.

The outputs of the stack say where all of it is; nothing is derived from names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from crosswind.stacks.desk import About
from crosswind.stacks.driver import NotDeployed
from crosswind_aws.bus import EventBridgeBus
from crosswind_aws.deployment import Deployment
from crosswind_aws.faults import code_of
from crosswind_aws.queues import Queues
from crosswind_aws.schedules import Schedules
from crosswind_aws.stack import outputs, states
from crosswind_aws.stack.aws import Aws, explained
from crosswind_aws.stack.letters import DeadQueues
from crosswind_aws.store import DynamoStore

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.stacks.desk import Role


class AwsDesk:
    """A deployed stack; see `Desk`.

    Args:
        stack: its name.
        aws: the account and region.

    Raises:
        NotDeployed: there is no such stack.
        StackError: it does not say what it is made of, or cannot be asked.
    """

    def __init__(self, stack: str, aws: Aws) -> None:
        self._aws = aws
        self._stack = stack
        self._told = told = outputs.read(stack, _outputs(aws, stack))
        self._deployment = Deployment(told.groups[0], told.table, told.bus, told.queues)
        self.about = About(
            place=f"aws:{stack}@{aws.region}",
            app=told.app,
            digest=told.digest,
            groups=told.groups,
            fleet=told.fleet,
            declared=told.declared,
        )

    @cached_property
    def store(self) -> DynamoStore:
        """See `Desk.store`."""
        return DynamoStore(self._told.table, self._aws.dynamodb)

    @cached_property
    def letters(self) -> DeadQueues:
        """See `Desk.letters`."""
        around = self._deployment
        queues = {
            group: (around.queue(group), around.dead_letters(group)) for group in self.about.groups
        }
        return DeadQueues(self._aws, queues)

    @property
    def caller(self) -> str:
        """See `Desk.caller`: the ARN, as STS says it."""
        return self._aws.caller[1]

    def policy(self, role: Role) -> dict[str, Any]:
        """See `Desk.policy`."""
        from crosswind_aws.stack.policies import policy

        return policy(role, self._stack, self._told)

    def bus(self, app: App, clock: Callable[[], float]) -> EventBridgeBus:
        """See `Desk.bus`.

        What people say is due at once, so that no schedule is ever set from here; a long delay
        would be relayed by the queues.
        """
        return EventBridgeBus.of(
            app,
            self._deployment,
            clock=clock,
            events=self._aws.events,
            queues=Queues(self._aws.sqs),
            schedules=Schedules(self._deployment),
        )


def _outputs(aws: Aws, stack: str) -> Mapping[str, str]:
    with explained(f"look at stack {stack}"):
        try:
            (found,) = aws.cloudformation.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if code_of(error) == "ValidationError" and "does not exist" in str(error):
                raise NotDeployed(
                    f"there is no stack {stack} in {aws.place} of this account; name another, or "
                    f"its region as aws:{stack}@REGION"
                ) from error
            raise
    if found["StackStatus"] in states.EMPTY:
        raise NotDeployed(
            f"stack {stack} in {aws.place} is {found['StackStatus']}: nothing is deployed"
        )
    return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}
