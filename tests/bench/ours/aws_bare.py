"""What DynamoDB asks for a decision: one conditional PutItem of boto3, with the same bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count as counter
from typing import Any

from bench.serve import Prepare, Run


@contextmanager
def make(environ: Mapping[str, str]) -> Iterator[Prepare]:
    """A client as boto3 makes it, which writes a decision under names of its own each time.

    Args:
        environ: where AWS is, and the table.
    """
    os.environ.update(environ)
    import boto3

    from bench.aws.records import decision, event

    put = {**decision(), "TableName": os.environ["BARE"]}
    client: Any = boto3.client("dynamodb")
    numbers = counter((os.getpid() << 24) + 1)

    def prepare(count: int) -> Run:
        names = [f"chain:{event(next(numbers))['correlationid']}" for _ in range(count)]
        items = [{**put, "Item": {**put["Item"], "pk": {"S": name}}} for name in names]

        def run() -> None:
            for item in items:
                client.put_item(**item)

        return run

    yield prepare
