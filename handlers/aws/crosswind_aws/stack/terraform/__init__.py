"""The same stack in Terraform's JSON syntax, for teams that apply with that.

It is made from the CloudFormation template, so that both say the same. Every property is translated
or refused: nothing of the template gets lost on the way. What Terraform has in a resource of its
own (targets of rules, policies of roles) becomes one.

    terraform apply -var artifact_bucket=BUCKET

Sources: developer.hashicorp.com/terraform/language/syntax/json, and
registry.terraform.io/providers/hashicorp/aws/latest/docs for the arguments of each resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from crosswind_aws.stack.terraform import events, work
from crosswind_aws.stack.terraform.words import TYPES, Block, Properties, Words, literal

PROVIDER: Final = ">= 5.70"
"""Versions of hashicorp/aws that have every argument that is used here."""


def translate(template: Mapping[str, Any]) -> dict[str, Any]:
    """A template, as a document of Terraform.

    Raises:
        ValueError: it holds a type or a property that is not translated.
    """
    words = Words(template["Resources"])
    blocks: dict[str, dict[str, Properties]] = {}
    for name, resource in template["Resources"].items():
        for block in _blocks(name, resource, words):
            blocks.setdefault(block.type, {})[block.name] = block.arguments
    return {
        "terraform": {
            "required_providers": {"aws": {"source": "hashicorp/aws", "version": PROVIDER}}
        },
        "variable": {
            "artifact_bucket": {
                "type": "string",
                "description": template["Parameters"]["ArtifactBucket"]["Description"],
            }
        },
        "data": {
            "aws_caller_identity": {"current": {}},
            "aws_partition": {"current": {}},
            "aws_region": {"current": {}},
        },
        "resource": blocks,
        "output": {
            name.lower(): {
                "description": said["Description"],
                "value": words.translated(said["Value"]),
            }
            for name, said in template["Outputs"].items()
        },
    }


def _blocks(name: str, resource: Mapping[str, Any], words: Words) -> Iterator[Block]:
    kind = resource["Type"]
    if kind not in TYPES:
        raise ValueError(f"{name}: no translation of {kind}")
    left = dict(resource["Properties"])
    tags = {one["Key"]: literal(one["Value"]) for one in left.pop("Tags", ())}
    made = list(_TRANSLATIONS[kind](name, left, words))
    if left:
        raise ValueError(f"{name}: no translation of {', '.join(left)} of {kind}")
    first = made[0]
    if tags:
        first.arguments["tags"] = tags
    after = resource.get("DependsOn", ())
    if after:
        first.arguments["depends_on"] = [
            address for one in after for address in _addresses(one, words)
        ]
    yield from made


def _addresses(name: str, words: Words) -> list[str]:
    if words.type_of(name) == "AWS::SQS::QueuePolicy":
        return [f"aws_sqs_queue_policy.{name}{n}" for n in range(2)]
    return [words.address(name)]


def _renamed(names: Mapping[str, str]) -> Callable[[str, Properties, Words], Iterator[Block]]:
    """A translation of a type whose properties have other names only."""

    def translation(name: str, left: Properties, words: Words) -> Iterator[Block]:
        arguments = {
            names[one]: words.translated(left.pop(one)) for one in list(left) if one in names
        }
        yield Block(words.address(name).partition(".")[0], name, arguments)

    return translation


_TRANSLATIONS: Final[Mapping[str, Callable[[str, Properties, Words], Iterator[Block]]]] = {
    "AWS::CloudWatch::Alarm": work.alarm,
    "AWS::DynamoDB::Table": work.table,
    "AWS::Events::EventBus": _renamed({"Name": "name"}),
    "AWS::Events::Rule": events.rule,
    "AWS::IAM::Role": work.role,
    "AWS::Lambda::EventSourceMapping": work.mapping,
    "AWS::Lambda::Function": work.function,
    "AWS::Logs::LogGroup": _renamed(
        {"LogGroupName": "name", "RetentionInDays": "retention_in_days"}
    ),
    "AWS::SQS::Queue": events.queue,
    "AWS::SQS::QueuePolicy": events.queue_policy,
    "AWS::Scheduler::Schedule": events.schedule,
    "AWS::Scheduler::ScheduleGroup": _renamed({"Name": "name"}),
}
