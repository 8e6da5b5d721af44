"""Values of a template in the words of Terraform: references, pseudo parameters, literal text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

Properties = dict[str, Any]

TYPES: Final = {
    "AWS::CloudWatch::Alarm": "aws_cloudwatch_metric_alarm",
    "AWS::DynamoDB::Table": "aws_dynamodb_table",
    "AWS::Events::EventBus": "aws_cloudwatch_event_bus",
    "AWS::Events::Rule": "aws_cloudwatch_event_rule",
    "AWS::IAM::Role": "aws_iam_role",
    "AWS::Lambda::EventSourceMapping": "aws_lambda_event_source_mapping",
    "AWS::Lambda::Function": "aws_lambda_function",
    "AWS::Logs::LogGroup": "aws_cloudwatch_log_group",
    "AWS::SQS::Queue": "aws_sqs_queue",
    "AWS::SQS::QueuePolicy": "aws_sqs_queue_policy",
    "AWS::Scheduler::Schedule": "aws_scheduler_schedule",
    "AWS::Scheduler::ScheduleGroup": "aws_scheduler_schedule_group",
}

_REFERENCES: Final = {
    "AWS::DynamoDB::Table": "name",
    "AWS::Events::EventBus": "name",
    "AWS::Lambda::Function": "function_name",
    "AWS::Logs::LogGroup": "name",
    "AWS::SQS::Queue": "url",
    "AWS::Scheduler::ScheduleGroup": "name",
}
"""What `Ref` gives of a resource."""

_PSEUDO: Final = {
    "AWS::AccountId": "${data.aws_caller_identity.current.account_id}",
    "AWS::Partition": "${data.aws_partition.current.partition}",
    # In every version of the provider the id of a region is its name.
    "AWS::Region": "${data.aws_region.current.id}",
}

_ATTRIBUTES: Final = {"Arn": "arn", "QueueName": "name"}


class Block(NamedTuple):
    """One resource of Terraform."""

    type: str
    name: str
    arguments: Properties


class Words:
    """What the values of a template are in Terraform."""

    def __init__(self, resources: Mapping[str, Mapping[str, Any]]) -> None:
        self._resources = resources

    def type_of(self, name: str) -> str:
        """The type of a resource in the template."""
        return str(self._resources[name]["Type"])

    def address(self, name: str) -> str:
        """A resource, as Terraform refers to it."""
        return f"{TYPES[self.type_of(name)]}.{name}"

    def translated(self, value: Any) -> Any:
        """A value, with references in Terraform's words."""
        match value:
            case str():
                return literal(value)
            case {"Ref": "ArtifactBucket"}:
                return "${var.artifact_bucket}"
            case {"Ref": str() as name} if name in _PSEUDO:
                return _PSEUDO[name]
            case {"Ref": str() as name}:
                return f"${{{self.address(name)}.{_REFERENCES[self.type_of(name)]}}}"
            case {"Fn::GetAtt": [str() as name, str() as attribute]}:
                found = f"${{{self.address(name)}.{_ATTRIBUTES[attribute]}}}"
                # CloudFormation's ARN of a log group stands for its streams, and this one does not.
                return f"{found}:*" if self.type_of(name) == "AWS::Logs::LogGroup" else found
            case {"Fn::Sub": str() as words}:
                return self._filled(words, {})
            case {"Fn::Sub": [str() as words, dict() as given]}:
                return self._filled(
                    words, {name: self.translated(one) for name, one in given.items()}
                )
            case list() | tuple():
                return [self.translated(one) for one in value]
            case Mapping():
                return {name: self.translated(one) for name, one in value.items()}
        return value

    def document(self, value: Any) -> str:
        """JSON inside of an argument."""
        return json.dumps(self.translated(value), ensure_ascii=False, separators=(",", ":"))

    def _filled(self, words: str, given: Mapping[str, str]) -> str:
        known = {**_PSEUDO, **given}
        parts = words.split("${")
        found = literal(parts[0])
        for part in parts[1:]:
            name, _, rest = part.partition("}")
            found += known[name] + literal(rest)
        return found


def literal(words: str) -> str:
    """Text in which nothing is a template of Terraform."""
    return words.replace("${", "$${").replace("%{", "%%{")
