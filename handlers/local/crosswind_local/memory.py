"""The bound on what a local service keeps in memory, and what it costs to keep it."""

import gc

from crosswind_local.errors import ServiceError

DEFAULT_LIMIT = 512 * 1024 * 1024
"""How many bytes of messages a service keeps unless it is told otherwise."""


class Memory:
    """Bytes kept, and how many may be kept at most."""

    __slots__ = ("limit", "used")

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.limit = limit
        self.used = 0

    def require(self, size: int) -> None:
        """See that `size` more bytes would fit.

        Raises:
            ServiceError: they would not (RESOURCE_EXHAUSTED, as for a quota of the service).
        """
        if self.used + size > self.limit:
            raise ServiceError(
                "RESOURCE_EXHAUSTED",
                f"Quota exceeded: {self.used} of {self.limit} bytes are held and {size} more were "
                "asked for. Acknowledge or purge messages, or start the local service with a "
                "larger memory limit.",
            )


def collect_rarely() -> None:
    """Have Python's collector of cycles look seldom, in a process that is a local service's own.

    What waits in a service is no garbage, and there is much of it: with a backlog of 200,000
    messages the collector, as it is set by default, takes a third of the processor time. Services
    make hardly any cycles. A program that a service is only a part of is not ours to tune.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
