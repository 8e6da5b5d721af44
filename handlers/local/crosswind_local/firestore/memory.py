"""The bound on what is kept in memory: documents, their past, and what transactions have locked."""

from crosswind_local.errors import ServiceError
from crosswind_local.memory import Memory


class DocumentMemory(Memory):
    """Bytes kept, and how many may be kept at most."""

    __slots__ = ()

    def has_room(self, size: int) -> bool:
        """Whether `size` more bytes would fit."""
        return self.used + size <= self.limit

    def require(self, size: int) -> None:
        """See that `size` more bytes would fit.

        Raises:
            ServiceError: they would not (RESOURCE_EXHAUSTED, as for a quota of the service).
        """
        if not self.has_room(size):
            raise ServiceError(
                "RESOURCE_EXHAUSTED",
                f"Quota exceeded: {self.used} of {self.limit} bytes are held and {size} more were "
                "asked for. Delete documents, end transactions, or start the local service with "
                "a larger memory limit.",
            )
