"""The same stack in Terraform's JSON syntax, for teams that apply with that.

It is made from the CloudFormation template, so that both say the same. Every property is translated
or refused: nothing of the template gets lost on the way. What Terraform has in a resource of its
own (targets of rules, policies of roles) becomes one.

    terraform apply -var artifact_bucket=BUCKET

Sources: developer.hashicorp.com/terraform/language/syntax/json, and
registry.terraform.io/providers/hashicorp/aws/latest/docs for the arguments of each resource.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

Properties = dict[str, Any]

PROVIDER: Final = ">= 5.70"
"""Versions of hashicorp/aws that have every argument that is used here."""

_TYPES: Final = {
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


def translate(template: Mapping[str, Any]) -> dict[str, Any]:
    """A template, as a document of Terraform.

    Raises:
        ValueError: it holds a type or a property that is not translated.
    """
    words = _Words(template["Resources"])
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


class _Words:
    """What the values of a template are in Terraform."""

    def __init__(self, resources: Mapping[str, Mapping[str, Any]]) -> None:
        self._resources = resources

    def type_of(self, name: str) -> str:
        """The type of a resource in the template."""
        return str(self._resources[name]["Type"])

    def address(self, name: str) -> str:
        """A resource, as Terraform refers to it."""
        return f"{_TYPES[self.type_of(name)]}.{name}"

    def translated(self, value: Any) -> Any:
        """A value, with references in Terraform's words."""
        match value:
            case str():
                return _literal(value)
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
        found = _literal(parts[0])
        for part in parts[1:]:
            name, _, rest = part.partition("}")
            found += known[name] + _literal(rest)
        return found


def _literal(words: str) -> str:
    """Text in which nothing is a template of Terraform."""
    return words.replace("${", "$${").replace("%{", "%%{")


def _blocks(name: str, resource: Mapping[str, Any], words: _Words) -> Iterator[Block]:
    kind = resource["Type"]
    if kind not in _TYPES:
        raise ValueError(f"{name}: no translation of {kind}")
    left = dict(resource["Properties"])
    tags = {one["Key"]: _literal(one["Value"]) for one in left.pop("Tags", ())}
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


def _addresses(name: str, words: _Words) -> list[str]:
    if words.type_of(name) == "AWS::SQS::QueuePolicy":
        return [f"aws_sqs_queue_policy.{name}{n}" for n in range(2)]
    return [words.address(name)]


def _renamed(names: Mapping[str, str]) -> Callable[[str, Properties, _Words], Iterator[Block]]:
    """A translation of a type whose properties have other names only."""

    def translation(name: str, left: Properties, words: _Words) -> Iterator[Block]:
        arguments = {
            names[one]: words.translated(left.pop(one)) for one in list(left) if one in names
        }
        yield Block(words.address(name).partition(".")[0], name, arguments)

    return translation


def _table(name: str, left: Properties, words: _Words) -> Iterator[Block]:
    keys = {one["KeyType"]: one["AttributeName"] for one in left.pop("KeySchema")}
    ttl = left.pop("TimeToLiveSpecification")
    recovery = left.pop("PointInTimeRecoverySpecification")
    yield Block(
        "aws_dynamodb_table",
        name,
        {
            "name": words.translated(left.pop("TableName")),
            "billing_mode": left.pop("BillingMode"),
            "hash_key": keys["HASH"],
            "range_key": keys["RANGE"],
            "attribute": [
                {"name": one["AttributeName"], "type": one["AttributeType"]}
                for one in left.pop("AttributeDefinitions")
            ],
            "ttl": {"attribute_name": ttl["AttributeName"], "enabled": ttl["Enabled"]},
            "point_in_time_recovery": {"enabled": recovery["PointInTimeRecoveryEnabled"]},
        },
    )


def _queue(name: str, left: Properties, words: _Words) -> Iterator[Block]:
    arguments = {
        "name": words.translated(left.pop("QueueName")),
        "message_retention_seconds": left.pop("MessageRetentionPeriod"),
        "sqs_managed_sse_enabled": left.pop("SqsManagedSseEnabled"),
        "visibility_timeout_seconds": left.pop("VisibilityTimeout"),
    }
    if "RedrivePolicy" in left:
        arguments["redrive_policy"] = words.document(left.pop("RedrivePolicy"))
    yield Block("aws_sqs_queue", name, arguments)


def _queue_policy(name: str, left: Properties, words: _Words) -> Iterator[Block]:
    policy = words.document(left.pop("PolicyDocument"))
    for n, queue in enumerate(left.pop("Queues")):
        arguments = {"queue_url": words.translated(queue), "policy": policy}
        yield Block("aws_sqs_queue_policy", f"{name}{n}", arguments)


def _rule(name: str, left: Properties, words: _Words) -> Iterator[Block]:
    bus = (
        {"event_bus_name": words.translated(left.pop("EventBusName"))}
        if "EventBusName" in left
        else {}
    )
    yield Block(
        "aws_cloudwatch_event_rule",
        name,
        {
            "name": words.translated(left.pop("Name")),
            "description": words.translated(left.pop("Description")),
            "event_pattern": words.document(left.pop("EventPattern")),
            **bus,
        },
    )
    for target in left.pop("Targets"):
        path = {"input_path": _literal(target["InputPath"])} if "InputPath" in target else {}
        yield Block(
            "aws_cloudwatch_event_target",
            name,
            {
                "rule": f"${{aws_cloudwatch_event_rule.{name}.name}}",
                "target_id": target["Id"],
                "arn": words.translated(target["Arn"]),
                "dead_letter_config": {"arn": words.translated(target["DeadLetterConfig"]["Arn"])},
                **path,
                **bus,
            },
        )


def _role(name: str, left: Properties, words: _Words) -> Iterator[Block]:
    yield Block(
        "aws_iam_role",
        name,
        {
            "description": words.translated(left.pop("Description")),
            "assume_role_policy": words.document(left.pop("AssumeRolePolicyDocument")),
        },
    )
    for policy in left.pop("Policies"):
        yield Block(
            "aws_iam_role_policy",
            f"{name}{policy['PolicyName']}",
            {
                "name": policy["PolicyName"],
                "role": f"${{aws_iam_role.{name}.id}}",
                "policy": words.document(policy["PolicyDocument"]),
            },
        )


def _function(name: str, left: Properties, words: _Words) -> Iterator[Block]:
    code, logs = left.pop("Code"), left.pop("LoggingConfig")
    loop = left.pop("RecursiveLoop")
    variables = left.pop("Environment")["Variables"]
    reserved = (
        {"reserved_concurrent_executions": left.pop("ReservedConcurrentExecutions")}
        if "ReservedConcurrentExecutions" in left
        else {}
    )
    role = left.pop("Role")
    yield Block(
        "aws_lambda_function",
        name,
        {
            "function_name": words.translated(left.pop("FunctionName")),
            "description": words.translated(left.pop("Description")),
            "runtime": left.pop("Runtime"),
            "architectures": left.pop("Architectures"),
            "handler": left.pop("Handler"),
            "s3_bucket": words.translated(code["S3Bucket"]),
            "s3_key": code["S3Key"],
            "role": words.translated(role),
            "memory_size": left.pop("MemorySize"),
            "timeout": left.pop("Timeout"),
            "environment": {"variables": words.translated(variables)},
            "logging_config": {
                "log_format": "Text",
                "log_group": words.translated(logs["LogGroup"]),
            },
            **reserved,
            # A poller begins at once, and needs what the role may do.
            "depends_on": [f"aws_iam_role_policy.{role['Fn::GetAtt'][0]}Function"],
        },
    )
    yield Block(
        "aws_lambda_function_recursion_config",
        name,
        {"function_name": f"${{aws_lambda_function.{name}.function_name}}", "recursive_loop": loop},
    )


def _mapping(name: str, left: Properties, words: _Words) -> Iterator[Block]:
    scaling = left.pop("ScalingConfig", None)
    bounded = (
        {}
        if scaling is None
        else {"scaling_config": {"maximum_concurrency": scaling["MaximumConcurrency"]}}
    )
    yield Block(
        "aws_lambda_event_source_mapping",
        name,
        {
            "event_source_arn": words.translated(left.pop("EventSourceArn")),
            "function_name": words.translated(left.pop("FunctionName")),
            "batch_size": left.pop("BatchSize"),
            "function_response_types": left.pop("FunctionResponseTypes"),
            **bounded,
        },
    )


def _schedule(name: str, left: Properties, words: _Words) -> Iterator[Block]:
    target = left.pop("Target")
    retry = target["RetryPolicy"]
    yield Block(
        "aws_scheduler_schedule",
        name,
        {
            "description": words.translated(left.pop("Description")),
            "group_name": words.translated(left.pop("GroupName")),
            "schedule_expression": left.pop("ScheduleExpression"),
            "schedule_expression_timezone": left.pop("ScheduleExpressionTimezone"),
            "state": left.pop("State"),
            "flexible_time_window": {"mode": left.pop("FlexibleTimeWindow")["Mode"]},
            "target": {
                "arn": words.translated(target["Arn"]),
                "role_arn": words.translated(target["RoleArn"]),
                "input": words.translated(target["Input"]),
                "dead_letter_config": {"arn": words.translated(target["DeadLetterConfig"]["Arn"])},
                "retry_policy": {
                    "maximum_event_age_in_seconds": retry["MaximumEventAgeInSeconds"],
                    "maximum_retry_attempts": retry["MaximumRetryAttempts"],
                },
            },
        },
    )


def _alarm(name: str, left: Properties, words: _Words) -> Iterator[Block]:
    dimensions = {one["Name"]: words.translated(one["Value"]) for one in left.pop("Dimensions")}
    actions = {"alarm_actions": left.pop("AlarmActions")} if "AlarmActions" in left else {}
    yield Block(
        "aws_cloudwatch_metric_alarm",
        name,
        {
            "alarm_name": words.translated(left.pop("AlarmName")),
            "alarm_description": words.translated(left.pop("AlarmDescription")),
            "namespace": left.pop("Namespace"),
            "metric_name": left.pop("MetricName"),
            "dimensions": dimensions,
            "statistic": left.pop("Statistic"),
            "period": left.pop("Period"),
            "evaluation_periods": left.pop("EvaluationPeriods"),
            "threshold": left.pop("Threshold"),
            "comparison_operator": left.pop("ComparisonOperator"),
            "treat_missing_data": left.pop("TreatMissingData"),
            **actions,
        },
    )


_TRANSLATIONS: Final[Mapping[str, Callable[[str, Properties, _Words], Iterator[Block]]]] = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::EventBus": _renamed({"Name": "name"}),
    "AWS::Events::Rule": _rule,
    "AWS::IAM::Role": _role,
    "AWS::Lambda::EventSourceMapping": _mapping,
    "AWS::Lambda::Function": _function,
    "AWS::Logs::LogGroup": _renamed(
        {"LogGroupName": "name", "RetentionInDays": "retention_in_days"}
    ),
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::Scheduler::ScheduleGroup": _renamed({"Name": "name"}),
}
