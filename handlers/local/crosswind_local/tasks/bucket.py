"""The token bucket that limits how fast a queue dispatches.

The field descriptions of google.cloud.tasks.v2 RateLimits: each dispatch takes a token, and tokens
come back steadily up to the bucket's size. "System throttling" in the description of HttpRequest:
a worker that answers 429 or 503 slows the whole queue down. The service does not tell by how much;
here each such answer halves the rate, down to a thirty-second, and each success doubles it again.
"""

import math

SLOWEST = 1 / 32
"""The smallest part of its rate to which a queue is slowed down."""

_ALMOST = 1 - 1e-3
"""What counts as a whole token: a time of today is exact to a quarter of a microsecond only."""


class Bucket:
    """Tokens, one for each dispatch. Times are seconds."""

    __slots__ = ("_since", "_tokens", "pace", "rate", "size")

    def __init__(self, rate: float, size: int, now: float) -> None:
        """Begin full: `rate` tokens come a second, and `size` are kept at most."""
        self.rate = rate
        self.size = size
        self.pace = 1.0
        """The part of its rate at which it is filled, less than 1 while it is slowed down."""
        self._tokens = float(size)
        self._since = now

    def ready_at(self, now: float) -> float:
        """When there is a token, `now` or later, if none is taken until then."""
        self._fill(now)
        if self._tokens >= _ALMOST:
            return now
        speed = self.rate * self.pace
        # A rate may be so small that a part of it is nothing.
        return now + (1 - self._tokens) / speed if speed else math.inf

    def take(self, now: float) -> None:
        """Take one token, of which there is one."""
        self._fill(now)
        self._tokens -= 1

    def resize(self, rate: float, size: int, now: float) -> None:
        """Go on with other limits."""
        self._fill(now)
        self.rate, self.size = rate, size
        self._tokens = min(self._tokens, float(size))

    def slow_down(self, now: float) -> None:
        """The worker is overloaded."""
        self._fill(now)
        self.pace = max(SLOWEST, self.pace / 2)

    def speed_up(self, now: float) -> None:
        """The worker keeps up."""
        self._fill(now)
        self.pace = min(1.0, self.pace * 2)

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self._since)
        self._since = max(self._since, now)
        self._tokens = min(float(self.size), self._tokens + passed * self.rate * self.pace)
