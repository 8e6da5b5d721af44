"""One topic: its subscriptions, and the messages that it retains itself.

"Replay and purge messages with seek", https://cloud.google.com/pubsub/docs/replay-overview: a
topic with a retention duration lets any of its subscriptions seek back that far.
"""

from collections import deque
from collections.abc import Iterable

from crosswind_local.memory import Memory
from crosswind_local.pubsub.messages import OVERHEAD, Message
from crosswind_local.pubsub.protocol import Pb
from crosswind_local.pubsub.subscriptions import Subscription


class Topic:
    """A name to publish to."""

    def __init__(self, resource: Pb, memory: Memory) -> None:
        self.resource = resource
        self.subscriptions: dict[str, Subscription] = {}
        self._memory = memory
        self._log: deque[Message] = deque()

    @property
    def name(self) -> str:
        return str(self.resource.name)

    def copies(self, retention: float | None) -> int:
        """How many times a message is counted once it is published."""
        return len(self.subscriptions) + (retention is not None)

    def publish(self, messages: list[Message], retention: float | None, now: float) -> None:
        """Hand messages to every subscription; `retention` is the topic's own, in seconds."""
        if retention is not None:
            self._log.extend(messages)
            self._memory.used += sum(message.size + OVERHEAD for message in messages)
        self.trim(retention, now)
        for subscription in list(self.subscriptions.values()):
            subscription.add(messages)

    def logged(self) -> Iterable[Message]:
        """What the topic retains, oldest first."""
        return tuple(self._log)

    def trim(self, retention: float | None, now: float) -> None:
        """Let go of what is older than the topic retains; everything when it retains nothing."""
        while self._log and (retention is None or self._log[0].published / 1e9 + retention <= now):
            self._memory.used -= self._log.popleft().size + OVERHEAD
