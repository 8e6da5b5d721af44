"""Schedules of the emulator of AWS, as AWS documents them, and functions on its clock."""

import io
import json
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest

from crosswind_local import ministack
from crosswind_local.environments import interpreter
from crosswind_local.ministack import Ministack

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sender"
ARN = f"arn:aws:sqs:us-east-1:{ACCOUNT}:"
OFF = {"Mode": "OFF"}
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"

WAIT = 10
"""Seconds for which a queue is asked: schedules are looked at each second, on a busy machine less
often."""


@pytest.fixture(scope="module")
def aws() -> Iterator[Ministack]:
    with Ministack() as aws:
        yield aws


@pytest.fixture
def client(aws: Ministack) -> Callable[[str], Any]:
    aws.reset()
    return partial(pointed, aws)


@pytest.fixture
def sqs(client: Callable[[str], Any]) -> Any:
    return client("sqs")


@pytest.fixture
def scheduler(client: Callable[[str], Any]) -> Any:
    return client("scheduler")


@pytest.fixture
def url(sqs: Any) -> str:
    return str(sqs.create_queue(QueueName="ticks")["QueueUrl"])


def pointed(aws: Ministack, service: str) -> Any:
    """A client for a service there."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws.account(ACCOUNT).items():
            patch.setenv(name, value)
        return boto3.session.Session().client(service)


def now(aws: Ministack) -> datetime:
    return datetime.fromtimestamp(time.time() + aws.skipped, UTC)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def bodies(sqs: Any, url: str, wait: int = WAIT) -> list[str]:
    """What a queue holds, once it holds something; it is taken from it."""
    answer = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=wait, MaxNumberOfMessages=10)
    messages = answer.get("Messages", ())
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in messages]


def make(scheduler: Any, expression: str, text: str = "{}", **more: Any) -> None:
    target = {"Arn": f"{ARN}ticks", "RoleArn": ROLE, "Input": text, **more.pop("target", {})}
    scheduler.create_schedule(
        Name="tick",
        ScheduleExpression=expression,
        FlexibleTimeWindow=OFF,
        Target=target,
        **more,
    )


def test_the_keywords_in_an_input_are_filled_in(
    aws: Ministack, scheduler: Any, sqs: Any, url: str
) -> None:
    asked = {
        "arn": "<aws.scheduler.schedule-arn>",
        "at": "<aws.scheduler.scheduled-time>",
        "execution": "<aws.scheduler.execution-id>",
        "attempt": "<aws.scheduler.attempt-number>",
        "inner": json.dumps({"at": "<aws.scheduler.scheduled-time>"}),
        "other": "<aws.scheduler.unknown>",
    }
    due = now(aws) - timedelta(minutes=3)
    make(scheduler, f"at({due:%Y-%m-%dT%H:%M:%S})", json.dumps(asked))

    (body,) = bodies(sqs, url)

    said = json.loads(body)
    assert len(said.pop("execution")) == 16
    assert said == {
        "arn": f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule/default/tick",
        "at": stamp(due),
        "attempt": "1",
        "inner": json.dumps({"at": stamp(due)}),
        "other": "<aws.scheduler.unknown>",
    }


def test_a_cron_schedule_is_due_at_whole_minutes_and_says_which(
    aws: Ministack, scheduler: Any, sqs: Any, url: str
) -> None:
    made = now(aws)
    make(scheduler, "cron(* * * * ? *)", "<aws.scheduler.scheduled-time>")
    aws.advance(60)

    first = bodies(sqs, url)[0]

    minute = made.replace(second=0, microsecond=0)
    assert first in {stamp(minute + timedelta(minutes=n)) for n in (1, 2)}


def test_of_the_times_that_the_clock_was_moved_past_the_last_alone_is_kept(
    aws: Ministack, scheduler: Any, sqs: Any, url: str
) -> None:
    make(scheduler, "cron(0 * * * ? *)", "<aws.scheduler.scheduled-time>")
    before = now(aws)
    aws.advance(5 * 3_600)

    assert bodies(sqs, url, 0) == [stamp((before + timedelta(hours=5)).replace(minute=0, second=0))]
    aws.advance(1)
    assert bodies(sqs, url, 0) == []


def test_a_cron_schedule_follows_its_time_zone(
    aws: Ministack, scheduler: Any, sqs: Any, url: str
) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    make(
        scheduler,
        "cron(30 4 * * ? *)",
        "<aws.scheduler.scheduled-time>",
        ScheduleExpressionTimezone="Asia/Kolkata",
    )
    local = now(aws).astimezone(zone)
    due = local.replace(hour=4, minute=30, second=0, microsecond=0)
    due += timedelta(days=1 if due <= local else 0)
    aws.advance((due - local).total_seconds() - 30)
    assert bodies(sqs, url, 0) == []

    aws.advance(60)

    assert bodies(sqs, url) == [stamp(due.astimezone(UTC))]


def test_a_time_that_there_is_not_on_a_day_is_passed_over(
    aws: Ministack, scheduler: Any, sqs: Any, url: str
) -> None:
    """In Berlin there is no 02:30 on the last Sunday of March."""
    zone = ZoneInfo("Europe/Berlin")
    local = now(aws).astimezone(zone)
    year = local.year + 1
    summer = max(datetime(year, 3, day, tzinfo=zone) for day in range(25, 32) if _sunday(year, day))
    aws.advance((summer - timedelta(hours=12) - local).total_seconds())
    make(
        scheduler,
        "cron(30 2 * * ? *)",
        "<aws.scheduler.scheduled-time>",
        ScheduleExpressionTimezone="Europe/Berlin",
    )

    aws.advance(24 * 3_600)
    assert bodies(sqs, url, 0) == []
    aws.advance(24 * 3_600)

    due = (summer + timedelta(days=1)).replace(hour=2, minute=30)
    assert bodies(sqs, url) == [stamp(due.astimezone(UTC))]


def _sunday(year: int, day: int) -> bool:
    return datetime(year, 3, day, tzinfo=UTC).weekday() == 6


def test_a_one_time_schedule_follows_its_time_zone_runs_once_and_is_gone(
    aws: Ministack, scheduler: Any, sqs: Any, url: str
) -> None:
    zone = ZoneInfo("America/New_York")
    due = now(aws) + timedelta(hours=20)
    make(
        scheduler,
        f"at({due.astimezone(zone):%Y-%m-%dT%H:%M:%S})",
        "<aws.scheduler.scheduled-time>",
        ScheduleExpressionTimezone="America/New_York",
        ActionAfterCompletion="DELETE",
    )
    aws.advance(20 * 3_600 - 60)
    assert bodies(sqs, url, 0) == []

    aws.advance(120)

    assert bodies(sqs, url) == [stamp(due)]
    assert scheduler.list_schedules()["Schedules"] == []


def test_one_of_the_same_name_that_is_made_anew_runs_again(
    aws: Ministack, scheduler: Any, sqs: Any, url: str
) -> None:
    for _ in range(2):
        make(scheduler, "at(2020-01-01T00:00:00)", "once")
        assert bodies(sqs, url) == ["once"]
        aws.advance(2)
        assert bodies(sqs, url, 0) == []
        scheduler.delete_schedule(Name="tick")


def test_a_rate_begins_at_once_and_keeps_step(
    aws: Ministack, scheduler: Any, sqs: Any, url: str
) -> None:
    make(scheduler, "rate(7 minutes)", "<aws.scheduler.scheduled-time>")
    (first,) = bodies(sqs, url)
    aws.advance(7 * 60)
    (second,) = bodies(sqs, url)

    began, went_on = (datetime.fromisoformat(one) for one in (first, second))
    assert (went_on - began) == timedelta(minutes=7)


def test_a_universal_target_sends_with_the_delay_that_it_asks_for(
    aws: Ministack, scheduler: Any, sqs: Any, url: str
) -> None:
    asked = {"MessageBody": "<aws.scheduler.scheduled-time>", "DelaySeconds": 40, "QueueUrl": url}
    make(scheduler, "at(2020-01-01T00:00:00)", json.dumps(asked), target={"Arn": UNIVERSAL})
    aws.advance(0)
    aws.advance(30)
    assert bodies(sqs, url, 0) == []

    aws.advance(10)

    assert bodies(sqs, url) == ["2020-01-01T00:00:00Z"]


@pytest.mark.parametrize(
    ("arn", "text", "code"),
    [
        (f"{ARN}gone", "late", "AWS.SimpleQueueService.NonExistentQueue"),
        (UNIVERSAL, '{"MessageBody": "late", "QueueUrl": "http://x/1/gone"}', "QueueDoesNotExist"),
        (UNIVERSAL, "no input", "ValidationException"),
        ("arn:aws:scheduler:::aws-sdk:ec2:stopInstances", "{}", "UnsupportedTarget"),
    ],
)
def test_what_cannot_be_delivered_is_a_dead_letter_that_says_why(
    scheduler: Any, sqs: Any, arn: str, text: str, code: str
) -> None:
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    make(
        scheduler,
        "at(2020-01-01T00:00:00)",
        text,
        target={"Arn": arn, "DeadLetterConfig": {"Arn": f"{ARN}dead"}},
    )

    (letter,) = sqs.receive_message(
        QueueUrl=dead, WaitTimeSeconds=WAIT, MessageAttributeNames=["All"]
    )["Messages"]

    assert letter["Body"] == text
    told = {name: one["StringValue"] for name, one in letter["MessageAttributes"].items()}
    assert code in told["ERROR_CODE"]
    assert told["TARGET_ARN"] == arn
    assert told["SCHEDULED_TIME"] == "2020-01-01T00:00:00Z"
    assert told["SCHEDULE_ARN"].endswith(":schedule/default/tick")


def test_one_schedule_that_cannot_be_read_stops_no_other(
    scheduler: Any, sqs: Any, url: str
) -> None:
    scheduler.create_schedule(
        Name="a-nonsense",
        ScheduleExpression="cron(never)",
        FlexibleTimeWindow=OFF,
        Target={"Arn": f"{ARN}ticks", "RoleArn": ROLE, "Input": "never"},
    )
    make(scheduler, "at(2020-01-01T00:00:00)", "once")

    assert bodies(sqs, url) == ["once"]


def test_a_stack_hands_its_time_zone_on_when_made_and_when_changed(
    client: Callable[[str], Any], scheduler: Any, url: str
) -> None:
    cloudformation = client("cloudformation")

    def template(zone: str) -> str:
        schedule = {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "Name": "tick",
                "ScheduleExpression": "cron(0 3 * * ? *)",
                "ScheduleExpressionTimezone": zone,
                "FlexibleTimeWindow": OFF,
                "Target": {"Arn": f"{ARN}ticks", "RoleArn": ROLE, "Input": "{}"},
            },
        }
        return json.dumps({"Resources": {"Tick": schedule}})

    cloudformation.create_stack(StackName="s", TemplateBody=template("Asia/Tokyo"))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="s", WaiterConfig={"Delay": 1}
    )
    assert scheduler.get_schedule(Name="tick")["ScheduleExpressionTimezone"] == "Asia/Tokyo"

    cloudformation.update_stack(StackName="s", TemplateBody=template("Europe/Rome"))
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName="s", WaiterConfig={"Delay": 1}
    )
    assert scheduler.get_schedule(Name="tick")["ScheduleExpressionTimezone"] == "Europe/Rome"


CHANGED = """
import importlib.util, sys
import ministack.services.scheduler, ministack.core.lambda_runtime
{change}
spec = importlib.util.spec_from_file_location("mended", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.install({given})
"""


@pytest.mark.parametrize(
    ("file", "change", "given", "named"),
    [
        (
            "scheduling.py",
            "ministack.services.scheduler._tick_schedules = lambda now: None",
            "",
            "scheduler._tick_schedules('now',)",
        ),
        (
            "scheduling.py",
            "del ministack.services.scheduler._to_epoch",
            "",
            "scheduler._to_epoch is missing",
        ),
        (
            "functions.py",
            "del ministack.core.lambda_runtime._PYTHON_WORKER_SCRIPT",
            "'clock'",
            "lambda_runtime has no worker script",
        ),
    ],
)
def test_another_version_of_the_emulator_is_refused_and_told_what_differs(
    tmp_path: Path, file: str, change: str, given: str, named: str
) -> None:
    server = Ministack()
    python = interpreter(server.service, server.requirements)
    mended = Path(ministack.__file__).with_name(file)

    done = subprocess.run(
        [python, "-I", "-c", CHANGED.format(change=change, given=given), mended],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert named in done.stderr
    assert "another version?" in done.stderr


def artifact() -> bytes:
    """A function that says what it takes for the time."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(
            "clock.py",
            "import time\n\ndef handler(event, context):\n"
            "    left = context.get_remaining_time_in_millis()\n"
            "    return [time.time(), time.time_ns() / 1e9, left]\n",
        )
    return content.getvalue()


@pytest.mark.parametrize("moves", [True, False])
def test_functions_are_on_its_clock_where_that_is_asked_for(moves: bool) -> None:
    hours = 5 * 3_600.0
    with Ministack(moves_functions=moves) as aws:
        functions = pointed(aws, "lambda")
        functions.create_function(
            FunctionName="clock",
            Runtime="python3.12",
            Handler="clock.handler",
            Role=ROLE,
            Timeout=20,
            Code={"ZipFile": artifact()},
        )

        def told() -> list[float]:
            answer = functions.invoke(FunctionName="clock")["Payload"].read()
            found: list[float] = json.loads(answer)
            return found

        before = told()
        aws.advance(hours)
        after = told()
        # One that begins only now is where the others are.
        functions.update_function_configuration(FunctionName="clock", Timeout=30)
        anew = told()

    skipped = hours if moves else 0.0
    for seconds, precise, left in (after, anew):
        assert skipped <= seconds - before[0] < skipped + 600.0
        assert abs(precise - seconds) < 5.0
        assert 0.0 < left <= 30_000.0
