"""What the tests of this folder do to stacks, and see of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import boto3

from contract.aws_stack import eventually
from crosswind import Event
from crosswind.records.head import Head
from crosswind.records.identity import HEAD, RUN, chain_id, chain_partition
from crosswind.records.record import Record
from crosswind.stacks.driver import Request, Sizing, Step
from crosswind.stacks.history import Deployed
from crosswind.stacks.plan import Plan
from crosswind.stacks.release import read_release
from crosswind_aws.stack.deployed import AwsStack
from crosswind_aws.store import DynamoStore
from crosswind_events import Codec, EventData
from crosswind_local.aws_sites import AwsSite
from integration.packaging.workshop import NEEDED
from unit.packaging.wheelwright import repacked

SOURCE = "//prober.example.com"

SDK = (
    "aws-lambda-powertools",
    "boto3",
    "botocore",
    "jmespath",
    "python-dateutil",
    "s3transfer",
    "six",
    "urllib3",
)
"""What an artifact for AWS is made of beside what every one is."""

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


class Asked(EventData, type="com.example.asked.v1"):
    """As the project declares it."""

    hops: int


class Artifacts(NamedTuple):
    """Two versions of an app, and the built-in failover."""

    first: Path
    second: Path
    failover: Path


def stock(folder: Path) -> Path:
    """A folder of wheels: copies of what is installed here."""
    folder.mkdir()
    for name in (*NEEDED, *SDK):
        repacked(folder, name)
    return folder


def package(project: Path, app: str, out: Path, index: Path) -> Path:
    """Make an artifact as a user does; nothing asks a network."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith("CROSSWIND")
    }
    environ |= {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(index),
        "UV_CACHE_DIR": str(index.parent / "uv"),
        "CROSSWIND_CACHE": str(index.parent / "cache"),
    }
    asked = ["package", "aws", "--app", app, "--runtime", RUNTIME, "--out", str(out)]
    subprocess.run(
        [sys.executable, "-m", "crosswind", *asked, "--arch", "x86_64"],
        cwd=project, env=environ, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return out


@dataclass
class Bench:
    """A stack, and the account that it is in."""

    site: AwsSite
    account: str
    artifacts: Artifacts
    stack: AwsStack
    steps: list[Step] = field(default_factory=list)

    def request(self, artifact: Path, sizing: Sizing | None = None, **how: Any) -> Request:
        return Request(read_release(artifact, "aws"), sizing or Sizing(), **how)

    def plan(self, artifact: Path, sizing: Sizing | None = None, **how: Any) -> Plan:
        return self.stack.plan(self.request(artifact, sizing, **how))

    def apply(self, artifact: Path, sizing: Sizing | None = None, **how: Any) -> Deployed:
        """Plan and apply."""
        return self.stack.apply(self.plan(artifact, sizing, **how), self.steps.append)

    def remove(self) -> None:
        self.stack.remove(self.steps.append)

    def ask(self, name: str, hops: int) -> str:
        """Put a first event on the deployed bus, as anybody does; its chain."""
        event = Event.of(Asked(hops=hops), id=name, source=SOURCE, time=datetime.now(UTC))
        answer = boto3.client("events").put_events(
            Entries=[
                {
                    "EventBusName": self.stack.stack,
                    "Source": "example.prober",
                    "DetailType": Asked.event_type,
                    "Detail": Codec([Asked]).encode(event).decode(),
                }
            ]
        )
        assert answer["FailedEntryCount"] == 0
        return chain_id(SOURCE, name)

    def runs(self, chain: str) -> dict[str, str]:
        """The state of each run of a chain, by handler and event; the last of a handler counts."""
        items = self._store.scan(chain_partition(chain), RUN, limit=100)
        return {run.handler: run.state for item in items for run in [Record.decode(item.value)]}

    def outcome(self, chain: str) -> str | None:
        """How a chain ended."""
        item = self._store.read(chain_partition(chain), HEAD)
        return None if item is None else Head.decode(item.value).outcome

    def ends(self, chain: str, outcome: str) -> bool:
        """Whether a chain ends so, in time."""
        eventually(lambda: self.outcome(chain) is not None, 40.0)
        return self.outcome(chain) == outcome

    @property
    def _store(self) -> DynamoStore:
        return DynamoStore(self.stack.stack)

    def kept(self) -> list[str]:
        """What lies beside the stack: for each thing the folder that it is in."""
        bucket = f"{self.stack.stack}-{self.account}-us-east-1"
        found = boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", ())
        return sorted(one["Key"].partition("/")[0] for one in found)

    def change_sets(self) -> list[str]:
        """Change sets that nobody has executed."""
        formation = boto3.client("cloudformation")
        found = formation.list_change_sets(StackName=self.stack.stack)["Summaries"]
        return [one["ChangeSetName"] for one in found if one["ExecutionStatus"] == "AVAILABLE"]

    def left(self) -> dict[str, list[str]]:
        """Everything in the account that a stack may have made, by service."""
        found = {name: list(several) for name, several in self._listed()}
        return {name: several for name, several in found.items() if several}

    def _listed(self) -> Iterator[tuple[str, Iterator[str]]]:
        clients: dict[str, Any] = {}

        def ask(service: str, method: str, what: str, name: str, **how: Any) -> Iterator[str]:
            client = clients.setdefault(service, boto3.client(service))
            for one in getattr(client, method)(**how).get(what, ()):
                text = one if isinstance(one, str) else one[name]
                if text != "default":
                    yield text

        yield "functions", ask("lambda", "list_functions", "Functions", "FunctionName")
        yield (
            "mappings",
            ask("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
        )
        yield "queues", ask("sqs", "list_queues", "QueueUrls", "")
        yield "buses", ask("events", "list_event_buses", "EventBuses", "Name")
        yield "rules", ask("events", "list_rules", "Rules", "Name")
        yield "tables", ask("dynamodb", "list_tables", "TableNames", "")
        yield "roles", ask("iam", "list_roles", "Roles", "RoleName")
        yield "buckets", ask("s3", "list_buckets", "Buckets", "Name")
        yield "logs", ask("logs", "describe_log_groups", "logGroups", "logGroupName")
        yield "alarms", ask("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName")
        yield (
            "schedule groups",
            ask("scheduler", "list_schedule_groups", "ScheduleGroups", "Name"),
        )
        yield "schedules", ask("scheduler", "list_schedules", "Schedules", "Name")
        yield (
            "stacks",
            iter(
                [
                    one["StackName"]
                    for one in boto3.client("cloudformation").list_stacks()["StackSummaries"]
                    if one["StackStatus"] != "DELETE_COMPLETE"
                ]
            ),
        )
