"""The broker: all topics and subscriptions, and what passes between them.

The state is one and its lock is one; every public method takes it. What a request means on the
wire is not known here.
"""

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence

from crosswind_local.clock import Clock
from crosswind_local.errors import ServiceError
from crosswind_local.memory import Memory
from crosswind_local.pubsub import dead_letters, limits, masks, names, resources
from crosswind_local.pubsub.messages import OVERHEAD, Draft, Message, accept, check
from crosswind_local.pubsub.protocol import Pb
from crosswind_local.pubsub.subscriptions import Subscription
from crosswind_local.pubsub.topics import Topic


class Broker:
    """Topics and subscriptions by full resource name."""

    def __init__(self, clock: Clock, memory: Memory) -> None:
        self.clock = clock
        self.memory = memory
        self.lock = threading.RLock()
        self.closed = False
        self.on_configured: Callable[[Subscription], None] | None = None
        """What is called once a subscription was created or its settings changed."""
        self._topics: dict[str, Topic] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._numbers = itertools.count(1)

    # Topics

    def create_topic(self, resource: Pb) -> Pb:
        """Add a topic; returns it completed with defaults.

        Raises:
            ServiceError: invalid, not supported, there already, or one too many.
        """
        resources.complete_topic(resource)
        with self.lock:
            if resource.name in self._topics:
                raise names.exists(resource.name)
            self._require_room("topics", resource.name, self._topics)
            self._topics[resource.name] = Topic(resource, self.memory)
        return resource

    def topic(self, name: str) -> Topic:
        """The topic of that name.

        Raises:
            ServiceError: the name is invalid or there is none (INVALID_ARGUMENT, NOT_FOUND).
        """
        names.check("topics", name)
        topic = self._topics.get(name)
        if topic is None:
            raise names.missing(name)
        return topic

    def topics_by_name(self) -> Mapping[str, Topic]:
        """Every topic there is."""
        return self._topics

    def update_topic(self, changes: Pb, mask: Pb) -> Pb:
        """Change what the mask names; returns the whole topic.

        Raises:
            ServiceError: there is none, or a change is invalid or not supported.
        """
        with self.lock:
            topic = self.topic(changes.name)
            updated = masks.update(
                topic.resource, changes, mask, mutable=resources.MUTABLE_OF_TOPIC
            )
            resources.complete_topic(updated)
            topic.resource = updated
            topic.trim(resources.retention_of(updated), self.clock.now())
        return updated

    def topics(self, project: str) -> dict[str, Topic]:
        """The topics of `projects/{project}`, by name."""
        names.check_project(project)
        with self.lock:
            return {n: t for n, t in self._topics.items() if names.project_of(n) == project}

    def delete_topic(self, name: str) -> None:
        """Remove a topic; its subscriptions stay, with what they hold.

        Raises:
            ServiceError: there is none.
        """
        with self.lock:
            topic = self.topic(name)
            del self._topics[name]
            topic.trim(None, self.clock.now())
            for subscription in topic.subscriptions.values():
                subscription.resource.topic = names.DELETED_TOPIC

    def publish(self, name: str, drafts: Sequence[Draft]) -> list[Message]:
        """Publish to a topic.

        Raises:
            ServiceError: there is no such topic, a message is invalid, or memory is full.
        """
        size = check(drafts) + len(drafts) * OVERHEAD
        with self.lock:
            topic = self.topic(name)
            retention = resources.retention_of(topic.resource)
            self.memory.require(size * topic.copies(retention))
            return self._publish(topic, drafts, retention)

    # Subscriptions

    def create_subscription(self, resource: Pb) -> Subscription:
        """Add a subscription to a topic.

        Raises:
            ServiceError: invalid, not supported, there already, one too many, or one of its
                topics does not exist.
        """
        resources.complete_subscription(resource)
        policy = resources.policy_of(resource)
        resource.detached = False
        name = str(resource.name)
        with self.lock:
            if name in self._subscriptions:
                raise names.exists(name)
            topic = self.topic(resource.topic)
            if policy.dead_letter_topic is not None:
                self.topic(policy.dead_letter_topic)
            self._require_room("subscriptions", name, self._subscriptions)
            subscription = Subscription(
                resource,
                policy,
                clock=self.clock,
                lock=self.lock,
                memory=self.memory,
                dead_letter=lambda message, attempts: self._dead_letter(name, message, attempts),
            )
            self._subscriptions[name] = topic.subscriptions[name] = subscription
            if self.on_configured is not None:
                self.on_configured(subscription)
        return subscription

    def subscription(self, name: str) -> Subscription:
        """The subscription of that name.

        Raises:
            ServiceError: the name is invalid or there is none (INVALID_ARGUMENT, NOT_FOUND).
        """
        names.check("subscriptions", name)
        subscription = self._subscriptions.get(name)
        if subscription is None:
            raise names.missing(name)
        return subscription

    def update_subscription(self, changes: Pb, mask: Pb) -> Subscription:
        """Change what the mask names.

        Raises:
            ServiceError: there is none, or a change is invalid or not supported.
        """
        with self.lock:
            subscription = self.subscription(changes.name)
            updated = masks.update(
                subscription.resource, changes, mask, mutable=resources.MUTABLE_OF_SUBSCRIPTION
            )
            self._reconfigure(subscription, updated)
        return subscription

    def modify_push_config(self, name: str, push_config: Pb) -> None:
        """Push to another endpoint, or, with none, let messages be pulled.

        Raises:
            ServiceError: there is no such subscription, or the configuration is invalid.
        """
        with self.lock:
            subscription = self.subscription(name)
            updated = type(subscription.resource)()
            updated.CopyFrom(subscription.resource)
            updated.push_config.CopyFrom(push_config)
            self._reconfigure(subscription, updated)

    def subscriptions(self, project: str) -> dict[str, Subscription]:
        """The subscriptions of `projects/{project}`, by name."""
        names.check_project(project)
        with self.lock:
            return {n: s for n, s in self._subscriptions.items() if names.project_of(n) == project}

    def delete_subscription(self, name: str) -> None:
        """Remove a subscription with all it holds.

        Raises:
            ServiceError: there is none.
        """
        with self.lock:
            subscription = self.subscription(name)
            del self._subscriptions[name]
            self._leave_topic(subscription)
            subscription.deleted = True
            subscription.close()

    def detach(self, name: str) -> None:
        """Cut a subscription off from its topic and drop what it holds.

        Raises:
            ServiceError: there is none.
        """
        with self.lock:
            subscription = self.subscription(name)
            self._leave_topic(subscription)
            subscription.resource.detached = True
            subscription.close()

    def seek(self, name: str, published: int) -> None:
        """Go back or forward to a time, in nanoseconds since 1970.

        Raises:
            ServiceError: there is no such subscription, or it is detached.
        """
        with self.lock:
            subscription = self.subscription(name)
            if subscription.resource.detached:
                raise ServiceError("FAILED_PRECONDITION", "The subscription is detached.")
            topic = self._topics.get(subscription.resource.topic)
            now = self.clock.now()
            if topic is not None:
                topic.trim(resources.retention_of(topic.resource), now)
            subscription.backlog.seek(published, topic.logged() if topic else (), now)
            subscription.stir()

    # All of it

    def forget(self, project: str) -> None:
        """Remove every topic and subscription of `projects/{project}`."""
        with self.lock:
            for name in self.subscriptions(project):
                self.delete_subscription(name)
            for name in self.topics(project):
                self.delete_topic(name)

    def close(self) -> None:
        """Forget everything and wake everyone who waits."""
        with self.lock:
            self.closed = True
            for subscription in self._subscriptions.values():
                subscription.deleted = True
                subscription.close()
            self._subscriptions.clear()
            self._topics.clear()

    def report(self) -> dict[str, object]:
        """What there is at the moment, for inspection."""
        with self.lock:
            return {
                "memory": {"used": self.memory.used, "limit": self.memory.limit},
                "topics": {
                    name: {"subscriptions": sorted(topic.subscriptions)}
                    for name, topic in sorted(self._topics.items())
                },
                "subscriptions": {
                    name: {
                        "topic": subscription.resource.topic,
                        "streams": subscription.streams,
                        "push_endpoint": subscription.push_endpoint,
                        **subscription.backlog.counts(),
                    }
                    for name, subscription in sorted(self._subscriptions.items())
                },
            }

    def _publish(
        self, topic: Topic, drafts: Sequence[Draft], retention: float | None
    ) -> list[Message]:
        now = self.clock.now()
        published = int(now * 1e6) * 1000
        messages = [accept(draft, next(self._numbers), published) for draft in drafts]
        topic.publish(messages, retention, now)
        return messages

    def _dead_letter(self, subscription: str, message: Message, attempts: int) -> bool:
        policy = self._subscriptions[subscription].backlog.policy
        topic = self._topics.get(policy.dead_letter_topic or "")
        if topic is None:
            return False
        # No check of the memory: the message only moves from one place to another.
        draft = dead_letters.draft(message, subscription, attempts)
        self._publish(topic, [draft], resources.retention_of(topic.resource))
        return True

    def _reconfigure(self, subscription: Subscription, updated: Pb) -> None:
        resources.complete_subscription(updated)
        policy = resources.policy_of(updated)
        if policy.dead_letter_topic is not None:
            self.topic(policy.dead_letter_topic)
        subscription.resource = updated
        subscription.backlog.reconfigure(policy, self.clock.now())
        subscription.stir()
        if self.on_configured is not None:
            self.on_configured(subscription)

    def _leave_topic(self, subscription: Subscription) -> None:
        topic = self._topics.get(subscription.resource.topic)
        if topic is not None:
            topic.subscriptions.pop(subscription.name, None)

    def _require_room(
        self, kind: str, name: str, there: dict[str, Topic] | dict[str, Subscription]
    ) -> None:
        project = names.project_of(name)
        count = sum(names.project_of(other) == project for other in there)
        if count >= limits.RESOURCES_PER_PROJECT:
            raise ServiceError(
                "RESOURCE_EXHAUSTED",
                f"Your project has exceeded a limit: (type={kind}-per-project, "
                f"current={count}, maximum={limits.RESOURCES_PER_PROJECT}).",
            )
