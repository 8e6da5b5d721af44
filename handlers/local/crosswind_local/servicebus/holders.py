"""What holds and delivers messages: a queue, a subscription, or the dead letters of either.

Each is told when something happened to it and then `stir`s: it delivers what can be delivered and
sets its timer for what becomes due next. Forwarding: "Chaining Service Bus entities with
autoforwarding", https://learn.microsoft.com/azure/service-bus-messaging/service-bus-auto-forwarding
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from crosswind_local.clock import Alarm
from crosswind_local.memory import Memory
from crosswind_local.servicebus import limits
from crosswind_local.servicebus.backlog import Backlog, DeadLetter
from crosswind_local.servicebus.conditions import Refused
from crosswind_local.servicebus.messages import Message
from crosswind_local.servicebus.receivers import Receivers
from crosswind_local.servicebus.settings import SubscriptionSettings
from crosswind_local.servicebus.timer import Timer, earliest

DEAD_LETTERS = "/$DeadLetterQueue"
"""What follows the path of an entity in that of its dead-letter queue."""


class Surroundings(Protocol):
    """What an entity needs of the namespace it is in."""

    @property
    def memory(self) -> Memory:
        """The bound on what is held by all entities together."""
        ...

    def now(self) -> float:
        """Seconds since 1970."""
        ...

    def alarm(self, when: float, action: Callable[[], None]) -> Alarm:
        """Have an action called when it is time."""
        ...

    def forward(self, message: Message, to: str) -> None:
        """Hand a message on to another queue or topic.

        Raises:
            Refused: it is not there, or is full.
        """
        ...


class Reason(NamedTuple):
    """Why a message was dead-lettered."""

    reason: str
    description: str


class Holder:
    """A backlog, its receivers, and its dead letters."""

    def __init__(
        self,
        path: str,
        settings: SubscriptionSettings,
        surroundings: Surroundings,
        *,
        forwards_to: str | None,
        dead_letters: "Holder | None",
    ) -> None:
        """Without `dead_letters` this is a dead-letter queue itself."""
        self.path = path
        self.settings = settings
        self.dead_letters = dead_letters
        self.forwards_to = forwards_to
        self.surroundings = surroundings
        self.backlog = Backlog(
            settings, surroundings.memory, None if dead_letters is None else self._bury
        )
        self.receivers = Receivers(self.backlog)
        self._timer = Timer(surroundings.alarm, self.stir)

    @property
    def size(self) -> int:
        """Bytes of messages held, dead letters included."""
        dead = 0 if self.dead_letters is None else self.dead_letters.backlog.size
        return self.backlog.size + dead

    def put(self, message: Message) -> None:
        """Take in a message, or forward it; one that cannot be forwarded is dead-lettered."""
        now = self.surroundings.now()
        if self.forwards_to is None:
            self.backlog.add(message, now)
        elif (reason := self._forward(message, self.forwards_to)) is not None:
            self.backlog.refuse(message, now, *reason)
        self.stir()

    def bury(self, dead: DeadLetter, message: Message, source: str) -> None:
        """Take in a dead letter of another holder, or forward it."""
        if self.forwards_to is not None:
            forwarded = message.copy()
            forwarded.dead_letter_source = source
            if self._forward(forwarded, self.forwards_to) is None:
                return
        self.backlog.bury(dead.entry, message)
        self.stir()

    def stir(self) -> None:
        """Something has changed: deliver what can be delivered, and look to what is due."""
        now = self.surroundings.now()
        self.backlog.run(now)
        self.receivers.pump(now)
        self._timer.set(earliest(self.backlog.next_due(), self.receivers.next_due()))

    def close(self, because: Refused) -> None:
        """End all receivers and forget all messages."""
        self._timer.cancel()
        self.receivers.close(because)
        self.backlog.clear()
        if self.dead_letters is not None:
            self.dead_letters.close(because)

    def report(self) -> dict[str, object]:
        """What it holds, for inspection."""
        report: dict[str, object] = {
            **self.backlog.counts(),
            "receivers": len(self.receivers),
            "bytes": self.backlog.size,
        }
        if self.dead_letters is not None:
            report["dead_letters"] = self.dead_letters.report()
        return report

    def _forward(self, message: Message, to: str) -> Reason | None:
        """Hand a message on; returns why that was not possible."""
        if message.hops >= limits.HOPS:
            return Reason(
                "MaxTransferHopCountExceeded",
                "The maximum number of allowed hops when forwarding between queues has been "
                f"exceeded. This value is set to {limits.HOPS}.",
            )
        further = message.copy()
        further.hops += 1
        try:
            self.surroundings.forward(further, to)
        except Refused as refusal:
            return Reason(refusal.condition, refusal.message)
        return None

    def _bury(self, dead: DeadLetter) -> None:
        changes: dict[str, object] = {}
        if dead.reason is not None:
            changes["DeadLetterReason"] = dead.reason
        if dead.description is not None:
            changes["DeadLetterErrorDescription"] = dead.description
        if self.dead_letters is not None:
            message = dead.entry.message.with_application(changes)
            self.dead_letters.bury(dead, message, self.path)


def dead_letters_of(
    path: str, settings: SubscriptionSettings, surroundings: Surroundings
) -> Holder:
    """The dead-letter queue of a queue or subscription. It knows no sessions and no expiry."""
    return Holder(
        path + DEAD_LETTERS,
        SubscriptionSettings(lock_duration=settings.lock_duration),
        surroundings,
        forwards_to=settings.forward_dead_letters_to,
        dead_letters=None,
    )
