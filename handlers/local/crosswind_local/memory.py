"""The bound on what a local service keeps in memory."""

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
