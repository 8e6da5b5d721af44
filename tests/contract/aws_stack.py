"""What is around the functions of an app: a table, a bus, rules, and queues with dead letters."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3

from crosswind.app import App
from crosswind.buses.routing import bindings
from crosswind.ports import Message
from crosswind_aws.bus import EventBridgeBus
from crosswind_aws.deployment import BATCH, DELIVERIES, Deployment
from crosswind_aws.filters import TARGET_INPUT, patterns
from crosswind_aws.store import EXPIRES, DynamoStore, table
from crosswind_local.aws_sites import AwsSite
from crosswind_local.lambda_host import bootstrap

TESTS = Path(__file__).parents[1]


class Stack:
    """What is around the functions of an app.

    Args:
        site: where AWS is.
        account: the id of the account.
        app: whose groups get a queue and rules each.
        visibility: seconds for which a queue hides what was received.
        deliveries: how often a message is delivered before it is dead.
    """

    def __init__(
        self,
        site: AwsSite,
        account: str,
        app: App,
        *,
        visibility: int = 30,
        deliveries: int = DELIVERIES,
    ) -> None:
        self.site = site
        self.app = app
        self.account = account
        self.sqs = boto3.client("sqs")
        self.region = self.sqs.meta.region_name
        self.events = boto3.client("events")
        self.dynamodb = boto3.client("dynamodb")
        self.urls: dict[str, str] = {}
        self.name = f"crosswind-{app.name}"
        self.dynamodb.create_table(**table(self.name))
        self.dynamodb.update_time_to_live(
            TableName=self.name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": EXPIRES},
        )
        self.events.create_event_bus(Name=self.name)
        for group in app.groups:
            self._lay(group, visibility, deliveries)
        self.store = DynamoStore(self.name)
        self.bus = EventBridgeBus.of(app, self.deployment(app.groups[0]), clock=site.now)

    def deployment(self, group: str) -> Deployment:
        """What the function of a group is told."""
        return Deployment(
            group=group,
            table=self.name,
            bus=self.name,
            queues=f"arn:aws:sqs:{self.region}:{self.account}:{self.name}-",
            scheduler_role=f"arn:aws:iam::{self.account}:role/{self.name}-scheduler",
        )

    def publish(self, *messages: Message) -> None:
        """Put messages on the bus, as others do."""
        self.bus.publish(messages)

    def receive(self, group: str, count: int = 10, *, dead: bool = False) -> dict[str, Any]:
        """What Lambda's poller would hand the function of a group; no records where none wait."""
        deployment = self.deployment(group)
        arn = deployment.dead_letters(group) if dead else deployment.queue(group)
        answer = self.sqs.receive_message(
            QueueUrl=self.urls[arn],
            MaxNumberOfMessages=count,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0 if self.site.emulator else 5,
        )
        return {
            "Records": [
                {
                    "messageId": message["MessageId"],
                    "receiptHandle": message["ReceiptHandle"],
                    "body": message["Body"],
                    "attributes": dict(message["Attributes"]),
                    "messageAttributes": {},
                    "md5OfBody": message["MD5OfBody"],
                    "eventSource": "aws:sqs",
                    "eventSourceARN": arn,
                    "awsRegion": self.region,
                }
                for message in answer.get("Messages", [])
            ]
        }

    def deploy(
        self,
        group: str,
        package: str,
        env: Mapping[str, str],
        *,
        timeout: int = 30,
        batch: int = BATCH,
    ) -> str:
        """Have Lambda run the function of a group, fed by its queue and by its dead letters.

        Args:
            package: of these tests, whose module `entry` has the handler.
            env: variables beside those that say what is deployed.

        Returns:
            The function's name.
        """
        functions = boto3.client("lambda")
        name = f"{self.name}-{group}"
        deployment = self.deployment(group)
        functions.create_function(
            FunctionName=name,
            Runtime="provided.al2023",
            Handler=f"{package}.entry.handler",
            Role=f"arn:aws:iam::{self.account}:role/{name}",
            Code={"ZipFile": artifact(package)},
            Timeout=timeout,
            MemorySize=512,
            Environment={"Variables": {**deployment.to_env(), **env}},
        )
        for queue in (deployment.queue(group), deployment.dead_letters(group)):
            functions.create_event_source_mapping(
                EventSourceArn=queue,
                FunctionName=name,
                BatchSize=batch,
                FunctionResponseTypes=["ReportBatchItemFailures"],
            )
        return name

    def settle(self, batch: dict[str, Any], answer: Any) -> None:
        """Remove what was worked, as Lambda's poller does."""
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        for record in batch["Records"]:
            if record["messageId"] not in failed:
                self.sqs.delete_message(
                    QueueUrl=self.urls[record["eventSourceARN"]],
                    ReceiptHandle=record["receiptHandle"],
                )

    def depth(self, group: str, *, dead: bool = False) -> int:
        """How many messages a queue holds, hidden and delayed ones too."""
        deployment = self.deployment(group)
        arn = deployment.dead_letters(group) if dead else deployment.queue(group)
        names = ("", "NotVisible", "Delayed")
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.urls[arn], AttributeNames=["All"])[
            "Attributes"
        ]
        counts = {str(name): value for name, value in attributes.items()}
        return sum(int(counts[f"ApproximateNumberOfMessages{name}"]) for name in names)

    def _lay(self, group: str, visibility: int, deliveries: int) -> None:
        deployment = self.deployment(group)
        queue, dead = deployment.queue(group), deployment.dead_letters(group)
        redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": deliveries})
        hidden = str(visibility)
        for arn, attributes in (
            (dead, {"VisibilityTimeout": hidden}),
            (queue, {"VisibilityTimeout": hidden, "RedrivePolicy": redrive}),
        ):
            created = self.sqs.create_queue(
                QueueName=arn.rpartition(":")[2], Attributes={**attributes}
            )
            self.urls[arn] = created["QueueUrl"]
        wanted = [binding for name, binding in bindings(self.app) if name == group]
        for n, pattern in enumerate(patterns(group, wanted)):
            rule = f"{self.name}-{group}-{n}"
            self.events.put_rule(EventBusName=self.name, Name=rule, EventPattern=pattern)
            self.events.put_targets(
                EventBusName=self.name,
                Rule=rule,
                Targets=[
                    {
                        "Id": "queue",
                        "Arn": queue,
                        "InputPath": TARGET_INPUT,
                        "DeadLetterConfig": {"Arn": dead},
                    }
                ],
            )


def artifact(package: str) -> bytes:
    """A zip of a package of these tests, with the bootstrap of a custom runtime."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        start = zipfile.ZipInfo("bootstrap")
        start.external_attr = 0o755 << 16
        archive.writestr(start, bootstrap())
        for path in sorted(TESTS.joinpath(*package.split(".")).rglob("*.py")):
            archive.write(path, path.relative_to(TESTS))
    return content.getvalue()


def eventually(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return true()
