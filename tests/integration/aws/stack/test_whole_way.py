"""From an artifact to a chain that completes across functions, and back to an empty account."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from contract.aws_stack import eventually
from crosswind.journal.listing import list_chains
from crosswind.records.ledger import Ledger
from crosswind.stacks.driver import NotDeployed
from crosswind_aws.store import DynamoStore
from integration.aws.stack.bench import Bench

SIGNALS = Path(__file__).parents[3] / "fixtures" / "signals" / "aws"


def test_an_app_is_planned_applied_works_and_is_taken_away_without_a_trace(bench: Bench) -> None:
    first = bench.plan(bench.artifacts.first)
    assert {one.action for one in first.changes} == {"add"}
    assert bench.left() == {}

    deployed = bench.stack.apply(first, bench.steps.append)
    assert deployed.digest == first.digest
    assert bench.steps[-1].status == "CREATE_COMPLETE"

    chain = bench.ask("1", hops=4)
    assert bench.ends(chain, "completed")
    assert eventually(lambda: bench.runs(chain).get("hear") == "committed")

    def rests() -> bool:
        return not sum(part.messages for part in bench.stack.status().parts)

    assert eventually(rests)
    status = bench.stack.status()
    assert (status.app, status.digest, status.troubles) == ("hops", first.digest, ())
    assert {part.group: part.state for part in status.parts} == {
        "hops": "Active",
        "audit": "Active",
    }
    assert bench.plan(bench.artifacts.first).is_empty

    bench.remove()
    assert bench.left() == {}
    with pytest.raises(NotDeployed):
        bench.stack.status()
    with pytest.raises(NotDeployed):
        bench.remove()


def test_what_is_deployed_bears_the_name_of_its_app_and_the_digest_of_its_artifact(
    bench: Bench,
) -> None:
    deployed = bench.apply(bench.artifacts.first)
    wanted = {"crosswind:app": "hops", "crosswind:digest": deployed.digest}

    sqs, functions = boto3.client("sqs"), boto3.client("lambda")
    for url in sqs.list_queues()["QueueUrls"]:
        assert wanted.items() <= sqs.list_queue_tags(QueueUrl=url)["Tags"].items()
    for function in functions.list_functions()["Functions"]:
        tags = functions.list_tags(Resource=function["FunctionArn"])["Tags"]
        assert wanted.items() <= tags.items()
    dynamodb = boto3.client("dynamodb")
    arn = dynamodb.describe_table(TableName="crosswind-hops")["Table"]["TableArn"]
    told = {
        one["Key"]: one["Value"] for one in dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"]
    }
    assert wanted.items() <= told.items()


def test_rules_match_what_aws_says_and_not_the_alarms_of_the_stack_itself(bench: Bench) -> None:
    bench.apply(bench.artifacts.first)
    events = boto3.client("events")
    patterns = {
        rule["Name"]: events.describe_rule(Name=rule["Name"])["EventPattern"]
        for rule in events.list_rules(NamePrefix="crosswind-hops")["Rules"]
    }

    def matched(event: dict[str, Any]) -> list[str]:
        return [
            name
            for name, pattern in patterns.items()
            if events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]
        ]

    health, alarm = said("health-issue-open"), said("alarm-event-alarm")
    assert matched(health) == ["crosswind-hops-native-health"]
    assert matched(alarm) == ["crosswind-hops-native-alarm"]
    alarm["detail"]["alarmName"] = "crosswind-hops-audit-age"
    assert matched(alarm) == []


def test_what_aws_says_of_a_region_is_heard_by_the_deployed_app(bench: Bench) -> None:
    """Nobody but AWS may put such events on a bus; so this is sent as the rule would send it."""
    bench.apply(bench.artifacts.first)
    health, now = said("health-issue-open"), datetime.now(UTC)
    health["time"] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    health["detail"] |= dict.fromkeys(("startTime", "lastUpdatedTime"), format_datetime(now, True))
    sqs = boto3.client("sqs")
    queue = sqs.get_queue_url(QueueName="crosswind-hops-hops")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(health))
    ledger = Ledger(DynamoStore("crosswind-hops"), bench.site.now)

    def handlers() -> list[str]:
        return [
            handler
            for chain in list_chains(ledger, bench.site.now(), 600.0)
            for handler in bench.runs(chain.chain)
        ]

    assert eventually(lambda: handlers() == ["note"])


def said(name: str) -> dict[str, Any]:
    """A notification of AWS."""
    found: dict[str, Any] = json.loads((SIGNALS / f"{name}.json").read_text())
    return found
