"""Chains of six hops over EventBridge and SQS, from queue to queue, as pollers drive functions.

Two queues take turns. What arrives at one is handed to its function, and removed when that has
answered, as Lambda's own poller does. The last hop lands in a queue of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Literal, Self
from uuid import uuid4

from bench.aws.estate import variables
from bench.contestants import TESTS, ContestantFailed
from bench.samples import SOURCE
from bench.serve import Took
from crosswind_aws.deployment import Deployment
from crosswind_aws.filters import TARGET_INPUT
from crosswind_aws.store import table
from crosswind_local.accounts import ACCOUNT, REGION
from crosswind_local.lambda_host import LambdaHost

HOPS: Final = 6
PATIENCE: Final = 60.0
"""Seconds after which a chain has come to nothing."""

_PAUSE: Final = 0.001

Kind = Literal["ours", "bare", "line"]
_GROUPS: Final = ("ping", "pong")
_MODULES: Final[Mapping[Kind, str]] = {
    "ours": "bench.ours.hop_app",
    "bare": "bench.ours.hop_bare",
    "line": "bench.ours.hop_bare",
}


class Hopping:
    """A contestant whose work is chains; what is timed is one hop of them.

    Args:
        kind: our functions; functions that put the next event and do nothing else; or no
            functions at all, where the poller puts it.
        environ: where AWS is.
    """

    def __init__(self, kind: Kind, environ: Mapping[str, str]) -> None:
        self._kind = kind
        self._given = environ
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        name = f"hops-{self._kind}"
        self._deployments = {
            group: Deployment(
                group, name, name, f"arn:aws:sqs:{REGION}:{ACCOUNT}:crosswind-{name}-"
            )
            for group in _GROUPS
        }
        self._stack.enter_context(variables({**self._given, "CROSSWIND_BUS": name}))
        import boto3

        self._events: Any = boto3.client("events")
        self._sqs: Any = boto3.client("sqs")
        boto3.client("dynamodb").create_table(**table(name))
        self._events.create_event_bus(Name=name)
        self._urls = {group: self._lay(name, group) for group in (*_GROUPS, "landed")}
        self._functions = {group: self._function(group) for group in _GROUPS}
        self._pool = self._stack.enter_context(ThreadPoolExecutor(2))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def work(self, count: int) -> Took:
        """See `Contestant.work`; processor time is that of the pollers, of all kinds together."""
        wall, processor = 0.0, time.process_time()
        for _ in range(count):
            began = time.perf_counter()
            self._put()
            working = self._follow(self._pool)
            wall += time.perf_counter() - began
            for one in working:
                one.result(PATIENCE)
        return Took(wall / HOPS, (time.process_time() - processor) / HOPS)

    def _put(self) -> None:
        event = {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": SOURCE,
            "type": "com.example.ping.v1",
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "datacontenttype": "application/json",
            "data": {"left": HOPS},
        }
        entry = {
            "EventBusName": f"hops-{self._kind}",
            "Source": "bench",
            "DetailType": event["type"],
            "Detail": json.dumps(event),
        }
        self._events.put_events(Entries=[entry])

    def _follow(self, pool: Executor) -> list[Future[None]]:
        """Take each hop off its queue as soon as it is there, and hand it to its function.

        The next queue is looked at while that works, for its event is out before it has answered.
        """
        working: list[Future[None]] = []
        for hop in range(HOPS):
            group = _GROUPS[hop % 2]
            working.append(pool.submit(self._hand, group, self._receive(group)))
        self._remove("landed", self._receive("landed"))
        return working

    def _hand(self, group: str, messages: list[Any]) -> None:
        self._functions[group](messages)
        self._remove(group, messages)

    def _receive(self, group: str) -> list[Any]:
        """What waits in a queue, as soon as something does."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self._sqs.receive_message(
                QueueUrl=self._urls[group],
                MaxNumberOfMessages=10,
                MessageSystemAttributeNames=["All"],
            )
            found: list[Any] = answer.get("Messages", [])
            if found:
                return found
            # The emulator looks at its queues only now and then where it is asked to wait.
            time.sleep(_PAUSE)
        raise ContestantFailed(f"a chain ({self._kind}) did not come to {group}")

    def _remove(self, group: str, messages: list[Any]) -> None:
        entries = [
            {"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(messages)
        ]
        self._sqs.delete_message_batch(QueueUrl=self._urls[group], Entries=entries)

    def _function(self, group: str) -> Callable[[list[Any]], None]:
        """What takes the messages of a queue."""
        if self._kind == "line":
            from bench.ours.hop_bare import say

            return lambda messages: say(one["Body"] for one in messages)
        deployment = self._deployments[group]
        environ = {**self._given, **deployment.to_env(), "PYTHONPATH": str(TESTS)}
        host = self._stack.enter_context(
            LambdaHost(f"{_MODULES[self._kind]}.handler", TESTS, env=environ, name=group)
        )

        def invoke(messages: list[Any]) -> None:
            answer = host.invoke({"Records": [_record(one, deployment) for one in messages]})
            if answer.payload != {"batchItemFailures": []}:
                raise ContestantFailed(f"{answer}\n{host.log()[-4000:]}")

        return invoke

    def _lay(self, bus: str, group: str) -> str:
        """A queue, and the rule that fills it."""
        arn = self._deployments["ping"].queue(group)
        url: str = self._sqs.create_queue(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        pattern = json.dumps({"detail-type": [f"com.example.{group}.v1"]})
        self._events.put_rule(EventBusName=bus, Name=group, EventPattern=pattern)
        target = {"Id": group, "Arn": arn, "InputPath": TARGET_INPUT}
        self._events.put_targets(EventBusName=bus, Rule=group, Targets=[target])
        return url


def _record(message: Any, deployment: Deployment) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": deployment.queue(deployment.group),
        "awsRegion": REGION,
    }
