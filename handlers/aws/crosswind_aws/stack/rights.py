"""What the role of a function may do: what the adapter itself needs, and what its handlers declare.

    always       log to its own log group; use the table; publish to the bus; take from its own
                 queues; send to the queues of the app, now or by a schedule
    by kind      what `crosswind_aws.performers.permissions` says, bound to the declared resources;
                 for kinds of the user's own, what is granted with them

Sources: docs.aws.amazon.com/lambda/latest/dg/with-sqs.html (the poller works with the function's
role), docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
(a transaction needs the rights of what it is made of).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from crosswind_aws.performers.permissions import TABLES, statements
from crosswind_aws.performers.resources import Resources
from crosswind_aws.stack import names

Statement = dict[str, Any]

OWN: Final = ("register.", "incident.")
"""What the names of kinds begin with that Crosswind performs itself, in its own table."""

_STATE: Final = (
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
)
_TAKE: Final = (
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
)

TRUSTED: Final = "2012-10-17"
"""The version of the language of policies."""


def baseline(stack: str, queues: Sequence[str], every_queue: Sequence[str]) -> Iterator[Statement]:
    """What every function needs beside its logs.

    Args:
        queues: names of the group's own two queues.
        every_queue: names of the queues of all groups of the app, to which timers and addressed
            events are sent.
    """
    yield _allow(_STATE, [names.of("AppTable")])
    yield _allow(("events:PutEvents",), [names.of("AppBus")])
    yield _allow(_TAKE, [names.arn("sqs", queue) for queue in queues])
    yield _allow(("sqs:SendMessage",), [names.arn("sqs", queue) for queue in every_queue])
    # The name of a schedule is a digest of what it sends, so that its end cannot be named here.
    group = names.fitted(stack, names.FUNCTION)
    ours = names.arn("scheduler", f"schedule/{group}/crosswind-*")
    yield _allow(("scheduler:CreateSchedule",), [ours])
    yield {
        **_allow(("iam:PassRole",), [names.of("AppSender")]),
        "Condition": {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
    }


def logging(logs: str) -> Statement:
    """To log; the ARN of a log group ends with the star that stands for its streams."""
    return _allow(("logs:CreateLogStream", "logs:PutLogEvents"), [names.of(logs)])


def performing(
    kinds: Iterable[str],
    resources: Resources,
    grants: Mapping[str, Sequence[Mapping[str, Any]]],
) -> list[Statement]:
    """What its handlers need for the kinds that they declare."""
    wanted = sorted(set(kinds))
    found = statements(
        wanted, resources, account="${AWS::AccountId}", partition="${AWS::Partition}"
    )
    return [
        *(_filled(one) for one in found),
        *({"Effect": "Allow", **one} for kind in wanted for one in grants.get(kind, ())),
    ]


def unknown(kinds: Iterable[str], grants: Mapping[str, Any]) -> list[str]:
    """Kinds of which nobody says what rights they need."""
    known = {kind for table in TABLES.values() for kind in table}
    return sorted(
        kind
        for kind in set(kinds) - known - set(grants)
        if not kind.startswith(OWN) and kind != "telemetry.probe"
    )


def unbound(kinds: Iterable[str], resources: Resources) -> list[str]:
    """Kinds that AWS performs, and for which no resource is declared on which they could be."""
    declared = {target.service for target in resources.targets()}
    performed = {kind for table in TABLES.values() for kind in table}
    able = {kind for service in declared for kind in TABLES[service]}
    return sorted(set(kinds) & performed - able)


def trust(service: str, condition: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """That a service may take a role."""
    statement: Statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if condition is not None:
        statement["Condition"] = condition
    return {"Version": TRUSTED, "Statement": [statement]}


def policy(*several: Statement) -> dict[str, Any]:
    """A policy of these statements."""
    return {"Version": TRUSTED, "Statement": list(several)}


def _allow(actions: Iterable[str], resources: Iterable[Any]) -> Statement:
    return {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def _filled(value: Any) -> Any:
    """With what CloudFormation is to fill in marked as such."""
    if isinstance(value, str):
        return {"Fn::Sub": value} if "${AWS::" in value else value
    if isinstance(value, list | tuple):
        return [_filled(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _filled(one) for name, one in value.items()}
    return value
