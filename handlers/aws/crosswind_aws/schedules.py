"""Delays that no queue can hold: one-time schedules of EventBridge Scheduler.

A schedule sends the event, wrapped with its due time, to the queue of its group and is removed
by AWS when it has. It may run up to a minute late, so it is set a minute early and the queue holds
the event for what is left; a repeated schedule has the same name and is the one there is.

Sources: docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html (one-time schedules,
60 seconds' precision) and .../APIReference/API_CreateSchedule.html.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from crosswind.buses.later import wrap
from crosswind_aws import clients
from crosswind_aws.faults import code_of

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_scheduler.type_defs import TargetTypeDef

    from crosswind_aws.deployment import Deployment

EARLY: Final = 60
"""Seconds by which a schedule runs before the event is due."""

MAX_INPUT: Final = 200_000
"""Bytes that are given to a schedule; larger ones are relayed from queue to queue. AWS documents
no limit of its own for the input of a schedule, and 256 KB for what its targets take."""


class Schedules:
    """One-time schedules of a deployment.

    Args:
        deployment: its role, schedule group and queues.
        client: of EventBridge Scheduler.
    """

    def __init__(
        self, deployment: Deployment, client: EventBridgeSchedulerClient | None = None
    ) -> None:
        self.deployment = deployment
        self._client = client

    def takes(self, event: bytes) -> bool:
        """Whether there may be a schedule for an event."""
        return self.deployment.scheduler_role is not None and len(event) <= MAX_INPUT

    def add(self, group: str, name: str, event: bytes, due: float) -> str | None:
        """Have an event sent to a group's queue shortly before it is due.

        Args:
            name: the native message id; the same event is scheduled once.

        Returns:
            Why it was not accepted; None where it was, or had been before.
        """
        if self._client is None:
            self._client = clients.scheduler()
        at = datetime.fromtimestamp(int(due) - EARLY, UTC)
        target: TargetTypeDef = {
            "Arn": self.deployment.queue(group),
            "RoleArn": self.deployment.scheduler_role or "",
            "Input": wrap(event, due).decode(),
            "RetryPolicy": {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185},
            "DeadLetterConfig": {"Arn": self.deployment.dead_letters(group)},
        }
        try:
            self._client.create_schedule(
                Name=_name(group, name, due),
                GroupName=self.deployment.schedules,
                ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target=target,
            )
        except ClientError as error:
            return None if code_of(error) == "ConflictException" else str(error)
        except BotoCoreError as error:
            return str(error)
        return None


def _name(*parts: str | float) -> str:
    """A name that the same event has whenever it is scheduled; 64 characters are allowed."""
    digest = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
    return f"crosswind-{digest[:48]}"
