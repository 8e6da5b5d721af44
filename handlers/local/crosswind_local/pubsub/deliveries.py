"""The nouns of delivery: an entry of a backlog, a consumer, and the lease that joins the two."""

from dataclasses import dataclass, field

from crosswind_local.pubsub.messages import OVERHEAD, Message


class Entry:
    """A message's place in one subscription."""

    __slots__ = ("acked", "due", "failures", "gone", "held", "lease", "message")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.failures = 0
        self.lease: Lease | None = None
        self.held = False
        """Whether it waits out its back-off, until `due`."""
        self.due = 0.0
        self.acked = False
        """Whether it was acknowledged and is retained so that a seek can bring it back."""
        self.gone = False

    @property
    def number(self) -> int:
        return self.message.number

    @property
    def cost(self) -> int:
        """Bytes of memory, roughly."""
        return self.message.size + OVERHEAD


@dataclass(eq=False, slots=True)
class Consumer:
    """One stream, one pull or one push request, and how much it may hold unacknowledged.

    Zero or less means no limit, as in the flow control fields of StreamingPullRequest.
    """

    max_messages: int = 0
    max_bytes: int = 0
    messages: int = field(default=0, init=False)
    bytes: int = field(default=0, init=False)

    def has_room(self, size: int) -> bool:
        """Whether it may be given one more message; its first one always fits."""
        if self.max_messages > 0 and self.messages >= self.max_messages:
            return False
        return self.max_bytes <= 0 or self.messages == 0 or self.bytes + size <= self.max_bytes


class Lease:
    """One delivery of an entry to a consumer, open until it is settled or its time is up."""

    __slots__ = ("ack_id", "attempt", "consumer", "deadline", "entry", "open")

    def __init__(
        self, ack_id: str, entry: Entry, consumer: Consumer, deadline: float, attempt: int
    ) -> None:
        self.ack_id = ack_id
        self.entry = entry
        self.consumer = consumer
        self.deadline = deadline
        self.attempt = attempt
        """1 + the number of failed deliveries before this one."""
        self.open = True
        consumer.messages += 1
        consumer.bytes += entry.message.size
        entry.lease = self

    def close(self) -> None:
        """End it, and give the consumer its room back."""
        self.open = False
        self.consumer.messages -= 1
        self.consumer.bytes -= self.entry.message.size
        self.entry.lease = None
