"""Past issues of AWS Health, as its events would have come over the bus.

The API keeps 90 days, and needs a support plan that includes it. It keeps when an issue began and
ended, not when it was first told of, which is later; and of its texts the newest alone. So an issue
is told twice here, as open when it began and as closed when it ended.

Sources, under docs.aws.amazon.com/health/latest/: APIReference/API_DescribeEvents.html, and
ug/aws-health-events-eventbridge-schema.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from crosswind_aws.adopt.asking import Asker

KEPT: Final = 90 * 86_400.0
"""Seconds for which the API keeps an event."""

HOME: Final = "us-east-1"
"""Where it is asked."""

_AT_ONCE: Final = 10


def issues(
    asker: Asker, account: str, regions: Sequence[str], since: float, until: float, most: int
) -> Iterator[dict[str, Any]]:
    """Issues as lines of a history.

    Args:
        regions: that are of interest; what is global always is.
        since, until: seconds since the epoch.
    """
    found = list(
        asker.pages(
            "health",
            "DescribeEvents",
            "events",
            HOME,
            most,
            filter={
                "eventTypeCategories": ["issue"],
                "lastUpdatedTimes": [{"from": datetime.fromtimestamp(since, UTC)}],
            },
        )
    )
    wanted = [one for one in found if one.get("region", "global") in {*regions, "global"}]
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        texts = _texts(asker, part)
        for event in part:
            for line in lines(event, account, texts.get(str(event["arn"]), "")):
                if since <= datetime.fromisoformat(line["time"]).timestamp() <= until:
                    yield line


def _texts(asker: Asker, events: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    arns = [event["arn"] for event in events]
    answer = asker.ask("health", "DescribeEventDetails", HOME, eventArns=arns)
    return {
        str(one["event"]["arn"]): str(one.get("eventDescription", {}).get("latestDescription", ""))
        for one in answer.get("successfulSet") or ()
    }


def lines(event: Mapping[str, Any], account: str, text: str) -> Iterator[dict[str, Any]]:
    """An issue as it would have been told when it began, and when it ended."""
    yield _line(event, account, text, "open", event["startTime"])
    if event.get("statusCode") == "closed" and "endTime" in event:
        yield _line(event, account, text, "closed", event["endTime"])


def _line(
    event: Mapping[str, Any], account: str, text: str, status: str, moment: datetime
) -> dict[str, Any]:
    at = moment.astimezone(UTC)
    detail = {
        "eventArn": event["arn"],
        "service": event.get("service"),
        "eventTypeCode": event.get("eventTypeCode"),
        "eventTypeCategory": "issue",
        "eventScopeCode": event.get("eventScopeCode"),
        "statusCode": status,
        "eventRegion": event.get("region"),
        "startTime": _stamp(event["startTime"].astimezone(UTC)),
        "lastUpdatedTime": _stamp(at),
        "eventDescription": [{"language": "en_US", "latestDescription": text}],
        "affectedAccount": account,
    }
    region = event.get("region", HOME)
    payload: dict[str, Any] = {
        "version": "0",
        "id": str(uuid5(NAMESPACE_URL, f"{event['arn']}#{status}")),
        "detail-type": "AWS Health Event",
        "source": "aws.health",
        "account": account,
        "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "region": HOME if region == "global" else region,
        "resources": [],
        "detail": {name: value for name, value in detail.items() if value is not None},
    }
    return {"time": at.isoformat(), "cloud": "aws", "payload": payload}


def _stamp(at: datetime) -> str:
    """A moment as events of AWS Health have it, `Tue, 3 Mar 2026 17:01:05 GMT`."""
    from email.utils import format_datetime

    return format_datetime(at, usegmt=True)
