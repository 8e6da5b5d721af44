"""The function in a process of its own, under AWS's own runtime client."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract.aws_stack import Stack
from crosswind.records.identity import RUN, chain_id, chain_partition
from crosswind.records.record import Record as Run
from crosswind_local import StartFailed
from crosswind_local.aws_sites import AwsSite
from crosswind_local.lambda_host import LambdaHost
from e2e.aws.project.ops import app

TESTS = Path(__file__).parents[2]
HANDLER = "e2e.aws.project.entry.handler"


def record(number: int, body: str, receipts: int = 1) -> dict[str, Any]:
    """A message as Lambda's poller hands it over."""
    return {
        "messageId": f"{number:08}-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": f"handle-{number}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receipts)},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:crosswind-ops-ops",
        "awsRegion": "us-east-1",
    }


@pytest.fixture
def stack(lay: Callable[..., Stack]) -> Stack:
    return lay(app)


@pytest.fixture
def asked() -> str:
    """A first event of the app, as its bus carries it."""
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "//prober.example.com",
        "type": "com.example.asked.v1",
        "time": datetime.now(UTC).isoformat(),
        "data": {"hops": 1},
    }
    return json.dumps(event)


@pytest.fixture
def function(stack: Stack, local_aws: AwsSite, tmp_path: Path) -> Iterator[LambdaHost]:
    env = {
        **local_aws.env(stack.account),
        **stack.deployment("ops").to_env(),
        "MARKS": str(tmp_path),
    }
    with LambdaHost(HANDLER, TESTS, env=env, name="ops") as host:
        yield host


def printed(function: LambdaHost) -> list[dict[str, Any]]:
    return [json.loads(line) for line in function.log().splitlines() if line.startswith("{")]


def test_a_batch_is_worked_and_answered(function: LambdaHost, stack: Stack, asked: str) -> None:
    answer = function.invoke({"Records": [record(1, asked), record(2, "poison")]})

    assert (answer.outcome, answer.payload) == ("returned", {"batchItemFailures": []})
    chain = chain_id("//prober.example.com", "1")
    assert len(stack.store.scan(chain_partition(chain), RUN)) == 1
    # A bus may deliver more than once.
    hopped = [json.loads(one["body"])["type"] for one in stack.receive("ops")["Records"]]
    assert set(hopped) == {"com.example.hopped.v1"}


def test_each_line_of_the_log_names_the_chain_and_the_request(
    function: LambdaHost, asked: str
) -> None:
    function.invoke({"Records": [record(1, asked, receipts=3)]})

    (line,) = [one for one in printed(function) if "level" in one]
    assert line["chain"] == chain_id("//prober.example.com", "1")
    assert line["service"] == "ops"
    assert (line["message"], line["receipts"], line["level"]) == ("worked", 3, "INFO")
    assert line["event_type"] == "com.example.asked.v1"
    assert len(line["request"]) == 36


def test_records_are_counted_by_what_became_of_them(function: LambdaHost, asked: str) -> None:
    function.invoke({"Records": [record(1, asked), record(2, "poison"), record(3, asked)]})

    (metrics,) = [one for one in printed(function) if "_aws" in one]
    assert metrics["Worked"] == [2.0]
    assert metrics["Rejected"] == [1.0]
    assert metrics["service"] == "ops"
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Crosswind"


def test_a_function_that_is_not_told_where_it_is_says_so_when_it_starts(
    local_aws: AwsSite, stack: Stack
) -> None:
    with pytest.raises(StartFailed, match=r"CROSSWIND_TABLE is missing.*CROSSWIND_BUS is missing"):
        LambdaHost(HANDLER, TESTS, env=local_aws.env(stack.account)).start()


def test_a_function_killed_between_two_records_works_both_when_they_come_again(
    function: LambdaHost, stack: Stack, asked: str
) -> None:
    dying = json.dumps(
        {**json.loads(asked), "id": "2", "data": {"hops": 1, "at": 1, "wrong": "die once"}}
    )
    function.invoke({"Records": [record(1, asked), record(2, dying)]})
    hops = stack.receive("ops")
    assert len(hops["Records"]) == 2

    assert function.invoke(hops).outcome == "died"
    assert function.invoke(hops).payload == {"batchItemFailures": []}

    for name in ("1", "2"):
        chain = chain_id("//prober.example.com", name)
        assert len(stack.store.scan(chain_partition(chain), RUN)) == 2


def test_the_neighbours_of_a_message_that_kills_its_function_are_worked_all_the_same(
    function: LambdaHost, stack: Stack, asked: str
) -> None:
    hop = {
        **json.loads(asked),
        "type": "com.example.hopped.v1",
        "data": {"left": 1, "at": 1, "wrong": "die"},
    }
    good = [{**hop, "id": f"good {n}", "data": {"left": 1}} for n in range(2)]
    bodies = [json.dumps(event) for event in ({**hop, "id": "poison"}, *good)]

    for receipts in (1, 2, 3):
        batch = [record(n, body, receipts) for n, body in enumerate(bodies)]
        assert function.invoke({"Records": batch}).outcome == "died"

    dead = [{**one, "eventSourceARN": stack.deployment("ops").dead_letters("ops")} for one in batch]
    assert function.invoke({"Records": dead}).payload == {"batchItemFailures": []}
    states = {}
    for name in ("poison", "good 0", "good 1"):
        partition = chain_partition(chain_id("//prober.example.com", name))
        (item,) = stack.store.scan(partition, RUN)
        states[name] = Run.decode(item.value).state
    assert states == {"poison": "failed", "good 0": "committed", "good 1": "committed"}
