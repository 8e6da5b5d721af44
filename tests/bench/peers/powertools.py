"""AWS Lambda Powertools 3.37: parser and idempotency, the records of which are kept in memory.

Each event is new: its text is read as the Lambda runtime reads it, claimed, validated, answered
with one event, recorded, and its answer handed to a bus in memory as text.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from itertools import count as counter
from typing import Any
from uuid import uuid4

from bench.samples import bodies
from bench.serve import Prepare, Run

os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "bench")
os.environ.setdefault("AWS_LAMBDA_FUNCTION_NAME", "bench")


class Context:
    """What Lambda tells a function about its invocation."""

    function_name = "bench"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Thirty seconds."""
        return 30_000


def _layer() -> Any:
    """A persistence layer in memory, made as the base class asks."""
    # Only the peer's environment has these packages, so that no type of them is known here.
    base = import_module("aws_lambda_powertools.utilities.idempotency.persistence.base")
    errors = import_module("aws_lambda_powertools.utilities.idempotency.exceptions")
    records: dict[str, Any] = {}

    def get(self: Any, idempotency_key: str) -> Any:
        if idempotency_key not in records:
            raise errors.IdempotencyItemNotFoundError
        return records[idempotency_key]

    def put(self: Any, data_record: Any) -> None:
        held = records.setdefault(data_record.idempotency_key, data_record)
        if held is not data_record:
            raise errors.IdempotencyItemAlreadyExistsError(old_data_record=held)

    def update(self: Any, data_record: Any) -> None:
        records[data_record.idempotency_key] = data_record

    def delete(self: Any, data_record: Any) -> None:
        records.pop(data_record.idempotency_key, None)

    methods = {"_get_record": get, "_put_record": put, "_update_record": update}
    return type("Memory", (base.BasePersistenceLayer,), {**methods, "_delete_record": delete})()


@contextmanager
def make() -> Iterator[Prepare]:
    """A handler that parses an envelope of the sample's shape and answers once for each id."""
    idempotency = import_module("aws_lambda_powertools.utilities.idempotency")
    parser = import_module("aws_lambda_powertools.utilities.parser")
    pydantic = import_module("pydantic")
    observation = pydantic.create_model(
        "Observation",
        region=str,
        evidence=str,
        reason=str,
        workload=str,
        vantage=str,
        measured=dict[str, float],
    )
    envelope = pydantic.create_model(
        "Envelope",
        specversion=str,
        id=str,
        source=str,
        type=str,
        time=datetime,
        datacontenttype=str,
        subject=str,
        data=observation,
    )
    config = idempotency.IdempotencyConfig(event_key_jmespath="[source, id]")

    def decide(event: Any, context: Context) -> dict[str, Any]:
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

    parsed = parser.event_parser(decide, model=envelope)
    numbers = counter(1)

    def prepare(count: int) -> Run:
        handle = idempotency.idempotent(parsed, persistence_store=_layer(), config=config)
        context = Context()
        bus: list[str] = []
        events = bodies(next(numbers) * 1_000_000, count)

        def run() -> None:
            for body in events:
                answer = handle(json.loads(body), context)
                bus.append(json.dumps(answer))
            if len(bus) != count:
                raise RuntimeError(f"{len(bus)} of {count} events came out")

        return run

    yield prepare
