"""Alarms of a group: events wait too long, there are dead letters, dead letters are not buried.

The function takes dead letters from their queue as it takes events from the other, so that a queue
of dead letters is empty when all is well: that there was one is told by what was received from it.

Source: docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/
sqs-available-cloudwatch-metrics.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from crosswind.stacks.driver import Sizing

_PERIOD: Final = 60
_PERIODS: Final = 3


def alarms(
    prefix: str, group: str, stack: str, sizing: Sizing
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The alarms of a group."""
    age, dead = "ApproximateAgeOfOldestMessage", "NumberOfMessagesReceived"
    for kind, name, queue, metric, statistic, least, periods, why in (
        (
            "AgeAlarm",
            "age",
            "Queue",
            age,
            "Maximum",
            sizing.max_age,
            _PERIODS,
            f"Events of group {group} wait longer than {sizing.max_age} s: its function fails, is "
            "throttled, or is too slow",
        ),
        (
            "LettersAlarm",
            "dead-letters",
            "Dead",
            dead,
            "Sum",
            1,
            1,
            f"The bus gave up an event of group {group}; see: crosswind dlq",
        ),
        (
            "BurialAlarm",
            "unburied",
            "Dead",
            age,
            "Maximum",
            sizing.max_age,
            _PERIODS,
            f"Dead letters of group {group} are not taken up: its function fails on them as well",
        ),
    ):
        yield (
            kind,
            {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {
                    "AlarmName": f"{stack}-{group}-{name}",
                    "AlarmDescription": why,
                    "Namespace": "AWS/SQS",
                    "MetricName": metric,
                    "Dimensions": [
                        {
                            "Name": "QueueName",
                            "Value": {"Fn::GetAtt": [f"{prefix}{queue}", "QueueName"]},
                        }
                    ],
                    "Statistic": statistic,
                    "Period": _PERIOD,
                    "EvaluationPeriods": periods,
                    "Threshold": least,
                    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                    "TreatMissingData": "notBreaching",
                    **({"AlarmActions": list(sizing.notify)} if sizing.notify else {}),
                },
            },
        )
