"""When a failed task is tried again, and when no more.

The field descriptions of google.cloud.tasks.v2 RetryConfig,
https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2#retryconfig. The service
may spread its retries a little; here they are exact.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how long a task is tried. Times are seconds."""

    max_attempts: int = 100
    """The first one included; -1 for any number."""
    max_duration: float = 0
    """Measured from the first attempt; 0 for any time."""
    min_backoff: float = 0.1
    max_backoff: float = 3600
    max_doublings: int = 16

    def delay(self, failures: int) -> float:
        """The wait after the given number of failures, of which there is at least one.

        It doubles `max_doublings` times, then grows by the step that was reached, and ends at
        `max_backoff`.
        """
        nth = failures - 1
        # Bounded because 2.0 ** 1024 overflows, long after any `max_backoff` is reached.
        doublings = min(self.max_doublings, 60)
        if nth <= doublings:
            wait = self.min_backoff * 2.0**nth
        else:
            wait = self.min_backoff * 2.0**doublings * (nth - doublings + 1)
        return min(wait, self.max_backoff)

    def exhausted(self, attempts: int, since_first: float) -> bool:
        """Whether a task that has failed is not tried again.

        Args:
            attempts: how many there were.
            since_first: seconds since the first of them.

        Both limits must be reached where both are set; one that is not set does not count, and
        without any a task is tried until it is too old to be kept.
        """
        limits: list[bool] = []
        if self.max_attempts > 0:
            limits.append(attempts >= self.max_attempts)
        if self.max_duration > 0:
            limits.append(since_first >= self.max_duration)
        return bool(limits) and all(limits)
