"""What a subscription is told to do, apart from the wire: the settings that its backlog obeys."""

from dataclasses import dataclass

from crosswind_local.pubsub.filters import Filter


@dataclass(frozen=True, slots=True)
class Retry:
    """How long a message waits after a failed delivery. Seconds.

    "Handle message failures", https://cloud.google.com/pubsub/docs/handling-failures: the wait is
    exponential between the two bounds.
    """

    least: float
    most: float

    def delay(self, failures: int) -> float:
        """The wait after the given number of failed deliveries, of which there is at least one."""
        # The exponent is bounded because 2.0 ** 1024 overflows, long after `most` is reached.
        return min(self.most, max(self.least, 0.1) * 2.0 ** min(failures - 1, 60))


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of one subscription. Times are seconds."""

    ack_deadline: float = 10
    ordered: bool = False
    exactly_once: bool = False
    condition: Filter | None = None
    retry: Retry | None = None
    dead_letter_topic: str | None = None
    max_attempts: int = 5
    retention: float = 7 * 86_400
    retain_acked: bool = False
