"""Rules on the account's default bus, for what AWS itself says of the health of a region.

They belong to the stack and not to a group: a rule whose owner changed would be made anew under a
name that is taken. They send to the queue of one group, which may be any: its function translates
what comes, and publishes that on the app's own bus, where every group that takes it gets it as from
anybody else. Which group it is can be said; it works beside its own events, so that one with few of
them, or whose events matter as much, is a good choice.

The alarms of the stack itself are left out: they say how the app fares, and would be heard by it.

Sources: docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html and
docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from crosswind.stacks.release import NotDeployable
from crosswind_aws.stack import names
from crosswind_events.catalogue.region import RegionRecovered, RegionUnhealthy

if TYPE_CHECKING:
    from crosswind.stacks.release import Group

KINDS: Final = {
    "health": "What AWS Health says of the services of a region",
    "alarm": "Alarms of CloudWatch that change their state",
}

_HEARD: Final = {RegionUnhealthy.event_type, RegionRecovered.event_type}


NOBODY: Final = "none"
"""What is said where no group is to hear them."""


def hearer(groups: Sequence[Group], asked: str | None) -> str | None:
    """The group to which native notifications go; None where none is to hear them.

    Args:
        asked: the name of a group, or `none`; unless given, it is the first by name that takes
            events of regions, and none where no group does.

    Raises:
        NotDeployable: there is no such group.
    """
    if asked is None:
        return min((group.name for group in groups if _HEARD & set(group.takes)), default=None)
    if asked == NOBODY:
        return None
    if asked not in {group.name for group in groups}:
        listed = ", ".join(group.name for group in groups)
        raise NotDeployable(f"--signals {asked}: there is no such group; there are: {listed}")
    return asked


def rules(stack: str, group: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rules, by their names in the template.

    Args:
        group: that hears them.
    """
    prefix = names.logical(group)
    for kind, pattern in _kinds(stack):
        target = {
            "Id": "queue",
            "Arn": names.of(f"{prefix}Queue"),
            "DeadLetterConfig": {"Arn": names.of(f"{prefix}Dead")},
        }
        yield (
            f"App{kind.capitalize()}Rule",
            {
                "Type": "AWS::Events::Rule",
                "DependsOn": [f"{prefix}Policy"],
                "Properties": {
                    "Name": rule(stack, kind),
                    "Description": KINDS[kind],
                    "EventPattern": pattern,
                    "Targets": [target],
                },
            },
        )


def rule(stack: str, kind: str) -> str:
    """The name of a rule."""
    return names.fitted(f"{stack}-native-{kind}", names.FUNCTION)


def _kinds(stack: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is heard, each with its event pattern."""
    yield "health", {"source": ["aws.health"], "detail-type": ["AWS Health Event"]}
    yield (
        "alarm",
        {
            "source": ["aws.cloudwatch"],
            "detail-type": ["CloudWatch Alarm State Change"],
            "detail": {"alarmName": [{"anything-but": {"prefix": f"{stack}-"}}]},
        },
    )
