"""Our function on Lambda, as it is deployed, with state in DynamoDB."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count as counter
from typing import Any

from bench.aws.records import bodies, record
from bench.serve import Prepare, Run

_REQUEST = "8f507cfc-5a13-4f8e-8a3c-0b3ae2a6c3a9"


class Context:
    """What Lambda tells a function about its invocation."""

    aws_request_id = _REQUEST

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Thirty seconds."""
        return 30_000


@contextmanager
def make(
    environ: Mapping[str, str], batch: int = 1, again: bool = False, says: bool = True
) -> Iterator[Prepare]:
    """Its handler, called with batches of records.

    Args:
        environ: where AWS is, and what is deployed.
        batch: records that it is handed at a time.
        again: whether each of them was worked before.
        says: whether its decision is published to EventBridge, and noted as published; otherwise
            it is taken by a bus that but counts, and not noted.
    """
    os.environ.update(environ)
    from bench.ours.decision import Counting
    from bench.ours.reaction import app
    from crosswind_aws.function import lambda_handler

    counting: Any = Counting()
    function = lambda_handler(app(), bus=None if says else counting)
    if not says:
        # What a decision alone costs is measured, and the engine has no wish to be without this.
        function.engine.outbox.note = _forget  # type: ignore[method-assign]
    context: Any = Context()
    numbers = counter(1)

    def prepare(count: int) -> Run:
        texts = bodies((os.getpid() << 24) + next(numbers) * 10_000, count * batch)
        calls = [
            {"Records": [record(body) for body in texts[n : n + batch]]}
            for n in range(0, len(texts), batch)
        ]

        def run() -> None:
            for call in calls:
                if function(call, context) != {"batchItemFailures": []}:
                    raise RuntimeError("a record was not worked")
            if not says and counting.said < count * batch:
                raise RuntimeError(f"{counting.said} events came out")

        if again:
            run()
        return run

    yield prepare


def _forget(partition: str, key: str, value: bytes, version: str) -> None:
    """Leave a decision without the note that it was published."""
