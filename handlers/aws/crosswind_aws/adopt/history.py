"""Past state changes of alarms, as the account's event bus would have delivered them.

CloudWatch preserves alarm history for 30 days, also of alarms that are gone. What it keeps of a
change is the state before and after; the rest of the notification is the alarm as it is described
today, so that an alarm which was changed since is told as it is now.

Sources, under docs.aws.amazon.com/AmazonCloudWatch/latest/: monitoring/AlarmThatSendsEmail.html (30
days), APIReference/API_DescribeAlarmHistory.html, monitoring/cloudwatch-and-eventbridge.html (the
notification).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from crosswind_aws.adopt.alarms import KINDS
from crosswind_aws.adopt.asking import Asker

KEPT: Final = 30 * 86_400.0
"""Seconds for which CloudWatch preserves the history of an alarm."""

_PAGE: Final = 100


class Where(NamedTuple):
    """Whose alarms they are; `partition` as ARNs have it."""

    partition: str
    account: str
    region: str


def changes(
    asker: Asker, region: str, since: float, until: float, most: int
) -> Iterator[dict[str, Any]]:
    """State changes of the alarms of a region, the newest first.

    Args:
        since, until: seconds since the epoch.
    """
    yield from asker.pages(
        "cloudwatch",
        "DescribeAlarmHistory",
        "AlarmHistoryItems",
        region,
        most,
        AlarmTypes=list(KINDS),
        HistoryItemType="StateUpdate",
        StartDate=datetime.fromtimestamp(since, UTC),
        EndDate=datetime.fromtimestamp(until, UTC),
        ScanBy="TimestampDescending",
        PaginationConfig={"PageSize": _PAGE},
    )


def line(
    item: Mapping[str, Any], where: Where, alarm: tuple[str, Mapping[str, Any]] | None
) -> dict[str, Any]:
    """One change as a line of a history.

    Args:
        item: as `DescribeAlarmHistory` has it.
        alarm: its kind, and as `DescribeAlarms` has it today; None where it is gone.
    """
    at: datetime = item["Timestamp"].astimezone(UTC)
    name = str(item["AlarmName"])
    arn = f"arn:{where.partition}:cloudwatch:{where.region}:{where.account}:alarm:{name}"
    before, after = _states(item)
    detail: dict[str, Any] = {
        "alarmName": name,
        "state": {**after, "timestamp": _stamp(at)},
        "previousState": before,
    }
    if alarm is not None:
        detail["configuration"] = _configuration(*alarm)
    payload = {
        "version": "0",
        "id": str(uuid5(NAMESPACE_URL, f"{arn}#{_stamp(at)}#{after.get('value')}")),
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": where.account,
        "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "region": where.region,
        "resources": [arn],
        "detail": detail,
    }
    return {"time": at.isoformat(), "cloud": "aws", "payload": payload}


def _states(item: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The state before and after; of data that was cut off, what the summary says."""
    try:
        data = json.loads(item.get("HistoryData") or "")
    except ValueError:
        data = {}
    if isinstance(data, dict) and isinstance(data.get("newState"), dict):
        return _state(data.get("oldState") or {}), _state(data["newState"])
    words = str(item.get("HistorySummary", "")).split()
    # "Alarm updated from OK to ALARM"
    if len(words) == 6 and words[2] == "from" and words[4] == "to":
        return {"value": words[3]}, {"value": words[5]}
    return {}, {}


def _state(kept: Mapping[str, Any]) -> dict[str, Any]:
    state = {"value": kept.get("stateValue"), "reason": kept.get("stateReason")}
    if (data := kept.get("stateReasonData")) is not None:
        state["reasonData"] = data if isinstance(data, str) else json.dumps(data)
    return {name: value for name, value in state.items() if value is not None}


def _configuration(kind: str, alarm: Mapping[str, Any]) -> dict[str, Any]:
    said = {"description": alarm.get("AlarmDescription")}
    if kind == "CompositeAlarm":
        said["alarmRule"] = alarm.get("AlarmRule")
        return {name: value for name, value in said.items() if value is not None}
    configuration: dict[str, Any] = {n: value for n, value in said.items() if value is not None}
    if alarm.get("Namespace"):
        metric = _metric(alarm)
        statistic = alarm.get("Statistic") or alarm.get("ExtendedStatistic")
        stat = {"metric": metric, "period": alarm.get("Period"), "stat": statistic}
        configuration["metrics"] = [{"id": "m1", "metricStat": stat, "returnData": True}]
    else:
        configuration["metrics"] = [_query(one) for one in alarm.get("Metrics") or ()]
    return configuration


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    said = {
        "id": query.get("Id"),
        "expression": query.get("Expression"),
        "label": query.get("Label"),
        "returnData": query.get("ReturnData", True),
    }
    if stat := query.get("MetricStat"):
        said["metricStat"] = {
            "metric": _metric(stat["Metric"]),
            "period": stat.get("Period"),
            "stat": stat.get("Stat"),
        }
    return {name: value for name, value in said.items() if value is not None}


def _metric(metric: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "namespace": metric.get("Namespace"),
        "name": metric.get("MetricName"),
        "dimensions": {one["Name"]: one["Value"] for one in metric.get("Dimensions") or ()},
    }


def _stamp(at: datetime) -> str:
    """A moment as notifications of CloudWatch have it."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"
