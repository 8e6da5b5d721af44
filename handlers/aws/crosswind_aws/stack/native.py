"""Rules on the account's default bus, for what AWS itself says of the health of a region.

One group has them: what it translates goes out on the app's own bus, and so to every group. The
alarms of the stack itself are left out: they say how the app fares, and would be heard by it.

Sources: docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html and
docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from crosswind_aws.stack import names
from crosswind_events.catalogue.region import RegionRecovered, RegionUnhealthy

if TYPE_CHECKING:
    from crosswind.stacks.release import Group

KINDS: Final = {
    "health": "What AWS Health says of the services of a region",
    "alarm": "Alarms of CloudWatch that change their state",
}

_HEARD: Final = {RegionUnhealthy.event_type, RegionRecovered.event_type}


def hearer(groups: Iterable[Group]) -> str | None:
    """The group to which native notifications go: the first that wants to know of regions."""
    return next((group.name for group in groups if _HEARD & set(group.takes)), None)


def rule(stack: str, kind: str) -> str:
    """The name of a rule."""
    return names.fitted(f"{stack}-native-{kind}", names.FUNCTION)


def kinds(stack: str) -> Iterator[tuple[str, dict[str, Any]]]:
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
