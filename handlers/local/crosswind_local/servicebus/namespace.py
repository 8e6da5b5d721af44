"""The namespace: all queues, topics and subscriptions by their addresses.

It is used by one thread at a time; what a request means on the wire is not known here.
"""

import re
from collections.abc import Callable, Iterable

from crosswind_local.clock import Alarm, Clock
from crosswind_local.memory import Memory
from crosswind_local.servicebus import limits
from crosswind_local.servicebus.conditions import argument, entity_exists, entity_not_found, quota
from crosswind_local.servicebus.holders import DEAD_LETTERS, Holder
from crosswind_local.servicebus.messages import Message
from crosswind_local.servicebus.queues import Queue
from crosswind_local.servicebus.rules.rule import Rule
from crosswind_local.servicebus.settings import (
    QueueSettings,
    SubscriptionSettings,
    TopicSettings,
)
from crosswind_local.servicebus.topics import SUBSCRIPTIONS, Subscription, Topic

Node = Holder | Topic
"""What an address leads to. A bare `Holder` is a dead-letter queue."""

_NAME = re.compile(r"[A-Za-z0-9]|[A-Za-z0-9][\w\-./~]*[A-Za-z0-9]", re.ASCII)
_SCHEME = re.compile(r"[A-Za-z]+://[^/]*/")


class Namespace:
    """Entities by name. Names are compared without regard to case."""

    def __init__(
        self,
        clock: Clock,
        memory: Memory,
        enter: Callable[[Callable[[], None]], None] = lambda action: action(),
    ) -> None:
        """`enter` has an action carried out by the thread that uses the namespace, and waits."""
        self.memory = memory
        self._clock = clock
        self._enter = enter
        self._queues: dict[str, Queue] = {}
        self._topics: dict[str, Topic] = {}

    def now(self) -> float:
        return self._clock.now()

    def alarm(self, when: float, action: Callable[[], None]) -> Alarm:
        return self._clock.call_at(when, lambda: self._enter(action))

    # Entities

    def add_queue(self, name: str, settings: QueueSettings | None = None) -> Queue:
        """Add a queue.

        Raises:
            Refused: the name is not valid or taken, there are too many entities, or it forwards
                to what is not there.
        """
        self._check_name(name)
        settings = settings or QueueSettings()
        self._check_forwarding(settings)
        queue = Queue(name, settings, self)
        self._queues[name.lower()] = queue
        return queue

    def add_topic(self, name: str, settings: TopicSettings | None = None) -> Topic:
        """Add a topic.

        Raises:
            Refused: the name is not valid or taken, or there are too many entities.
        """
        self._check_name(name)
        topic = Topic(name, settings or TopicSettings(), self)
        self._topics[name.lower()] = topic
        return topic

    def add_subscription(
        self,
        topic: str,
        name: str,
        settings: SubscriptionSettings | None = None,
        rules: Iterable[Rule] = (),
    ) -> Subscription:
        """Add a subscription to a topic; without rules it takes every message.

        Raises:
            Refused: there is no such topic, the name is not valid or taken, there are too many, or
                it forwards to what is not there.
        """
        found = self._topics.get(topic.lower())
        if found is None:
            raise entity_not_found(topic)
        settings = settings or SubscriptionSettings()
        self._check_forwarding(settings)
        return found.add(name, settings, rules)

    def remove(self, name: str) -> None:
        """Remove a queue, or a topic with its subscriptions, and all they hold.

        Raises:
            Refused: there is none of that name.
        """
        entity: Queue | Topic | None = self._queues.pop(name.lower(), None)
        if entity is None:
            entity = self._topics.pop(name.lower(), None)
        if entity is None:
            raise entity_not_found(name)
        entity.close(entity_not_found(name))

    def find(self, address: str) -> Node:
        """The entity at an address, which may be a path or a URL.

        Raises:
            Refused: there is none.
        """
        path = _SCHEME.sub("", address, count=1).strip("/")
        wanted = path.lower()
        dead = wanted.endswith(DEAD_LETTERS.lower())
        if dead:
            wanted = wanted[: -len(DEAD_LETTERS)]
        node = self._entity(wanted)
        if dead:
            node = node.dead_letters if isinstance(node, Holder) else None
        if node is None:
            raise entity_not_found(path)
        return node

    def forward(self, message: Message, to: str) -> None:
        node = self._entity(to.lower())
        if not isinstance(node, (Queue, Topic)):
            raise entity_not_found(to)
        # Only a send is scheduled; what is forwarded has had its time.
        message.scheduled = None
        node.send([message])

    def close(self) -> None:
        """Remove everything."""
        for name in [*self._queues, *self._topics]:
            self.remove(name)

    def report(self) -> dict[str, object]:
        """What there is at the moment, for inspection."""
        return {
            "memory": {"used": self.memory.used, "limit": self.memory.limit},
            "queues": {each.path: each.report() for each in self._queues.values()},
            "topics": {each.path: each.report() for each in self._topics.values()},
        }

    def _entity(self, path: str) -> Node | None:
        queue = self._queues.get(path)
        if queue is not None:
            return queue
        topic, separator, subscription = path.partition(SUBSCRIPTIONS.lower())
        found = self._topics.get(topic)
        if found is None or not separator:
            return found
        return found.subscriptions.get(subscription)

    def _check_forwarding(self, settings: SubscriptionSettings) -> None:
        for to in (settings.forward_to, settings.forward_dead_letters_to):
            if to is not None and not isinstance(self._entity(to.lower()), (Queue, Topic)):
                raise entity_not_found(to)

    def _check_name(self, name: str) -> None:
        if not _NAME.fullmatch(name) or len(name) > limits.ENTITY_PATH or "//" in name:
            raise argument(
                f"{name!r} is no name of a queue or topic: it has at most {limits.ENTITY_PATH} of "
                "A-Z, a-z, 0-9, '.', '-', '_', '~' and '/', and begins and ends with a letter or "
                "digit."
            )
        if name.lower() in self._queues or name.lower() in self._topics:
            raise entity_exists(name)
        if len(self._queues) + len(self._topics) >= limits.ENTITIES:
            raise quota(f"The namespace has {limits.ENTITIES} queues and topics already.")
