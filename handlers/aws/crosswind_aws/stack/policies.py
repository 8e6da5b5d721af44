"""What people who work with a stack may do, as policies of IAM, bound to that stack.

    reader      chains, trace, incident list and show, report, replay, dlq list and show
    operator    all of that, and publish, signal, approve, freeze, break-glass, dlq redrive and
                discard, incident resolve

Both are made from what `desk`, `letters`, `store` and `bus` ask; a test holds every request that
the commands make against them. Nothing here deletes state. To look into a queue of dead letters is
to receive from it, so that a reader may; what is received shows itself again. Whoever can put into
the table can put anything there: the right of an operator is what an approval is worth in the end.

Source: docs.aws.amazon.com/service-authorization/latest/reference/, of each service.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from crosswind_aws.deployment import DEAD
from crosswind_aws.stack.rights import TRUSTED

if TYPE_CHECKING:
    from crosswind.stacks.desk import Role
    from crosswind_aws.stack.outputs import Told


def policy(role: Role, stack: str, told: Told) -> dict[str, Any]:
    """The policy of a role, for a stack of this name whose outputs say this."""
    _, partition, _, region, account, _ = told.queues.split(":")
    table = [f"arn:{partition}:dynamodb:{region}:{account}:table/{told.table}"]
    dead = [f"{told.queues}{group}{DEAD}" for group in told.groups]
    statements = [
        _allow(
            "FindTheStack",
            ("cloudformation:DescribeStacks",),
            # Its name is all that is known of a stack before it is asked for; an id follows it.
            [f"arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/*"],
        ),
        _allow("ReadState", ("dynamodb:GetItem", "dynamodb:Query"), table),
        _allow("LookAtDeadLetters", ("sqs:ChangeMessageVisibility", "sqs:ReceiveMessage"), dead),
    ]
    if role == "operator":
        changes = ("dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:PutItem")
        statements += [
            _allow("ChangeState", changes, table),
            _allow("Say", ("events:PutEvents",), [told.bus]),
            _allow("SendToGroups", ("sqs:SendMessage",), [told.queues + g for g in told.groups]),
            _allow("TakeDeadLetters", ("sqs:DeleteMessage",), dead),
        ]
    return {"Version": TRUSTED, "Statement": statements}


def _allow(name: str, actions: Iterable[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": list(actions), "Resource": resources}
