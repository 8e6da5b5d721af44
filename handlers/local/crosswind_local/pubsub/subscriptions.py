"""One subscription at work: its backlog, its timer, and those who wait for its messages."""

import threading
from collections.abc import Callable

from crosswind_local.clock import Alarm, Clock
from crosswind_local.errors import ServiceError
from crosswind_local.memory import Memory
from crosswind_local.pubsub import names
from crosswind_local.pubsub.backlog import Backlog, DeadLetter
from crosswind_local.pubsub.messages import Message
from crosswind_local.pubsub.policies import Policy
from crosswind_local.pubsub.protocol import Pb


class Subscription:
    """A named backlog. The broker's lock guards it, and `changed` is a condition on that lock."""

    def __init__(
        self,
        resource: Pb,
        policy: Policy,
        *,
        clock: Clock,
        lock: threading.RLock,
        memory: Memory,
        dead_letter: DeadLetter,
    ) -> None:
        self.resource = resource
        self.backlog = Backlog(policy, memory, dead_letter)
        self.changed = threading.Condition(lock)
        self.on_change: Callable[[], None] | None = None
        """What is called when messages may have become ready, beside those who wait."""
        self.streams = 0
        self.deleted = False
        self._clock = clock
        self._alarm: Alarm | None = None

    @property
    def name(self) -> str:
        return str(self.resource.name)

    @property
    def push_endpoint(self) -> str:
        """Where messages are pushed to, or ""."""
        return str(self.resource.push_config.push_endpoint)

    def add(self, messages: list[Message]) -> None:
        """Take in what was published."""
        if not self.resource.detached:
            self.backlog.add(*messages)
            self.stir()

    def stir(self) -> None:
        """The backlog has changed: set the timer anew, and wake those who wait for messages."""
        due = self.backlog.next_due()
        # An alarm that is early is left alone; it finds nothing to do and sets the next one.
        if due is not None and (self._alarm is None or due < self._alarm.when):
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self._clock.call_at(due, self._ring)
        self.changed.notify_all()
        if self.on_change is not None:
            self.on_change()

    def require_pull(self) -> None:
        """See that messages may be pulled.

        Raises:
            ServiceError: the subscription is gone (NOT_FOUND), detached, or pushes its messages
                (FAILED_PRECONDITION).
        """
        if self.deleted:
            raise names.missing(self.name)
        if self.resource.detached:
            raise ServiceError(
                "FAILED_PRECONDITION",
                f"Subscription is detached (resource={names.short(self.name)}).",
            )
        if self.push_endpoint:
            raise ServiceError(
                "FAILED_PRECONDITION", "This method is not supported for this subscription type."
            )

    def close(self) -> None:
        """Forget all messages and wake everyone, who then learn why."""
        self.backlog.clear()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self.changed.notify_all()

    def _ring(self) -> None:
        with self.changed:
            self._alarm = None
            if not self.deleted:
                self.backlog.run(self._clock.now())
                self.stir()
