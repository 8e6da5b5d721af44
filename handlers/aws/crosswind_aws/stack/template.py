"""The CloudFormation template of an app: what its groups share, and what each has.

Plain CloudFormation, without a transform: it can be read as it is, checked as it is, and applied by
anything. Names of queues are those that `Deployment` derives, so that a function needs no look-up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from crosswind.errors import DeclarationError
from crosswind.stacks.release import NotDeployable
from crosswind_aws.deployment import group_faults
from crosswind_aws.performers.resources import Resources
from crosswind_aws.stack import groups, names, native, rights
from crosswind_aws.stack.outputs import outputs
from crosswind_aws.store import EXPIRES, table

if TYPE_CHECKING:
    from crosswind.stacks.driver import Request, Sizing

FORMAT: Final = 1

INLINE: Final = 51_200
"""Bytes of a template that is sent with a request: docs.aws.amazon.com/AWSCloudFormation/latest/
UserGuide/cloudformation-limits.html; a longer one must lie in a bucket."""

_LONGEST_QUEUE: Final = 80
_RETENTIONS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
)  # fmt: skip
"""Days that CloudWatch Logs takes: docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/
API_PutRetentionPolicy.html."""

_LEAST_CONCURRENCY: Final = 4
_LEAST_MEMORY, _MOST_MEMORY = 128, 10_240
_MOST_TIMEOUT: Final = 900

Template = dict[str, Any]


def template(stack: str, request: Request) -> Template:
    """The template of an app.

    Raises:
        NotDeployable: lists every reason.
        InvalidResources: the declared resources are none.
    """
    release, sizing = request.release, request.sizing
    declared = Resources() if request.resources is None else Resources.read(request.resources)
    faults = [*_named(stack, request), *_sized(sizing)]
    if faults:
        raise NotDeployable("; ".join(faults))
    every_queue = [groups.queues(stack, group.name)[0] for group in release.groups]
    hearer = native.hearer(release.groups, request.signals)
    made = _shared(
        stack, [*every_queue, *(groups.queues(stack, g.name)[1] for g in release.groups)]
    )
    for group in release.groups:
        around = groups.Around(
            stack,
            release,
            sizing,
            declared,
            request.grants,
            every_queue,
            group.name == hearer,
        )
        try:
            made |= groups.resources(group, around)
        except (DeclarationError, NotDeployable) as error:
            faults.append(str(error))
    if faults:
        raise NotDeployable("; ".join(faults))
    if hearer is not None:
        made |= dict(native.rules(stack, hearer))
    groups.tagged(made, {"crosswind:app": release.app})
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"{release.app}, deployed by Crosswind",
        "Metadata": {
            "Crosswind": {
                "format": FORMAT,
                "app": release.app,
                "digest": release.digest,
                "groups": {
                    group.name: {"takes": list(group.takes), "handlers": list(group.handlers)}
                    for group in release.groups
                },
                "signals": hearer,
                "draining": [],
            }
        },
        "Parameters": {
            "ArtifactBucket": {
                "Type": "String",
                "Description": "The bucket in which the artifact lies, under artifacts/SHA256.zip",
            }
        },
        "Resources": made,
        "Outputs": outputs(stack, release),
    }


def about(made: Mapping[str, Any]) -> dict[str, Any]:
    """What a template says of itself; empty where it is none of ours."""
    said = made.get("Metadata", {}).get("Crosswind", {})
    return dict(said) if said.get("format") == FORMAT else {}


def group_of(resource: Mapping[str, Any]) -> str:
    """Whose a resource is; "" for what all share."""
    return str(resource.get("Metadata", {}).get("crosswind", {}).get("group", ""))


def written(made: Template) -> str:
    """A template as text: the same for the same content, whatever it was made from."""
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def digest(text: str) -> str:
    """By which a template is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def sender(stack: str, every_queue: list[str]) -> dict[str, Any]:
    """The role by which EventBridge Scheduler sends to these queues.

    It serves only schedules of this stack: docs.aws.amazon.com/scheduler/latest/UserGuide/
    cross-service-confused-deputy-prevention.html.
    """
    group = names.fitted(stack, names.FUNCTION)
    condition = {
        "StringEquals": {
            "aws:SourceAccount": {"Ref": "AWS::AccountId"},
            "aws:SourceArn": names.arn("scheduler", f"schedule-group/{group}"),
        }
    }
    send = {
        "Effect": "Allow",
        "Action": ["sqs:SendMessage"],
        "Resource": [names.arn("sqs", queue) for queue in every_queue],
    }
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Description": f"By which schedules of {stack} send to its queues",
            "AssumeRolePolicyDocument": rights.trust("scheduler.amazonaws.com", condition),
            "Policies": [{"PolicyName": "Send", "PolicyDocument": rights.policy(send)}],
        },
    }


def _shared(stack: str, every_queue: list[str]) -> dict[str, Any]:
    """What all groups share."""
    asked = table(stack)
    return {
        "AppBus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": stack}},
        "AppTable": {
            "Type": "AWS::DynamoDB::Table",
            # Removing the stack removes its state, and says so before it does. What replaces the
            # table for another reason is a mistake that nobody asked for.
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                **asked,
                "TimeToLiveSpecification": {"AttributeName": EXPIRES, "Enabled": True},
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            },
        },
        "AppSchedules": {
            "Type": "AWS::Scheduler::ScheduleGroup",
            "Properties": {"Name": names.fitted(stack, names.FUNCTION)},
        },
        "AppSender": sender(stack, every_queue),
    }


def _named(stack: str, request: Request) -> list[str]:
    if not names.STACK.fullmatch(stack):
        return [f"{stack!r:.90} is no name for a stack; use letters, digits and -, at most 74"]
    faults: list[str] = []
    for group in request.release.groups:
        faults += group_faults(group.name)
        longest = max(map(len, groups.queues(stack, group.name)))
        if longest > _LONGEST_QUEUE:
            faults.append(
                f"the queues of group {group.name} would have names of {longest} letters, and SQS "
                f"takes {_LONGEST_QUEUE}; give the stack a shorter name with --stack"
            )
    return faults


def _sized(sizing: Sizing) -> list[str]:
    faults: list[str] = []
    if not _LEAST_MEMORY <= sizing.memory <= _MOST_MEMORY:
        faults.append(f"--memory {sizing.memory}: Lambda has {_LEAST_MEMORY} to {_MOST_MEMORY} MB")
    if not 1 <= sizing.timeout <= _MOST_TIMEOUT:
        faults.append(f"--timeout {sizing.timeout}: a function may take 1 to {_MOST_TIMEOUT} s")
    if sizing.concurrency is not None and sizing.concurrency < _LEAST_CONCURRENCY:
        faults.append(
            f"--concurrency {sizing.concurrency}: a group needs at least {_LEAST_CONCURRENCY}, two "
            "for its events and two for its dead letters; or 0 to reserve nothing"
        )
    if sizing.retention not in _RETENTIONS:
        listed = ", ".join(map(str, _RETENTIONS[:9]))
        faults.append(f"--retention {sizing.retention}: logs are kept for days such as {listed}")
    return faults
