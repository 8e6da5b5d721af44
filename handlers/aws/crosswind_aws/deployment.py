"""What a deployed function is told of the stack around it, by environment variables.

The stack writes these variables and the function reads them; nothing else is agreed between them.
Queues are named by one rule, so that neither a list of them nor a look-up is needed: the prefix,
the group, and `-dead` for the group's dead letters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crosswind.buses.promises import MAX_RECEIPTS
from crosswind.errors import DeclarationError

DEAD: Final = "-dead"
"""What the name of a group's dead-letter queue ends with."""

BATCH: Final = 10
"""Messages that a function is handed at a time."""

LONGEST_DELAY: Final = 900
"""Seconds for which SQS delays a message: docs.aws.amazon.com/AWSSimpleQueueService/latest/
APIReference/API_SendMessage.html."""

DELIVERIES: Final = MAX_RECEIPTS
"""How often a queue delivers a message before it is a dead letter: as often as any bus, and twice
the batch. Each time a batch comes again another of its messages is first, so
that the neighbours of one that kills its function are all worked before they are given up."""

_GROUP: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")
_QUEUES: Final = re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{0,60}")
_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+")
_LONGEST: Final = 80
"""Characters of a queue's name: docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/
API_CreateQueue.html."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where a group's function finds what it needs.

    Attributes:
        group: whose handlers the function runs.
        table: of the store.
        bus: name or ARN of the event bus.
        queues: what the ARN of every group's queue begins with.
        scheduler_role: ARN of the role by which EventBridge Scheduler sends to the queues; without
            one, long delays are relayed from queue to queue.
        schedules: the schedule group in which long delays are kept.

    Raises:
        DeclarationError: lists every fault.
    """

    group: str
    table: str
    bus: str
    queues: str
    scheduler_role: str | None = None
    schedules: str = "default"

    def __post_init__(self) -> None:
        faults = [
            f"{_VARIABLES[name]} is missing"
            for name in ("group", "table", "bus", "queues")
            if not getattr(self, name)
        ]
        if self.group:
            faults += group_faults(self.group)
        if self.queues and not _QUEUES.fullmatch(self.queues):
            faults.append(
                f"{_VARIABLES['queues']}={self.queues!r:.100} does not begin the ARN of a queue, "
                "such as arn:aws:sqs:eu-west-1:123456789012:crosswind-ops-"
            )
        elif self.queues and self.group and len(_name(self.dead_letters(self.group))) > _LONGEST:
            faults.append(
                f"the queue of group {self.group} would have more than {_LONGEST} letters"
            )
        if self.scheduler_role and not _ROLE.fullmatch(self.scheduler_role):
            faults.append(f"{_VARIABLES['scheduler_role']} is not the ARN of a role")
        if faults:
            raise DeclarationError(
                f"this function is not told where it is deployed: {'; '.join(faults)}. "
                "`crosswind stack apply aws` sets these variables."
            )

    def queue(self, group: str) -> str:
        """ARN of the queue at which a group's events arrive."""
        return self.queues + group

    def dead_letters(self, group: str) -> str:
        """ARN of the queue at which a group's dead letters arrive."""
        return self.queues + group + DEAD

    def to_env(self) -> dict[str, str]:
        """The variables that say this."""
        return {
            variable: value
            for name, variable in _VARIABLES.items()
            if (value := getattr(self, name)) is not None
        }

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Deployment:
        """What the variables say.

        Raises:
            DeclarationError: lists every fault.
        """
        given = {name: environ.get(variable, "") for name, variable in _VARIABLES.items()}
        return cls(
            given["group"],
            given["table"],
            given["bus"],
            given["queues"],
            given["scheduler_role"] or None,
            given["schedules"] or "default",
        )


_VARIABLES: Final = {
    "group": "CROSSWIND_GROUP",
    "table": "CROSSWIND_TABLE",
    "bus": "CROSSWIND_BUS",
    "queues": "CROSSWIND_QUEUES",
    "scheduler_role": "CROSSWIND_SCHEDULER_ROLE",
    "schedules": "CROSSWIND_SCHEDULES",
}


def group_faults(group: str) -> list[str]:
    """Why a group cannot have a queue; nothing where it can."""
    if not _GROUP.fullmatch(group):
        return [f"group {group!r:.80} is no part of a queue's name; use letters, digits, - and _"]
    if group.endswith(DEAD):
        return [f"group {group!r:.80} ends with {DEAD}, as queues of dead letters do"]
    return []


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]
