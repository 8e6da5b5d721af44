"""What deployed functions ask of AWS, held against the roles that were made for them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import boto3
import pytest

from contract.aws_stack import eventually
from contract.proxy import Fault, FaultyProxy, Request
from crosswind.ports import Check, Delete, Put
from crosswind_aws.queues import Hiding, Queues
from crosswind_aws.stack.template import Template
from crosswind_aws.store import DynamoStore
from crosswind_local.aws_sites import AwsSite
from integration.aws.performers.wire import operation
from integration.aws.stack.bench import Bench
from integration.aws.stack.rendering import PSEUDO, rendered

PLATFORM: Final = {
    "logs:CreateLogStream": "the runtime",
    "logs:PutLogEvents": "the runtime",
    "sqs:ReceiveMessage": "the poller",
    "sqs:DeleteMessage": "the poller",
    "sqs:GetQueueAttributes": "the poller",
    "iam:PassRole": "whoever creates a schedule gives it a role",
}
"""Rights of a role that others use in its name."""

CHANGES: Final = {
    "Put": "dynamodb:PutItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}
"""What each part of a transaction needs:
docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html."""

Asked = tuple[str, str]
"""An action of IAM, and the ARN of what it is asked of."""


class Ear(FaultyProxy):
    """Carries everything out, and remembers what needs which right."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.asked: set[Asked] = set()

    def meet(self, request: Request) -> Fault:
        self.asked |= set(needed(request))
        return super().meet(request)


def needed(request: Request) -> Iterator[Asked]:
    """The rights that a request of a function needs."""
    name = operation(request)
    body = json.loads(request.body) if request.body.startswith(b"{") else {}
    if name == "TransactWriteItems":
        for item in body["TransactItems"]:
            ((part, how),) = item.items()
            yield CHANGES[part], arn("dynamodb", f"table/{how['TableName']}")
    elif "TableName" in body:
        yield f"dynamodb:{name}", arn("dynamodb", f"table/{body['TableName']}")
    elif "QueueUrl" in body:
        queue = body["QueueUrl"].rpartition("/")[2]
        yield f"sqs:{name.removesuffix('Batch')}", arn("sqs", queue)
    elif name == "PutEvents":
        for entry in body["Entries"]:
            bus = entry["EventBusName"].rpartition("/")[2]
            yield "events:PutEvents", arn("events", f"event-bus/{bus}")
    elif found := re.fullmatch(r"/schedules/([^/]+)", request.path):
        yield (
            "scheduler:CreateSchedule",
            arn("scheduler", f"schedule/{body['GroupName']}/{found[1]}"),
        )
    else:
        raise AssertionError(f"nobody says what right this needs: {request.method} {request.path}")


def arn(service: str, end: str) -> str:
    return f"arn:aws:{service}:{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}:{end}"


def rights(template: Template, role: str) -> set[Asked]:
    """What a role of a template may do."""
    policies = template["Resources"][role]["Properties"]["Policies"]
    documents = [rendered(one["PolicyDocument"], template) for one in policies]
    return {
        (action, resource)
        for document in documents
        for statement in document["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def covers(right: Asked, asked: Asked) -> bool:
    pattern = re.escape(right[1]).replace(r"\*", ".*")
    return right[0] == asked[0] and re.fullmatch(pattern, asked[1]) is not None


def reroute(group: str, url: str) -> None:
    """Have the function of a group reach AWS by way of a proxy."""
    functions, name = boto3.client("lambda"), f"crosswind-hops-{group}"
    variables: Mapping[str, str]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "AWS_ENDPOINT_URL": url}}
    )


def test_what_functions_ask_is_what_their_roles_allow_and_no_right_is_for_nothing(
    bench: Bench, emulated: AwsSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.apply(bench.artifacts.first)
    template = deployed(bench)
    assert emulated.url is not None
    with Ear(emulated.url) as hops, Ear(emulated.url) as audit:
        reroute("hops", hops.url)
        reroute("audit", audit.url)
        chain = bench.ask("1", hops=4)
        assert bench.ends(chain, "completed")
        assert eventually(lambda: bench.runs(chain).get("hear") == "committed")
        monkeypatch.setenv("AWS_ENDPOINT_URL", hops.url)
        seldom()

    for ear, role in ((hops, "HopsRole"), (audit, "AuditRole")):
        allowed = rights(template, role)
        assert [one for one in ear.asked if not any(covers(r, one) for r in allowed)] == []
    used = {action for action, _ in hops.asked}
    assert {action for action, _ in rights(template, "HopsRole")} == used | set(PLATFORM)


def seldom() -> None:
    """What the adapter asks where a chain comes to nothing of it: by its own store and queues."""
    store = DynamoStore("crosswind-hops")
    store.write("example", [Put("one", b"{}")], "first")
    (item,) = store.scan("example", "", limit=10)
    store.write("example", [Put("two", b"{}"), Check("three"), Delete("one", item.version)], "next")
    queue = arn("sqs", "crosswind-hops-hops")
    Queues().hide(queue, [Hiding("no receipt", 1)])


def deployed(bench: Bench) -> Template:
    """The template that stands."""
    answer: Any = boto3.client("cloudformation").get_template(StackName=bench.stack.stack)
    template: Template = json.loads(json.dumps(answer["TemplateBody"]))
    return template
