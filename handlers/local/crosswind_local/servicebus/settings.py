"""What queues, topics and subscriptions are told to do.

"Queues, topics, and subscriptions" and the property descriptions of
https://learn.microsoft.com/azure/templates/microsoft.servicebus/namespaces/queues; the defaults
are those of the service. Times are in seconds.
"""

import math
from dataclasses import dataclass, fields

from crosswind_local.servicebus import limits
from crosswind_local.servicebus.conditions import argument

_RANGES = {
    "lock_duration": limits.LOCK_SECONDS,
    "max_delivery_count": limits.DELIVERIES,
    "default_time_to_live": limits.TIME_TO_LIVE_SECONDS,
    "duplicate_window": limits.DUPLICATE_WINDOW_SECONDS,
    "max_bytes": limits.ENTITY_BYTES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    def __post_init__(self) -> None:
        faults = []
        for each in fields(self):
            value, span = getattr(self, each.name), _RANGES.get(each.name)
            if span is not None and value is not None and not span[0] <= value <= span[1]:
                faults.append(f"{each.name} must be from {span[0]:g} to {span[1]:g}, not {value:g}")
        if getattr(self, "requires_session", False) and getattr(self, "forward_to", None):
            faults.append("forward_to is not possible for an entity that requires sessions")
        if faults:
            raise argument("; ".join(faults) + ".")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionSettings(_Checked):
    """How a subscription holds and delivers messages.

    Raises:
        Refused: a value is out of its range; the message lists every fault.
    """

    lock_duration: float = 60
    max_delivery_count: int = 10
    requires_session: bool = False
    default_time_to_live: float = math.inf
    dead_letter_on_expiration: bool = False
    forward_to: str | None = None
    forward_dead_letters_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings(SubscriptionSettings):
    """How a queue takes in, holds and delivers messages.

    `duplicate_window` is how long message ids are remembered; None means that duplicates are not
    looked for. `max_bytes` bounds what the queue holds, its dead letters included.

    Raises:
        Refused: a value is out of its range; the message lists every fault.
    """

    duplicate_window: float | None = None
    max_bytes: int = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSettings(_Checked):
    """How a topic takes in messages; `max_bytes` bounds what its subscriptions hold together.

    Raises:
        Refused: a value is out of its range; the message lists every fault.
    """

    default_time_to_live: float = math.inf
    duplicate_window: float | None = None
    max_bytes: int = 1024**3
