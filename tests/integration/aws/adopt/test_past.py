"""What an account's alarms said is rehearsed under the fleet that was made of the account."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import boto3
import pytest

from crosswind_aws.signals import translate
from integration.aws.adopt.estate import REGIONS, build_service, put_alarm
from integration.aws.adopt.terminal import EXAMPLES, TWO, reads, types


@pytest.fixture
def account(aws_account: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One workload in two regions, whose alarms have been heard."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for region in REGIONS:
        made = build_service(region, 2)
        put_alarm(
            region,
            "speech hosts",
            "AWS/ApplicationELB",
            LoadBalancer=made["balancer"],
            TargetGroup=made["group"],
        )
    put_alarm("us-east-1", "gone", "AWS/SQS", QueueName="speech")
    client = boto3.client("cloudwatch", region_name="us-east-1")
    client.put_composite_alarm(AlarmName="speech down", AlarmRule='ALARM("speech hosts")')
    for state in ("ALARM", "OK"):
        client.set_alarm_state(AlarmName="speech hosts", StateValue=state, StateReason="a test")
    client.set_alarm_state(AlarmName="gone", StateValue="ALARM", StateReason="a test")
    client.delete_alarms(AlarmNames=["gone"])
    return aws_account


def kept(file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(file).read_text("utf-8").splitlines()]


def test_an_account_is_adopted_and_its_past_rehearsed(account: str) -> None:
    adopted = reads("adopt", "aws", *TWO)
    assert adopted["fleet"]["alerts"] == [
        {"match": "speech down", "workload": "speech", "weight": 0.0},
        {"match": "speech hosts", "workload": "speech"},
    ]
    assert reads("fleet", "validate", "fleet.yaml")["valid"] is True

    told = types("signal", "--history", "1d", "--keep", "past.jsonl", *TWO)
    assert "1 alarm(s) are gone" in told.stderr
    lines = kept("past.jsonl")
    said = Counter(
        (line["payload"]["detail"]["alarmName"], line["payload"]["detail"]["state"]["value"])
        for line in lines
    )
    assert said["speech hosts", "ALARM"] == 1
    assert said["speech hosts", "OK"] == 1
    assert said["gone", "ALARM"] == 1
    assert said["speech down", "ALARM"] == 1
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)

    (alarm,) = (
        line["payload"]
        for line in lines
        if line["payload"]["detail"]["alarmName"] == "speech hosts"
        and line["payload"]["detail"]["state"]["value"] == "ALARM"
    )
    events = translate(alarm)
    assert isinstance(events, list)
    (event,) = events
    assert event.data.region == "aws/us-east-1"
    assert event.data.native.account == account
    assert event.data.native.labels["namespaces"] == "aws/applicationelb"

    assert "the past of the account on aws" in types("report", "--shadow").stdout


@pytest.mark.parametrize("line", EXAMPLES)
def test_each_example_that_asks_an_account_runs(account: str, line: str) -> None:
    # There is no workload that begins with chat: that is said, with the exit code of nothing.
    types(*shlex.split(line)[1:], code=3 if "chat*" in line else 0)


def test_what_was_kept_is_a_history_like_any_other(account: str) -> None:
    types("adopt", "aws", *TWO)
    first = reads("signal", "--history", "1d", "--keep", "past.jsonl", *TWO)
    again = reads("signal", "--history", "past.jsonl", "--into", "again.sqlite")
    for same in ("lines", "worked", "repeated", "parked", "ignored"):
        assert first[same] == again[same]


def test_longer_than_it_is_kept_is_said(account: str) -> None:
    told = types("signal", "--history", "60d", *TWO)
    assert "CloudWatch keeps the history of alarms for 30 days" in told.stderr


def test_an_account_that_said_nothing_has_no_past(account: str) -> None:
    result = types("signal", "--history", "1d", "--region", "ap-south-1", code=3)
    assert "no alarm of the account said anything in this time" in result.stderr
    # The emulator has no AWS Health, so that it is not known whether that said nothing too.
    assert "AWS Health not read" in result.stderr


def test_what_is_kept_is_never_written_over(account: str) -> None:
    Path("past.jsonl").write_text("mine", encoding="utf-8")
    result = types("signal", "--history", "1d", "--keep", "past.jsonl", code=2)
    assert "past.jsonl exists" in result.stderr
    assert Path("past.jsonl").read_text("utf-8") == "mine"


def test_a_file_that_is_there_is_meant_whatever_it_is_called(account: str) -> None:
    Path("30d").write_text("", encoding="utf-8")
    result = types("signal", "--history", "30d", code=3)
    assert "the history is empty" in result.stderr


def test_options_of_an_account_are_refused_for_a_file(account: str) -> None:
    Path("past.jsonl").write_text("", encoding="utf-8")
    result = types("signal", "--history", "past.jsonl", "--region", "us-east-1", code=2)
    assert "--history 30d" in result.stderr


def test_a_cloud_that_reads_no_account_is_said(account: str) -> None:
    result = types("signal", "--history", "30d", "--cloud", "gcp", code=2)
    assert "reads no account yet" in result.stderr
