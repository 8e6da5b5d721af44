"""Dead letters as they lie in the queues of a stack, before its functions take them up.

A queue of dead letters feeds the function of its group, which records each as a failed run or parks
it within seconds. What lies there longer is what a person has to see: the function cannot start, or
its trigger is off. To look is to receive: each letter is hidden for a moment and shown again at
once when all were seen. A queue of dead letters has no limit of deliveries, so that none is lost by
being looked at: docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/
sqs-dead-letter-queues.html. A short poll may miss what is there, so that each is a long one:
.../sqs-short-and-long-polling.html.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from botocore.exceptions import ClientError

from crosswind.stacks.desk import Letter, NoSuchLetter
from crosswind.stacks.driver import Busy
from crosswind_aws.faults import code_of
from crosswind_aws.queues import Hiding, Posting, Queues
from crosswind_aws.stack.aws import Aws, explained

HIDDEN: Final = 60
"""Seconds for which a letter is hidden while it is looked at, should that be interrupted."""

MOST: Final = 500
"""Letters of one queue that are looked at: beyond that their cause is what has to be mended."""

_BATCH: Final = 10
_TOGETHER: Final = 8
_POLL: Final = 1
_GONE: Final = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}


class _Held(NamedTuple):
    letter: Letter
    receipt: str


class DeadQueues:
    """The queues of dead letters of a stack; see `Letters`.

    Args:
        aws: the account and region.
        queues: ARNs by group, of its queue and of its queue of dead letters.
    """

    def __init__(self, aws: Aws, queues: dict[str, tuple[str, str]]) -> None:
        self._aws = aws
        self._arns = queues
        self._queues = Queues(aws.sqs)

    def look(self) -> list[Letter]:
        """See `Letters.look`."""
        # Each queue is waited for, and most are empty: side by side it is one wait for all.
        with ThreadPoolExecutor(_TOGETHER) as pool:
            return [one for several in pool.map(self._look, self._arns) for one in several]

    def resend(self, letter: Letter) -> None:
        """See `Letters.resend`."""

        def send(whole: Letter) -> None:
            queue, _ = self._arns[whole.group]
            refused = self._queues.post([Posting(queue, whole.body.encode(), 0)])
            if refused:
                raise Busy(
                    f"dead letter {whole.id[:12]} was not accepted by the queue of group "
                    f"{whole.group}, and stays where it is: {refused[0].reason}"
                )

        self.take(letter, send)

    def take(self, letter: Letter, keep: Callable[[Letter], None]) -> None:
        """See `Letters.take`."""
        with self._received(letter.group, letter.id) as held:
            found = next((one for one in held if one.letter.id == letter.id), None)
            if found is None:
                raise NoSuchLetter(
                    f"dead letter {letter.id[:12]} is no longer in the queue; its function may "
                    "have taken it: crosswind dlq list"
                )
            keep(found.letter)
            _, dead = self._arns[letter.group]
            with explained(f"take a dead letter of group {letter.group} away"):
                self._aws.sqs.delete_message(
                    QueueUrl=self._queues.url(dead), ReceiptHandle=found.receipt
                )
            held.remove(found)

    def _look(self, group: str) -> list[Letter]:
        with self._received(group) as held:
            return [one.letter for one in held]

    @contextmanager
    def _received(self, group: str, wanted: str | None = None) -> Iterator[list[_Held]]:
        """What lies in the queue of a group; what is left in the list is shown again at once.

        Args:
            wanted: the only letter that is needed; nothing more is received once it is there.
        """
        held: list[_Held] = []
        try:
            while len(held) < MOST and not any(one.letter.id == wanted for one in held):
                more = list(self._receive(group))
                if not more:
                    break
                held += more
            yield held
        finally:
            _, dead = self._arns[group]
            # What cannot be shown again at once shows itself when its hiding ends.
            self._queues.hide(dead, [Hiding(one.receipt, 0) for one in held])

    def _receive(self, group: str) -> Iterable[_Held]:
        _, dead = self._arns[group]
        with explained(f"look at the dead letters of group {group}"):
            try:
                answer = self._aws.sqs.receive_message(
                    QueueUrl=self._queues.url(dead),
                    MaxNumberOfMessages=_BATCH,
                    VisibilityTimeout=HIDDEN,
                    WaitTimeSeconds=_POLL,
                    MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
                )
            except ClientError as error:
                if code_of(error) in _GONE:
                    return
                raise
        for message in answer.get("Messages", ()):
            yield _Held(_letter(group, dead, message), message["ReceiptHandle"])


def _letter(group: str, queue: str, message: dict[str, Any]) -> Letter:
    name = str(message["MessageId"])
    attributes = message.get("Attributes", {})
    return Letter(
        id=hashlib.sha256(f"{queue}\n{name}".encode()).hexdigest()[:32],
        group=group,
        message=name,
        body=str(message["Body"]),
        sent=int(attributes.get("SentTimestamp", 0)) / 1000,
        receipts=int(attributes.get("ApproximateReceiveCount", 1)),
    )
