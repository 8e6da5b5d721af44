"""What would change, by comparing two templates here: for whoever may look and not touch.

CloudFormation knows more than this does: what follows from a replacement, and what has been changed
by hand. So its own answer, a change set, comes first where it may be had.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from crosswind.stacks.difference import differences
from crosswind.stacks.plan import Change
from crosswind_aws.stack.template import group_of

REPLACING: Final[Mapping[str, frozenset[str]]] = {
    "AWS::CloudWatch::Alarm": frozenset({"AlarmName"}),
    "AWS::DynamoDB::Table": frozenset({"ImportSourceSpecification", "TableName"}),
    "AWS::Events::EventBus": frozenset({"Name"}),
    "AWS::Events::Rule": frozenset({"Name"}),
    "AWS::IAM::Role": frozenset({"Path", "RoleName"}),
    "AWS::Lambda::EventSourceMapping": frozenset(
        {
            "EventSourceArn",
            "SelfManagedEventSource",
            "StartingPosition",
            "StartingPositionTimestamp",
        }
    ),
    "AWS::Lambda::Function": frozenset({"FunctionName", "PackageType", "TenancyConfig"}),
    "AWS::Logs::LogGroup": frozenset({"LogGroupName"}),
    "AWS::SQS::Queue": frozenset({"FifoQueue", "QueueName"}),
    "AWS::SQS::QueuePolicy": frozenset(),
    "AWS::Scheduler::Schedule": frozenset({"Name"}),
    "AWS::Scheduler::ScheduleGroup": frozenset({"Name"}),
}
"""Properties that cannot be changed in place, by type: `createOnlyProperties` of the schemas that
AWS publishes for its types. A test compares them."""

_SAID: Final = {"Metadata"}
"""What stands in a resource of the template, and is nothing to the account."""

_PROPERTIES: Final = "Properties."


def compare(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Iterator[Change]:
    """What becomes of each resource that differs."""
    old = {} if before is None else before["Resources"]
    new = after["Resources"]
    for name in {**new, **old}:
        if name not in old:
            yield Change("add", name, new[name]["Type"], group_of(new[name]))
        elif name not in new:
            yield Change("remove", name, old[name]["Type"], group_of(old[name]))
        elif found := tuple(differences(_told(old[name]), _told(new[name]))):
            shown = tuple(one._replace(path=one.path.removeprefix(_PROPERTIES)) for one in found)
            touched = {one.path.partition(".")[0].partition("[")[0] for one in shown}
            kind = new[name]["Type"]
            anew = bool(touched & REPLACING.get(kind, frozenset())) or "Type" in touched
            yield Change(
                "replace" if anew else "change",
                name,
                kind,
                group_of(new[name]),
                differences=shown,
                replaced="yes" if anew else "no",
                indirect=touched == {"Tags"},
            )


def _told(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name not in _SAID}
