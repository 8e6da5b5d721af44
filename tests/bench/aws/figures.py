"""The figures of AWS: what a record costs, how soon a process answers, how fast a chain hops."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

from bench.aws import functions
from bench.aws.estate import estate
from bench.aws.functions import Cold
from bench.aws.hops import Hopping
from bench.aws.records import record
from bench.contestants import Contestant, Serving
from bench.environments import peer_python
from bench.figure import Figure, figure
from bench.peers.custodian import EVENT
from bench.rounds import measure
from bench.samples import compact, name, sample

BATCH = 10
"""Records that a function is handed at a time, as the stack deploys it."""


def records(rounds: int) -> Iterator[Figure]:
    """What one record costs, on one emulator of DynamoDB."""
    powertools = peer_python("powertools")
    with estate() as laid, ExitStack() as stack:

        def serving(module: str, python: str = sys.executable, **options: Any) -> Contestant:
            return stack.enter_context(
                Serving(module, python, environ=dict(laid.environ), **options)
            )

        contestants = {
            "one": serving("bench.ours.aws_function", says=False),
            "ten": serving("bench.ours.aws_function", says=False, batch=BATCH),
            "again": serving("bench.ours.aws_function", again=True),
            "said": serving("bench.ours.aws_function"),
            "powertools": serving("bench.peers.powertools_table", powertools),
            "powertools again": serving("bench.peers.powertools_table", powertools, again=True),
            "powertools said": serving("bench.peers.powertools_table", powertools, says=True),
            "bare": serving("bench.ours.aws_bare"),
        }
        measured = measure(contestants, rounds=rounds, work={"ten": BATCH})
    about = (
        "function called in its process, decision written to the emulator of DynamoDB; ours with "
        "its log line and its metrics, Powertools with neither"
    )
    for ours, peer, what in (
        ("ten", "powertools", f"first delivery, in batches of {BATCH}"),
        ("one", "powertools", "first delivery, one at a time"),
        ("again", "powertools again", "duplicate"),
    ):
        yield figure(
            f"record on AWS, {what}",
            measured,
            ours,
            peer,
            limit=0.55,
            unit="ms",
            note=f"{what} of one record; against parser and idempotency of Powertools; {about}",
        )
    yield figure(
        "record on AWS, published and noted",
        measured,
        "said",
        "powertools said",
        limit=None,
        unit="ms",
        note="to be read: three requests each, for both publish their event to EventBridge; ours "
        f"also notes that it did; {about}",
    )
    for ours, what in (("ten", f"in batches of {BATCH}"), ("one", "one at a time")):
        yield figure(
            f"record on AWS, by a bare write, {what}",
            measured,
            ours,
            "bare",
            limit=1.1,
            unit="ms",
            note=f"records {what}, as a stack deploys it in batches; against one conditional "
            f"PutItem of boto3 with the same bytes; {about}",
        )


def cold(starts: int) -> Iterator[Figure]:
    """From a process that is started to its first answer, under AWS's own runtime client."""
    numbers = count((os.getpid() << 24) + int(time.time()))

    def ours_event() -> Any:
        return {"Records": [record(compact(sample(name(next(numbers)))).decode())]}

    def said(answer: Any) -> bool:
        return str(answer.get("type")) == "com.example.room.wanted.v1"

    with tempfile.TemporaryDirectory(prefix="crosswind-bench-") as folder, estate() as laid:
        contestants: dict[str, Contestant] = {}
        for compiled, mark in ((True, ""), (False, ", uncompiled")):
            root = Path(folder, f"compiled-{compiled}")
            root.mkdir()
            custodian, runtime = functions.custodian(root / "c7n", compiled)
            contestants |= {
                f"ours{mark}": Cold(
                    "crosswind_handler.handler",
                    functions.ours(root / "ours", compiled),
                    ours_event,
                    {"batchItemFailures": []}.__eq__,
                    laid.environ,
                ),
                f"powertools{mark}": Cold(
                    "app.handler",
                    functions.powertools(root / "powertools", compiled),
                    lambda: sample(name(next(numbers))),
                    said,
                    laid.environ,
                ),
                f"c7n{mark}": Cold(
                    "custodian_policy.run",
                    custodian,
                    lambda: EVENT,
                    lambda answer: True,
                    laid.environ,
                    custodian,
                    runtime,
                ),
            }
        contestants["bare"] = Cold(
            "bare.run", functions.bare(Path(folder, "bare")), lambda: EVENT, bool, laid.environ
        )
        measured = measure(contestants, rounds=starts, most=1)
    about = (
        "awslambdaric from its start to the first answer; ours from its artifact: log and metrics, "
        "a first event decided, written to DynamoDB with the head of its chain, published to "
        "EventBridge, noted and listed; Powertools: parser and idempotency, two writes; Custodian: "
        "finds no resource and asks AWS nothing"
    )
    for mark in ("", ", uncompiled"):
        best = min(
            (f"powertools{mark}", f"c7n{mark}"),
            key=lambda peer: measured.median(peer, "processor"),
        )
        for peer in (f"powertools{mark}", f"c7n{mark}"):
            yield figure(
                f"cold start on AWS{mark}, by {peer.partition(',')[0]}",
                measured,
                f"ours{mark}",
                peer,
                limit=0.6 if peer == best else None,
                unit="ms",
                note=about,
            )
    yield figure(
        "cold start on AWS, by bare Python",
        measured,
        "ours",
        "bare",
        limit=None,
        unit="ms",
        note="compiled; against a function that imports nothing",
    )


def hops(rounds: int) -> Iterator[Figure]:
    """What a hop of a chain takes, over EventBridge and SQS to a function."""
    with estate() as laid, ExitStack() as stack:
        contestants = {
            kind: stack.enter_context(Hopping(kind, laid.environ))
            for kind in ("ours", "bare", "line")
        }
        measured = measure(contestants, rounds=max(5, rounds // 2), slice_seconds=0.2, most=4)
    yield figure(
        "hop on AWS",
        measured,
        "ours",
        "bare",
        limit=1.5,
        unit="ms",
        clock="wall",
        note="six hops through two functions under awslambdaric that hand each other the event "
        "over EventBridge and SQS, one hop's time; ours journals each in DynamoDB before it is "
        "said; against functions that only put the next event with boto3",
    )
    yield figure(
        "hop on AWS, by no function",
        measured,
        "ours",
        "line",
        limit=None,
        unit="ms",
        clock="wall",
        note="to be read: against putting and receiving alone, without a function",
    )
