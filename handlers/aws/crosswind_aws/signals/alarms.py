"""CloudWatch alarms: state changes from EventBridge, SNS, and the Lambda action of an alarm.

The region is that of the alarm's own ARN. Metrics of services that report to one region whatever
they measure say nothing about it: an alarm on Route 53 or Billing lives in us-east-1 by necessity.
A composite alarm shows no metrics, so one made of such alarms is taken for its region.

Sources, under docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/:
cloudwatch-and-eventbridge.html (state changes, metric math, anomaly band, composite),
alarms-and-actions.html (the SNS and Lambda schemas).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final, NamedTuple

from crosswind.signals import Fields, Ignored, Observation, Places, source
from crosswind.signals.observation import Statement
from crosswind_events import Event

from . import regions

_KIND: Final = "aws.cloudwatch.alarm"
_STATES: Final[dict[str, Statement]] = {"alarm": "unhealthy", "ok": "recovered"}
_ARN: Final = re.compile(r"arn:aws[a-z-]*:cloudwatch:([a-z0-9-]{1,64}):[0-9]*:alarm:.+")
_BAND: Final = "anomaly_detection_band"

_ELSEWHERE: Final = {"aws/billing", "aws/ddosprotection", "aws/route53", "aws/trustedadvisor"}
"""Namespaces whose metrics live in us-east-1, whatever they measure."""

_GLOBAL: Final = {"aws/cloudfront", "aws/globalaccelerator"}
"""Namespaces of global services, whose metrics live in one region."""


class _Metrics(NamedTuple):
    """What an alarm watches: the namespaces and names of its metrics, and whether it is a band."""

    namespaces: frozenset[str]
    names: tuple[str, ...]
    band: bool


class _Alarm(NamedTuple):
    """A state change, whichever way it came."""

    arn: str | None
    name: str | None
    account: str | None
    state: str
    reason: str | None
    time: datetime
    metrics: _Metrics
    labels: dict[str, str | None]


def read_event(notice: Fields) -> list[Event[Any]] | Ignored:
    """Read a `"CloudWatch Alarm State Change"` of EventBridge."""
    detail = notice.need_object("detail")
    alarm = _state_change(
        detail,
        arn=next(filter(_ARN.fullmatch, notice.texts("resources")), None),
        account=notice.text("account"),
    )
    notice.check()
    return _observed(alarm)


def read_action(notice: Fields) -> list[Event[Any]] | Ignored:
    """Read what an alarm hands to the Lambda function that is its action."""
    alarm = _state_change(
        notice.need_object("alarmData"),
        arn=notice.text("alarmArn"),
        account=notice.text("accountId"),
    )
    notice.check()
    return _observed(alarm)


def read_sns(notice: Fields) -> list[Event[Any]] | Ignored:
    """Read the JSON that an alarm publishes to SNS."""
    trigger = notice.object("Trigger")
    alarm = _Alarm(
        arn=notice.text("AlarmArn"),
        name=notice.text("AlarmName"),
        account=notice.text("AWSAccountId"),
        state=notice.need_word("NewStateValue"),
        reason=notice.prose("NewStateReason"),
        time=notice.need_instant("StateChangeTime"),
        metrics=_metrics(trigger),
        labels={"rule": notice.prose("AlarmRule")},
    )
    notice.check()
    return _observed(alarm)


def _state_change(detail: Fields, arn: str | None, account: str | None) -> _Alarm:
    state = detail.need_object("state")
    configuration = detail.object("configuration")
    muted = detail.object("muteDetail")
    return _Alarm(
        arn=arn,
        name=detail.text("alarmName"),
        account=account,
        state=state.need_word("value"),
        reason=state.prose("reason"),
        time=state.need_instant("timestamp"),
        metrics=_metrics(configuration),
        labels={
            "rule": configuration.prose("alarmRule") if configuration else None,
            "actions_suppressed_by": state.text("actionsSuppressedBy"),
            "muted_by": muted.text("mutedByArn") if muted else None,
        },
    )


def _metrics(watched: Fields | None) -> _Metrics:
    if watched is None:
        return _Metrics(frozenset(), (), band=False)
    metrics, expressions = [watched], []
    for query in watched.objects("metrics"):
        expressions.append((query.prose("expression") or "").lower())
        if (stat := query.object("metricStat")) and (metric := stat.object("metric")):
            metrics.append(metric)
    return _Metrics(
        frozenset(filter(None, (metric.word("namespace") for metric in metrics))),
        tuple(filter(None, (m.text("name") or m.text("metricName") for m in metrics))),
        band=any(_BAND in text for text in expressions),
    )


def _observed(alarm: _Alarm) -> list[Event[Any]] | Ignored:
    statement = _STATES.get(alarm.state)
    if statement is None:
        return Ignored(f"the alarm is {alarm.state.upper()}, which says nothing", _KIND)
    if alarm.metrics.band:
        if statement == "recovered":
            return Ignored("the metric is back in its band, which proves no recovery", _KIND)
        statement = "anomaly"
    named = alarm.arn and _ARN.fullmatch(alarm.arn)
    if not named:
        return Ignored("names no region, and none is invented: it has no alarm ARN", _KIND)
    places = _places(named[1], alarm.metrics.namespaces)
    if not places.regions and not places.unread and statement != "anomaly":
        watched = ", ".join(sorted(alarm.metrics.namespaces))
        return Ignored(f"metrics of {watched} say nothing about the region they live in", _KIND)
    return Observation(
        kind=_KIND,
        statement=statement,
        evidence="alarm",
        regions=places.regions,
        unread=places.unread,
        source=source("cloudwatch.amazonaws.com", named[0]),
        key=(alarm.time.isoformat(),),
        id=named[0],
        account=alarm.account,
        name=alarm.name,
        metric=next(iter(alarm.metrics.names), None),
        time=alarm.time,
        reason=alarm.reason or "",
        labels={"namespaces": ", ".join(sorted(alarm.metrics.namespaces)), **alarm.labels},
    ).events()


def _places(region: str, namespaces: frozenset[str]) -> Places:
    """The region of the alarm, unless what it watches is about no region or about another."""
    if not namespaces & (_ELSEWHERE | _GLOBAL):
        return regions.find([region])
    if namespaces <= _GLOBAL:
        return regions.find(["global"])
    return Places()
