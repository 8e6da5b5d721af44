"""Records as a queue hands them to our function, and what is known of the writes they lead to."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from bench.ours.reaction import GROUP, app
from bench.samples import SOURCE, compact, name, sample
from crosswind.embedded.memory_bus import MemoryBus
from crosswind.engine.dispatch import Engine
from crosswind.ports import Delivery
from crosswind.records.identity import chain_id
from crosswind_aws.store import DynamoStore
from crosswind_local.accounts import ACCOUNT, REGION


def record(body: str) -> dict[str, Any]:
    """A message as Lambda's poller hands it over."""
    return {
        "messageId": str(uuid4()),
        "receiptHandle": "handle",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:crosswind-{GROUP}",
        "awsRegion": REGION,
    }


def event(number: int) -> dict[str, Any]:
    """The sample as the second event of a chain, whose head another function has put."""
    made = sample(name(number))
    return {**made, "correlationid": chain_id(SOURCE, name(-number)), "hop": 1}


def bodies(first: int, count: int) -> list[str]:
    """Different events of different chains, as text, so many."""
    return [compact(event(number)).decode() for number in range(first, first + count)]


class Noting:
    """A client of DynamoDB that takes note of what it is asked to put, and does nothing."""

    def __init__(self) -> None:
        self.put: list[dict[str, Any]] = []

    def put_item(self, **arguments: Any) -> dict[str, Any]:
        """Take note."""
        self.put.append(arguments)
        return {}


def decision() -> dict[str, Any]:
    """The arguments of the PutItem by which our store writes one decision."""
    noting: Any = Noting()
    engine = Engine(app(), DynamoStore("bare", noting), MemoryBus())
    body = json.dumps(event(1), separators=(",", ":")).encode()
    if engine.work(Delivery("1", body), GROUP) is not None or len(noting.put) != 1:
        raise RuntimeError(f"a decision is {len(noting.put)} writes")
    put: dict[str, Any] = noting.put[0]
    return put
