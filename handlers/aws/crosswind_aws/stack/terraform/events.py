"""What carries events: queues, rules with their targets, schedules."""

from __future__ import annotations

from collections.abc import Iterator

from crosswind_aws.stack.terraform.words import Block, Properties, Words, literal


def queue(name: str, left: Properties, words: Words) -> Iterator[Block]:
    """A queue."""
    arguments = {
        "name": words.translated(left.pop("QueueName")),
        "message_retention_seconds": left.pop("MessageRetentionPeriod"),
        "sqs_managed_sse_enabled": left.pop("SqsManagedSseEnabled"),
        "visibility_timeout_seconds": left.pop("VisibilityTimeout"),
    }
    if "RedrivePolicy" in left:
        arguments["redrive_policy"] = words.document(left.pop("RedrivePolicy"))
    yield Block("aws_sqs_queue", name, arguments)


def queue_policy(name: str, left: Properties, words: Words) -> Iterator[Block]:
    """A policy for each queue that shares one."""
    policy = words.document(left.pop("PolicyDocument"))
    for n, queue in enumerate(left.pop("Queues")):
        arguments = {"queue_url": words.translated(queue), "policy": policy}
        yield Block("aws_sqs_queue_policy", f"{name}{n}", arguments)


def rule(name: str, left: Properties, words: Words) -> Iterator[Block]:
    """A rule, and its targets."""
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
        path = {"input_path": literal(target["InputPath"])} if "InputPath" in target else {}
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


def schedule(name: str, left: Properties, words: Words) -> Iterator[Block]:
    """A schedule."""
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
