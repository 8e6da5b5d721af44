"""What functions find around them: an emulated AWS with the tables, queues and rules they use.

The emulator is a process of its own. Nobody's credentials and no real account are used.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bench.ours.reaction import GROUP, RoomWanted
from crosswind_aws.deployment import Deployment
from crosswind_aws.filters import TARGET_INPUT
from crosswind_aws.store import table
from crosswind_local.accounts import ACCOUNT, REGION
from crosswind_local.ministack import Ministack

RECORDS = "records"
"""The table of Powertools' records."""

BARE = "bare"
"""The table into which a bare client writes."""


@dataclass(frozen=True)
class Estate:
    """An emulated account.

    Attributes:
        environ: points every SDK there, and tells our function what is deployed around it.
    """

    environ: Mapping[str, str]


@contextmanager
def estate() -> Iterator[Estate]:
    """Start the emulator and lay out the account: tables, our bus, and who receives from it."""
    with Ministack() as emulator:
        deployment = Deployment(
            group=GROUP,
            table="crosswind",
            bus="crosswind",
            queues=f"arn:aws:sqs:{REGION}:{ACCOUNT}:crosswind-",
        )
        environ = {**emulator.env, **deployment.to_env(), "RECORDS": RECORDS, "BARE": BARE}
        with variables(environ):
            _lay(deployment)
        yield Estate(environ)


def _lay(deployment: Deployment) -> None:
    import boto3

    dynamodb, events = boto3.client("dynamodb"), boto3.client("events")
    for name in (deployment.table, BARE):
        dynamodb.create_table(**table(name))
    dynamodb.create_table(
        TableName=RECORDS,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    events.create_event_bus(Name=deployment.bus)
    # Somebody wants what is said, so that the emulator has to look; that nobody takes it off the
    # queue costs nothing.
    queue = deployment.queue("sink")
    boto3.client("sqs").create_queue(QueueName=queue.rpartition(":")[2])
    events.put_rule(
        EventBusName=deployment.bus,
        Name="sink",
        EventPattern=f'{{"detail-type": ["{RoomWanted.event_type}"]}}',
    )
    events.put_targets(
        EventBusName=deployment.bus,
        Rule="sink",
        Targets=[{"Id": "sink", "Arn": queue, "InputPath": TARGET_INPUT}],
    )


@contextmanager
def variables(given: Mapping[str, str]) -> Iterator[None]:
    """Have environment variables for a while."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
