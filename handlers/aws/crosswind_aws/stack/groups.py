"""What one group has of its own: queues, rules, function, role, logs, schedules, alarms.

    bus  --rule-->  queue  --feed-->  function      the rule's own dead letters go to `dead` as well
                    queue  --20 deliveries-->  dead  --burial-->  function

A rule comes after the policy that lets it send, so that nothing it matches is refused. A queue
hides what was received for six times as long as the function may take, and a message is delivered
more often than a batch is long: docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from crosswind_aws.deployment import BATCH, DEAD, DELIVERIES, Deployment
from crosswind_aws.filters import TARGET_INPUT, patterns
from crosswind_aws.stack import names, native, rights, ticks
from crosswind_aws.stack.alarms import alarms

if TYPE_CHECKING:
    from crosswind.stacks.driver import Sizing
    from crosswind.stacks.release import Group, Release, Timed
    from crosswind_aws.performers.resources import Resources

Resource = dict[str, Any]

HIDDEN: Final = 6
"""By how much longer than the function's timeout a queue hides what was received."""

KEPT: Final = 1_209_600
"""Seconds for which a queue keeps messages: the longest that SQS can."""

BURIALS: Final = 2
"""Calls at a time that bury dead letters: the least that can be asked for."""

MOST_POLLED: Final = 1_000
"""Calls at a time that one queue can feed: docs.aws.amazon.com/lambda/latest/api/
API_ScalingConfig.html."""

ARTIFACT: Final = "artifacts/{digest}.zip"
"""Where an artifact lies in the bucket."""

_LIST_TAGGED: Final = (
    "AWS::SQS::Queue",
    "AWS::Lambda::Function",
    "AWS::Lambda::EventSourceMapping",
    "AWS::IAM::Role",
    "AWS::Logs::LogGroup",
    "AWS::CloudWatch::Alarm",
    "AWS::Events::Rule",
    "AWS::Events::EventBus",
    "AWS::DynamoDB::Table",
    "AWS::Scheduler::ScheduleGroup",
)
"""Types whose resources bear tags."""


class Around(NamedTuple):
    """What a group shares with others.

    Attributes:
        stack: its name.
        every_queue: names of the queues of all groups.
        native: whether native notifications come to this group.
    """

    stack: str
    release: Release
    sizing: Sizing
    resources: Resources
    grants: Mapping[str, Sequence[Mapping[str, Any]]]
    every_queue: Sequence[str]
    native: bool


def queues(stack: str, group: str) -> tuple[str, str]:
    """The names of a group's queue, and of its queue of dead letters."""
    return f"{stack}-{group}", f"{stack}-{group}{DEAD}"


def resources(group: Group, around: Around) -> dict[str, Resource]:
    """Everything that a group has.

    Raises:
        DeclarationError: its filters cannot be compiled.
        NotDeployable: its schedules cannot be kept.
    """
    prefix = names.logical(group.name)
    made: dict[str, Resource] = {}
    for kind, resource in (
        *_queues(prefix, group, around),
        *_rules(prefix, group, around),
        *_function(prefix, group, around),
        *_ticks(prefix, group, around),
        *alarms(prefix, group.name, around.stack, around.sizing),
    ):
        resource["Metadata"] = {"crosswind": {"group": group.name}}
        made[prefix + kind] = resource
    return made


def tagged(resources: dict[str, Resource], tags: Mapping[str, str]) -> None:
    """Put tags on everything that bears any."""
    for resource in resources.values():
        if resource["Type"] in _LIST_TAGGED:
            group = resource.get("Metadata", {}).get("crosswind", {}).get("group")
            own = {**tags, **({"crosswind:group": group} if group else {})}
            resource["Properties"]["Tags"] = [
                {"Key": name, "Value": value} for name, value in sorted(own.items())
            ]


def _queues(prefix: str, group: Group, around: Around) -> Iterator[tuple[str, Resource]]:
    queue, dead = queues(around.stack, group.name)
    shared = {
        "MessageRetentionPeriod": KEPT,
        "SqsManagedSseEnabled": True,
        "VisibilityTimeout": HIDDEN * around.sizing.timeout,
    }
    redrive = {"deadLetterTargetArn": names.of(f"{prefix}Dead"), "maxReceiveCount": DELIVERIES}
    yield "Dead", _resource("AWS::SQS::Queue", QueueName=dead, **shared)
    yield (
        "Queue",
        _resource("AWS::SQS::Queue", QueueName=queue, RedrivePolicy=redrive, **shared),
    )
    rules = [
        *(
            names.arn("events", f"rule/{around.stack}/{name}")
            for name, _ in _compiled(group, around)
        ),
        *(
            names.arn("events", f"rule/{native.rule(around.stack, kind)}")
            for kind in native.KINDS
            if around.native
        ),
    ]
    yield (
        "Policy",
        _resource(
            "AWS::SQS::QueuePolicy",
            Queues=[{"Ref": f"{prefix}Queue"}, {"Ref": f"{prefix}Dead"}],
            PolicyDocument=rights.policy(
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": [names.of(f"{prefix}Queue"), names.of(f"{prefix}Dead")],
                    "Condition": {"ArnEquals": {"aws:SourceArn": rules}},
                }
            ),
        ),
    )


def _compiled(group: Group, around: Around) -> list[tuple[str, str]]:
    """The names of a group's rules, and their patterns."""
    return [
        (names.fitted(f"{around.stack}-{group.name}-{n}", names.FUNCTION), pattern)
        for n, pattern in enumerate(patterns(group.name, group.bindings))
    ]


def _rules(prefix: str, group: Group, around: Around) -> Iterator[tuple[str, Resource]]:
    target: dict[str, Any] = {
        "Id": "queue",
        "Arn": names.of(f"{prefix}Queue"),
        "DeadLetterConfig": {"Arn": names.of(f"{prefix}Dead")},
    }
    for n, (name, pattern) in enumerate(_compiled(group, around)):
        yield (
            f"Rule{n}",
            _resource(
                "AWS::Events::Rule",
                f"{prefix}Policy",
                Name=name,
                Description=f"Events for group {group.name}",
                EventBusName={"Ref": "AppBus"},
                EventPattern=json.loads(pattern),
                Targets=[{**target, "InputPath": TARGET_INPUT}],
            ),
        )


def _function(prefix: str, group: Group, around: Around) -> Iterator[tuple[str, Resource]]:
    release, sizing, stack = around.release, around.sizing, around.stack
    own = queues(stack, group.name)
    yield (
        "Logs",
        _resource(
            "AWS::Logs::LogGroup",
            LogGroupName=names.log_group(stack, group.name),
            RetentionInDays=sizing.retention,
        ),
    )
    kinds = (*group.acts, *group.reads)
    own_work = rights.baseline(stack, own, around.every_queue)
    allowed = {
        "Function": [rights.logging(f"{prefix}Logs"), *own_work],
        "Handlers": rights.performing(kinds, around.resources, around.grants),
    }
    yield (
        "Role",
        _resource(
            "AWS::IAM::Role",
            Description=f"What the function of group {group.name} of {release.app} may do",
            AssumeRolePolicyDocument=rights.trust("lambda.amazonaws.com"),
            Policies=[
                {"PolicyName": name, "PolicyDocument": rights.policy(*several)}
                for name, several in allowed.items()
                if several
            ],
        ),
    )
    deployment = Deployment(
        group.name,
        stack,
        stack,
        # Looked at for its form; the account and region are filled in below.
        f"arn:aws:sqs:us-east-1:123456789012:{stack}-",
        schedules=names.fitted(stack, names.FUNCTION),
    )
    variables: dict[str, Any] = {
        **deployment.to_env(),
        "CROSSWIND_TABLE": {"Ref": "AppTable"},
        "CROSSWIND_BUS": {"Ref": "AppBus"},
        "CROSSWIND_QUEUES": names.arn("sqs", f"{stack}-"),
        "CROSSWIND_SCHEDULER_ROLE": names.of("AppSender"),
        "CROSSWIND_SCHEDULES": {"Ref": "AppSchedules"},
    }
    yield (
        "Function",
        _resource(
            "AWS::Lambda::Function",
            FunctionName=names.function(stack, group.name),
            Description=f"Group {group.name} of {release.app}",
            Runtime=release.runtime,
            Architectures=[release.architecture],
            Handler=release.handler,
            Code={
                "S3Bucket": {"Ref": "ArtifactBucket"},
                "S3Key": ARTIFACT.format(digest=release.digest),
            },
            Role=names.of(f"{prefix}Role"),
            MemorySize=sizing.memory,
            Timeout=sizing.timeout,
            Environment={"Variables": dict(sorted(variables.items()))},
            LoggingConfig={"LogGroup": {"Ref": f"{prefix}Logs"}},
            # A chain is a loop through queues on purpose; the engine bounds it by hops and ticks.
            RecursiveLoop="Allow",
            **_reserved(sizing),
        ),
    )
    reserved = sizing.concurrency
    main = None if reserved is None else min(reserved - BURIALS, MOST_POLLED)
    for kind, queue, most in (("Feed", "Queue", main), ("Burial", "Dead", BURIALS)):
        yield (
            kind,
            _resource(
                "AWS::Lambda::EventSourceMapping",
                EventSourceArn=names.of(f"{prefix}{queue}"),
                FunctionName={"Ref": f"{prefix}Function"},
                BatchSize=BATCH,
                FunctionResponseTypes=["ReportBatchItemFailures"],
                **({} if most is None else {"ScalingConfig": {"MaximumConcurrency": most}}),
            ),
        )


def _reserved(sizing: Sizing) -> dict[str, int]:
    return (
        {} if sizing.concurrency is None else {"ReservedConcurrentExecutions": sizing.concurrency}
    )


def _ticks(prefix: str, group: Group, around: Around) -> Iterator[tuple[str, Resource]]:
    for schedule in around.release.schedules:
        if schedule.group != group.name:
            continue
        times = ticks.times(schedule)
        for delay in times.delays:
            kind = f"Tick{names.logical(f'{schedule.name}_{delay}')[-8:]}"
            yield kind, _tick(prefix, schedule, times.expression, delay, around)


def _tick(prefix: str, schedule: Timed, expression: str, delay: int, around: Around) -> Resource:
    event = ticks.tick(schedule, around.release.app, delay)
    target: dict[str, Any] = {
        "Arn": names.of(f"{prefix}Queue"),
        "Input": event,
        "RoleArn": names.of("AppSender"),
        "DeadLetterConfig": {"Arn": names.of(f"{prefix}Dead")},
        # A tick that is an hour late says nothing that the next does not say better.
        "RetryPolicy": {"MaximumEventAgeInSeconds": 3_600, "MaximumRetryAttempts": 10},
    }
    if delay:
        target["Arn"] = {"Fn::Sub": "arn:${AWS::Partition}:scheduler:::aws-sdk:sqs:sendMessage"}
        target["Input"] = ticks.delayed(event, f"{prefix}Queue", delay)
    return _resource(
        "AWS::Scheduler::Schedule",
        Description=f"{schedule.name}"[:512],
        GroupName={"Ref": "AppSchedules"},
        ScheduleExpression=expression,
        ScheduleExpressionTimezone=schedule.tz,
        FlexibleTimeWindow={"Mode": "OFF"},
        State="ENABLED",
        Target=target,
    )


def _resource(kind: str, *after: str, **properties: Any) -> Resource:
    made: Resource = {"Type": kind}
    if after:
        made["DependsOn"] = list(after)
    made["Properties"] = properties
    return made
