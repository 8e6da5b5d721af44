"""A function on AWS Lambda Powertools 3.37: parser and idempotency, its records in DynamoDB.

It stands in its folder as it stands here. The event is validated, answered with one event, and its
answer kept, so that the same event is answered once: a write when it begins and one when it ends.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent,
)
from aws_lambda_powertools.utilities.parser import BaseModel, event_parser


class Observation(BaseModel):
    """What was seen."""

    region: str
    evidence: str
    reason: str
    workload: str
    vantage: str
    measured: dict[str, float]


class Envelope(BaseModel):
    """An event of the sample's shape."""

    specversion: str
    id: str
    source: str
    type: str
    time: datetime
    datacontenttype: str
    subject: str
    data: Observation


@idempotent(
    persistence_store=DynamoDBPersistenceLayer(table_name=os.environ["RECORDS"]),
    config=IdempotencyConfig(event_key_jmespath="[source, id]"),
)
@event_parser(model=Envelope)
def handler(event: Envelope, context: Any) -> dict[str, Any]:
    """Say that a region needs room."""
    data = event.data
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "//example.com/bench",
        "type": "com.example.room.wanted.v1",
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "subject": event.subject,
        "data": {"region": data.region, "because": f"{data.evidence}: {data.reason}"},
    }
