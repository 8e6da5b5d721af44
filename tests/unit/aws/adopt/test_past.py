"""What is kept of the past becomes what the bus would have delivered."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crosswind.adopting.driver import NotAsked, Scope
from crosswind.signals import Ignored, SignalRejected
from crosswind_aws.adopt.account import AwsAccount
from crosswind_aws.adopt.asking import NotRead
from crosswind_aws.adopt.history import Where, line
from crosswind_aws.signals import translate
from crosswind_events import Event
from unit.aws.adopt.stubs import ANY, Stubs

FIXTURES = Path(__file__).parents[3] / "fixtures" / "signals" / "aws"
WHERE = Where("aws", "123456789012", "us-east-1")
AT = datetime(2026, 3, 2, 17, 4, 40, 989_000, tzinfo=UTC)
ISSUE = (
    "arn:aws:health:us-east-1::event/EC2/AWS_EC2_OPERATIONAL_ISSUE/"
    "AWS_EC2_OPERATIONAL_ISSUE_VKTXI_EXAMPLE111"
)

CPU: dict[str, Any] = {
    "AlarmName": "ServerCpuTooHigh",
    "AlarmDescription": "CPU of the model server",
    "Namespace": "AWS/EC2",
    "MetricName": "CPUUtilization",
    "Dimensions": [{"Name": "InstanceId", "Value": "i-12345678901234567"}],
    "Period": 300,
    "Statistic": "Average",
}


def change(old: str, new: str, **more: Any) -> dict[str, Any]:
    """An item of the history, in the form of the vendor's example."""
    data = {
        "version": "1.0",
        "oldState": {"stateValue": old, "stateReason": "before"},
        "newState": {
            "stateValue": new,
            "stateReason": "Threshold Crossed",
            "stateReasonData": {"version": "1.0", "recentDatapoints": [99.5], "threshold": 50.0},
        },
    }
    return {
        "AlarmName": "ServerCpuTooHigh",
        "AlarmType": "MetricAlarm",
        "Timestamp": AT,
        "HistoryItemType": "StateUpdate",
        "HistorySummary": f"Alarm updated from {old} to {new}",
        "HistoryData": json.dumps(data),
        **more,
    }


def events(payload: dict[str, Any]) -> list[Event[Any]]:
    """What a notification means."""
    outcome = translate(payload)
    assert not isinstance(outcome, Ignored), outcome.reason
    return outcome


def test_a_change_is_what_the_bus_would_have_delivered() -> None:
    delivered = json.loads((FIXTURES / "alarm-event-alarm.json").read_text("utf-8"))
    made = line(change("OK", "ALARM"), WHERE, ("MetricAlarm", CPU))["payload"]
    assert set(made) == set(delivered)
    assert {n: made[n] for n in made if n not in ("id", "detail")} == {
        n: delivered[n] for n in delivered if n not in ("id", "detail")
    }
    (query,) = made["detail"]["configuration"]["metrics"]
    (given,) = delivered["detail"]["configuration"]["metrics"]
    assert {**query, "id": given["id"]} == given
    assert set(made["detail"]["state"]) == set(delivered["detail"]["state"])

    (event,), (other,) = events(made), events(delivered)
    # The same moment of the same alarm: delivered twice, it would count once.
    assert (event.id, event.source, event.time) == (other.id, other.source, other.time)
    assert event.data.region == "aws/us-east-1"


def test_a_change_without_a_meaning_stays_without_one() -> None:
    made = line(change("OK", "INSUFFICIENT_DATA"), WHERE, ("MetricAlarm", CPU))["payload"]
    outcome = translate(made)
    assert isinstance(outcome, Ignored)


def test_a_band_stays_an_anomaly() -> None:
    stat = {"Metric": {"Namespace": "AWS/EC2", "MetricName": "CPU"}, "Period": 60, "Stat": "Sum"}
    band = {
        "Metrics": [
            {"Id": "m1", "MetricStat": stat, "ReturnData": True},
            {"Id": "t1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)", "Label": "expected"},
        ]
    }
    (event,) = events(line(change("OK", "ALARM"), WHERE, ("MetricAlarm", band))["payload"])
    assert event.type == "dev.crosswind.anomaly.detected.v1"


def test_a_composite_alarm_has_its_rule() -> None:
    rule = {"AlarmRule": "ALARM(a)", "AlarmDescription": "both"}
    made = line(change("OK", "ALARM"), WHERE, ("CompositeAlarm", rule))["payload"]
    assert made["detail"]["configuration"] == {"description": "both", "alarmRule": "ALARM(a)"}
    (event,) = events(made)
    assert event.data.native.labels["rule"] == "ALARM(a)"


def test_data_that_was_cut_off_leaves_what_the_summary_says() -> None:
    item = change("OK", "ALARM", HistoryData='{"version": "1.0", "newSt')
    (event,) = events(line(item, WHERE, None)["payload"])
    assert event.type == "dev.crosswind.region.unhealthy.v1"


def test_an_item_that_says_nothing_is_refused_later_and_named() -> None:
    item = change("OK", "ALARM", HistoryData="null", HistorySummary="?")
    with pytest.raises(SignalRejected, match=r"detail\.state\.value"):
        translate(line(item, WHERE, None)["payload"])


def account(stubs: Stubs) -> AwsAccount:
    stubs.answers(
        "sts",
        "get_caller_identity",
        {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ana", "UserId": "A"},
    )
    return AwsAccount(lambda within: stubs.asker())


def stub_alarms(stubs: Stubs, *items: dict[str, Any]) -> None:
    stubs.answers("cloudwatch", "describe_alarms", {"MetricAlarms": [CPU]})
    stubs.answers("cloudwatch", "describe_alarms", {"CompositeAlarms": []})
    stubs.answers(
        "cloudwatch",
        "describe_alarm_history",
        {"AlarmHistoryItems": list(items)},
        {
            "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
            "HistoryItemType": "StateUpdate",
            "StartDate": ANY,
            "EndDate": ANY,
            "ScanBy": "TimestampDescending",
            "MaxRecords": 100,
        },
    )


def issue(**more: Any) -> dict[str, Any]:
    return {
        "arn": ISSUE,
        "service": "EC2",
        "eventTypeCode": "AWS_EC2_OPERATIONAL_ISSUE",
        "eventTypeCategory": "issue",
        "eventScopeCode": "PUBLIC",
        "region": "us-east-1",
        "startTime": AT,
        "endTime": AT + timedelta(hours=1),
        "lastUpdatedTime": AT + timedelta(hours=2),
        "statusCode": "closed",
        **more,
    }


def read(stubs: Stubs, days: float = 30, most: int = 100) -> Any:
    until = AT.timestamp() + 86_400
    told: list[str] = []
    past = account(stubs).past(
        until - days * 86_400, until, most, Scope(("us-east-1",)), told.append
    )
    assert told
    return past


def test_an_issue_is_told_when_it_began_and_when_it_ended() -> None:
    with Stubs() as stubs:
        stub_alarms(stubs, change("OK", "ALARM"))
        elsewhere = issue(region="ap-south-1", arn="arn:aws:health:ap-south-1::event/x")
        stubs.answers("health", "describe_events", {"events": [issue(), elsewhere]})
        stubs.answers(
            "health",
            "describe_event_details",
            {
                "successfulSet": [
                    {"event": {"arn": ISSUE}, "eventDescription": {"latestDescription": "Errors."}}
                ]
            },
            {"eventArns": [ISSUE]},
        )
        past = read(stubs)
    assert stubs.regions["health"] == "us-east-1"
    assert past.unread == []
    assert any("AWS Health keeps when an issue began" in note for note in past.notes)
    outcomes = [events(one["payload"]) for one in past.lines]
    said = [
        (event.type.split(".")[3], event.data.evidence) for several in outcomes for event in several
    ]
    assert sorted(said) == [
        ("recovered", "provider"),
        ("unhealthy", "alarm"),
        ("unhealthy", "provider"),
    ]
    (opened,) = (
        event
        for several in outcomes
        for event in several
        if event.data.evidence == "provider" and "unhealthy" in event.type
    )
    assert opened.data.reason == "AWS_EC2_OPERATIONAL_ISSUE: Errors."
    assert opened.time == AT.replace(microsecond=0)


def test_without_aws_health_the_alarms_are_heard() -> None:
    with Stubs() as stubs:
        stub_alarms(stubs, change("OK", "ALARM"))
        stubs.refuses("health", "describe_events", "SubscriptionRequiredException")
        past = read(stubs)
    assert len(past.lines) == 1
    assert [str(one) for one in past.unread] == [
        "AWS Health not read: the account's support plan does not include it"
    ]


def test_the_newest_are_taken_where_there_are_too_many() -> None:
    items = [change("OK", "ALARM", Timestamp=AT - timedelta(minutes=minute)) for minute in range(3)]
    with Stubs() as stubs:
        stub_alarms(stubs, *items)
        stubs.answers("health", "describe_events", {"events": []})
        past = read(stubs, most=2)
    assert [one["time"] for one in past.lines] == sorted(
        item["Timestamp"].isoformat() for item in items[:2]
    )
    assert [one.why for one in past.unread] == ["there are more than 2; the others were left out"]


def test_what_an_alarm_watches_may_be_unknown() -> None:
    with Stubs() as stubs:
        stubs.refuses("cloudwatch", "describe_alarms", "AccessDenied")
        stubs.answers(
            "cloudwatch", "describe_alarm_history", {"AlarmHistoryItems": [change("OK", "ALARM")]}
        )
        stubs.answers("health", "describe_events", {"events": []})
        past = read(stubs)
    assert len(past.lines) == 1
    assert [one.needs for one in past.unread] == ["cloudwatch:DescribeAlarms"]
    assert past.notes == []  # of alarms that could not be described nobody knows that they are gone


def test_an_account_of_nobody_is_not_asked() -> None:
    with Stubs() as stubs:
        stubs.refuses("sts", "get_caller_identity", "ExpiredToken")
        with pytest.raises(NotAsked, match="does not know these credentials"):
            AwsAccount(lambda within: stubs.asker()).read(Scope(("us-east-1",)), print)


def test_a_fault_of_ours_ends_it_and_nothing_more_is_asked() -> None:
    def fails(words: str) -> None:
        raise ZeroDivisionError

    stubs = Stubs()  # how much of it is asked for before the fault is a matter of chance
    account(stubs)
    stub_alarms(stubs, change("OK", "ALARM"))
    stubs.answers("health", "describe_events", {"events": []})
    asker = stubs.asker()
    with pytest.raises(ZeroDivisionError):
        AwsAccount(lambda within: asker).past(0, AT.timestamp(), 10, Scope(("us-east-1",)), fails)
    with pytest.raises(NotRead, match="the time was over"):
        asker.ask("sts", "GetCallerIdentity")
