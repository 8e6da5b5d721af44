"""ministack and moto: started and stopped by whoever wants them, and seen through boto3."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from crosswind_local import LocalCloudError, StartFailed
from crosswind_local.ministack import Ministack

HOLDER = """
import sys, time
from crosswind_local.ministack import Ministack
aws = Ministack().start()
print(aws.pid, aws.url, flush=True)
time.sleep(60)
"""


@pytest.fixture
def aws() -> Iterator[Ministack]:
    with Ministack() as aws:
        yield aws


def client(service: str, aws: Ministack, account: str = "123456789012") -> Any:
    env = aws.account(account)
    return boto3.client(
        service,
        endpoint_url=env["AWS_ENDPOINT_URL"],
        region_name=env["AWS_REGION"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"


def eventually(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return true()


def test_it_serves_the_official_sdk_and_is_gone_when_stopped() -> None:
    with Ministack() as aws:
        pid = aws.pid
        assert pid is not None
        client("sqs", aws).create_queue(QueueName="orders")
        assert is_alive(pid)

    assert not is_alive(pid)
    assert aws.pid is None


def test_accounts_do_not_see_each_other(aws: Ministack) -> None:
    client("sqs", aws, "111122220001").create_queue(QueueName="orders")

    assert not client("sqs", aws, "111122220002").list_queues().get("QueueUrls")
    assert len(client("sqs", aws, "111122220001").list_queues()["QueueUrls"]) == 1


def test_its_clock_can_be_moved_on(aws: Ministack) -> None:
    sqs = client("sqs", aws)
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=900)

    aws.advance(899)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    aws.advance(1)
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=url)["Messages"]] == ["later"]


def test_a_schedule_is_looked_at_within_two_seconds(aws: Ministack) -> None:
    sqs = client("sqs", aws)
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    client("scheduler", aws).create_schedule(
        Name="soon",
        ScheduleExpression="at(2020-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:sqs:us-east-1:123456789012:orders",
            "RoleArn": "arn:aws:iam::123456789012:role/scheduler",
            "Input": "now",
        },
    )

    received = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=3)

    assert [message["Body"] for message in received["Messages"]] == ["now"]


def test_it_sees_nothing_of_our_environment(
    monkeypatch: pytest.MonkeyPatch, aws: Ministack
) -> None:
    monkeypatch.setenv("CROSSWIND_SECRET", "hunter2")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    with Ministack() as second:
        names = Path(f"/proc/{second.pid}/environ").read_bytes()

    assert b"CROSSWIND_SECRET" not in names
    assert b"PYTHONPATH" not in names
    assert b"AWS_SECRET_ACCESS_KEY" not in names
    assert second.url != aws.url


def test_a_port_that_is_taken_is_one_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(StartFailed, match=rf"port {port} of 127.0.0.1"):
            Ministack(port=port).start()


def test_one_that_has_died_is_told_and_stops_without_a_word() -> None:
    with Ministack() as aws:
        pid = aws.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: not is_alive(pid))
        with pytest.raises(LocalCloudError, match="ministack"):
            aws.advance(1)

    assert aws.pid is None


def test_it_dies_with_whoever_started_it() -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    pid = int(holder.stdout.readline().split()[0])
    assert is_alive(pid)

    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()

    assert eventually(lambda: not is_alive(pid))


@pytest.mark.parametrize("time", ["first", "second"])
def test_moto_knows_what_ministack_does_not_and_begins_each_test_empty(
    moto_account: str, time: str
) -> None:
    sagemaker = boto3.client("sagemaker")
    assert sagemaker.list_models()["Models"] == []

    sagemaker.create_model(
        ModelName="m", ExecutionRoleArn=f"arn:aws:iam::{moto_account}:role/serving"
    )

    assert moto_account in sagemaker.describe_model(ModelName="m")["ModelArn"]


def test_the_command_prints_what_points_an_sdk_there() -> None:
    command = [sys.executable, "-m", "crosswind_local.cli", "aws"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = dict(process.stdout.readline().strip().split("=", 1) for _ in range(8))
        try:
            sqs = boto3.client(
                "sqs",
                endpoint_url=printed["AWS_ENDPOINT_URL"],
                region_name=printed["AWS_REGION"],
                aws_access_key_id=printed["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=printed["AWS_SECRET_ACCESS_KEY"],
            )
            assert not sqs.list_queues().get("QueueUrls")
        finally:
            process.terminate()
    assert process.returncode == 0
