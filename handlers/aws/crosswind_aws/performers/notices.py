"""Notices on AWS: topics of SNS.

Sources: docs.aws.amazon.com/sns/latest/api/API_Publish.html (Subject: ASCII, fewer than 100
characters, no line breaks), .../sns/latest/dg/fifo-message-dedup.html (five minutes).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from crosswind.actions import Action, Call, Pending, Query
from crosswind.errors import Conflict
from crosswind.operations.notification import Notified, Notify
from crosswind.ports import ABSENT, Put
from crosswind_aws.performers.asking import Deadline, Services, digest, never, patiently, region_of
from crosswind_aws.performers.failures import NotFound
from crosswind_aws.performers.resources import Resources

if TYPE_CHECKING:
    from crosswind.ports import Store

KEEP: Final = 90 * 86_400.0
"""Seconds for which it is remembered what was told."""

FIFO: Final = ".fifo"
KEY: Final = "crosswind-key"
"""The attribute of a message by which whoever gets it twice can tell."""

_SUBJECT: Final = 99
_PRINTABLE: Final = range(0x20, 0x7F)


class NoticePerformer:
    """Publishes notices to the topics of SNS that the resources declare for each channel.

    A repeated key: where a store is given, what was told is kept there under the action's key and
    not told again; a topic that ends in `.fifo` itself drops what has the same key within five
    minutes, so that a lost answer leads to nothing either. A standard topic cannot tell, so that
    whoever dies between telling and noting it tells twice; every message carries the key.

    Args:
        resources: what stands for the fleet.
        fleet: its name.
        store: where it is kept what was told.
        clock: seconds since the epoch.
    """

    performs: tuple[type[Action[Any]], ...] = (Notify,)
    answers: tuple[type[Query[Any]], ...] = ()

    def __init__(
        self,
        resources: Resources,
        fleet: str,
        store: Store | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._resources = resources
        self._partition = f"notices:{fleet}"
        self._store = store
        self._clock = clock
        self._ask = Services("sns")

    def perform(self, action: Notify, call: Call) -> Notified | Pending:
        """Publish the notice, once.

        Raises:
            CallFailed: see `failures`.
        """
        topic = self._resources.channels.get(action.channel)
        if topic is None:
            why = f"no topic is declared for channel {action.channel}"
            raise NotFound("notify.send", "NotDeclared", why)
        deadline = Deadline(call.timeout)
        return patiently(lambda: self._publish(action, topic, call.key, deadline))

    def answer(self, query: Query[Any], timeout: float) -> Any:
        """It answers nothing.

        Raises:
            TypeError: always.
        """
        raise never(query.kind, self)

    def _publish(self, action: Notify, topic: str, key: str, deadline: Deadline) -> Notified:
        done = Notified(channel=action.channel)
        store = self._store
        if store is not None and store.read(self._partition, key) is not None:
            return done
        ordered = {"MessageGroupId": "crosswind", "MessageDeduplicationId": digest(key)}
        self._ask[region_of(topic)](
            "publish",
            deadline,
            TopicArn=topic,
            Subject=subject(action.title),
            Message="\n\n".join(filter(None, (action.title, action.text))),
            MessageAttributes={KEY: {"DataType": "String", "StringValue": digest(key)}},
            **(ordered if topic.endswith(FIFO) else {}),
        )
        if store is not None:
            expires = self._clock() + KEEP
            try:
                store.write(self._partition, [Put(key, b"{}", ABSENT, expires)], digest(key))
            except Conflict:
                pass  # another process has told it at the same time
        return done


def subject(title: str) -> str:
    """A title as SNS takes it."""
    plain = "".join(one if ord(one) in _PRINTABLE else " " for one in title).strip()
    return plain[:_SUBJECT] or "crosswind"
