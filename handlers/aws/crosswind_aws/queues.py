"""Messages to the queues of groups, now or after a delay of at most 15 minutes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from crosswind.buses.batches import Limits, Refused, send
from crosswind_aws import clients

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        BatchResultErrorEntryTypeDef,
        ChangeMessageVisibilityBatchRequestEntryTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

REQUEST: Final = Limits(entries=10, bytes=1_000_000)
"""One request of PutEvents, SendMessageBatch or ChangeMessageVisibilityBatch: EventBridge takes
less than 1 MB and SQS 1 MiB, all entries together.

Sources: docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html and
docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html.
"""

LONGEST_HIDING: Final = 43_200
"""Seconds for which a received message can be hidden: docs.aws.amazon.com/
AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html."""

_ENTRY_OVERHEAD: Final = 100
# Text that JSON allows and SQS does not: docs.aws.amazon.com/AWSSimpleQueueService/latest/
# APIReference/API_SendMessage.html.
_ESCAPED: Final = str.maketrans({"\ufffe": "\\ufffe", "\uffff": "\\uffff"})


class Posting(NamedTuple):
    """A body for a queue, named by its ARN; `delay` in seconds, at most `LONGEST_DELAY`."""

    queue: str
    body: bytes
    delay: int


class Hiding(NamedTuple):
    """A received message that is to come again after so many seconds."""

    receipt: str
    seconds: int


class Queues:
    """The queues of the groups.

    Args:
        client: of SQS.
    """

    def __init__(self, client: SQSClient | None = None) -> None:
        self._given = client

    @property
    def client(self) -> SQSClient:
        """The client, made when it is needed: most functions send nothing to a queue."""
        if self._given is None:
            self._given = clients.sqs()
        return self._given

    def url(self, queue: str) -> str:
        """The URL of a queue, by its ARN."""
        *_, account, name = queue.split(":")
        return f"{self.client.meta.endpoint_url}/{account}/{name}"

    def post(self, postings: Sequence[Posting]) -> list[Refused]:
        """Send to each queue what is for it; says what was not accepted."""
        refused: list[Refused] = []
        for queue in dict.fromkeys(posting.queue for posting in postings):
            positions = [i for i, posting in enumerate(postings) if posting.queue == queue]
            entries = [_entry(postings[i]) for i in positions]
            sizes = [len(postings[i].body) + _ENTRY_OVERHEAD for i in positions]
            failed = send(entries, sizes, REQUEST, partial(self._send, self.url(queue)))
            refused += [one._replace(position=positions[one.position]) for one in failed]
        return sorted(refused)

    def hide(self, queue: str, hidings: Sequence[Hiding]) -> list[Refused]:
        """Let received messages come again when they are wanted; says for which it failed."""
        entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
            {
                "Id": "",
                "ReceiptHandle": hiding.receipt,
                "VisibilityTimeout": min(max(hiding.seconds, 0), LONGEST_HIDING),
            }
            for hiding in hidings
        ]
        change = partial(self._change, self.url(queue))
        return send(entries, [0] * len(entries), REQUEST, change)

    def _send(self, url: str, part: list[SendMessageBatchRequestEntryTypeDef]) -> list[Refused]:
        for n, entry in enumerate(part):
            entry["Id"] = str(n)
        try:
            answer = self.client.send_message_batch(QueueUrl=url, Entries=part)
        except (ClientError, BotoCoreError) as error:
            return _all(part, error)
        return _failed(answer.get("Failed", ()))

    def _change(
        self, url: str, part: list[ChangeMessageVisibilityBatchRequestEntryTypeDef]
    ) -> list[Refused]:
        for n, entry in enumerate(part):
            entry["Id"] = str(n)
        try:
            answer = self.client.change_message_visibility_batch(QueueUrl=url, Entries=part)
        except (ClientError, BotoCoreError) as error:
            return _all(part, error)
        return _failed(answer.get("Failed", ()))


def _entry(posting: Posting) -> SendMessageBatchRequestEntryTypeDef:
    return {
        "Id": "",
        "MessageBody": posting.body.decode().translate(_ESCAPED),
        "DelaySeconds": posting.delay,
    }


def _all(part: Sequence[object], error: Exception) -> list[Refused]:
    """The whole request failed; the SDK has tried it often enough."""
    return [Refused(n, str(error), True) for n in range(len(part))]


def _failed(failed: Sequence[BatchResultErrorEntryTypeDef]) -> list[Refused]:
    return [
        Refused(int(one["Id"]), f"{one['Code']}: {one.get('Message', '')}", one["SenderFault"])
        for one in failed
    ]
