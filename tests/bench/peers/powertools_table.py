"""AWS Lambda Powertools 3.37: parser and idempotency, the records of which are kept in DynamoDB.

Each event is read as the Lambda runtime reads it and given to the function of `powertools_app`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from itertools import count as counter

from bench.peers.powertools import Context
from bench.samples import bodies
from bench.serve import Prepare, Run


@contextmanager
def make(environ: Mapping[str, str], again: bool = False, says: bool = False) -> Iterator[Prepare]:
    """The function, and its answers as text.

    Args:
        environ: where AWS is, and the table of its records.
        again: whether each event was answered before.
        says: whether each answer is also published to EventBridge.
    """
    os.environ.update(environ)
    handler = import_module("bench.peers.powertools_app").handler
    events = import_module("boto3").client("events") if says else None
    context = Context()
    numbers = counter(1)

    def prepare(count: int) -> Run:
        texts = bodies((os.getpid() << 24) + next(numbers) * 10_000, count)

        def run() -> None:
            for body in texts:
                answer = handler(json.loads(body), context)
                detail = json.dumps(answer)
                if events is not None:
                    entry = {
                        "EventBusName": os.environ["CROSSWIND_BUS"],
                        "Source": "bench",
                        "DetailType": answer["type"],
                        "Detail": detail,
                    }
                    if events.put_events(Entries=[entry])["FailedEntryCount"]:
                        raise RuntimeError("an event was not taken")

        if again:
            run()
        return run

    yield prepare
