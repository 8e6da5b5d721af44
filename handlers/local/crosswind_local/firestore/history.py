"""Past versions of documents, kept so that they can be read as of a time.

The service keeps them for an hour (`read_time` in the v1 API). So does this, while they fit into a
quarter of the memory; beyond that the oldest go first.
"""

from collections import deque
from typing import TYPE_CHECKING

from crosswind_local.errors import ServiceError
from crosswind_local.firestore import limits
from crosswind_local.firestore.memory import DocumentMemory
from crosswind_local.firestore.records import Record, cost_of
from crosswind_local.firestore.refusals import invalid

if TYPE_CHECKING:
    from crosswind_local.firestore.storage import Storage

_KEPT_MICROS = int(limits.SNAPSHOT_SECONDS * 1_000_000)


class History:
    """All past versions of all databases, in the order in which they were superseded."""

    def __init__(self, memory: DocumentMemory) -> None:
        self._memory = memory
        self._past: deque[tuple[int, Storage, Record, int]] = deque()
        self._bytes = 0
        self._horizon = 0
        """Nothing before this time, in microseconds, is known for certain any more."""

    def note(self, now: int, storage: "Storage", record: Record) -> None:
        """The newest version but one of a record is past from now on."""
        size = cost_of(record.versions[-2].document)
        self._past.append((now, storage, record, size))
        self._bytes += size
        while self._past and (
            self._past[0][0] < now - _KEPT_MICROS or self._bytes > self._memory.limit // 4
        ):
            self._forget_oldest()

    def make_room(self, size: int) -> None:
        """See that `size` more bytes fit, at the cost of the past where need be.

        Raises:
            ServiceError: they do not fit (RESOURCE_EXHAUSTED).
        """
        while self._past and not self._memory.has_room(size):
            self._forget_oldest()
        self._memory.require(size)

    def check(self, time: int, now: int) -> None:
        """See that the past is known at a time, in microseconds.

        Raises:
            ServiceError: it lies in the future (INVALID_ARGUMENT) or is not known any more
                (FAILED_PRECONDITION).
        """
        if time > now:
            raise invalid("read_time cannot be in the future.")
        if time < max(now - _KEPT_MICROS, self._horizon):
            raise ServiceError("FAILED_PRECONDITION", "The requested snapshot version is too old.")

    def leave(self, storage: "Storage") -> None:
        """A database is forgotten: nothing of it is past any more."""
        self._past = deque(entry for entry in self._past if entry[1] is not storage)
        self._bytes = sum(entry[3] for entry in self._past)

    def count(self) -> int:
        """How many past versions there are."""
        return len(self._past)

    def _forget_oldest(self) -> None:
        superseded, storage, record, size = self._past.popleft()
        self._bytes -= size
        self._horizon = superseded
        storage.drop_oldest(record)
