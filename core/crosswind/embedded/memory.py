"""The store in memory, for tests of handlers and for trying things out."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import count
from math import inf
from threading import Lock
from typing import Final

from crosswind.errors import Conflict
from crosswind.limits import check_partitions, check_read, check_scan, check_write, span
from crosswind.ports import ABSENT, Change, Delete, Item, Put

# Value, version, token and when it expires. A plain tuple of what refers to nothing else: Python's
# garbage collector looks at it once, and never again at the many that are kept.
_Held = tuple[bytes, str, str, float | None]

_VERSION: Final = 1
_EMPTY: Final[dict[str, _Held]] = {}


class MemoryStore:
    """State in the memory of one process, shared by its threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._partitions: dict[str, dict[str, _Held]] = {}
        # Before that moment nothing of a partition expires, so that a purge need not look into it.
        self._expires: dict[str, float] = {}
        self._versions = count(1)

    def read(self, partition: str, key: str) -> Item | None:
        """See `Store.read`."""
        check_read(partition, key)
        with self._lock:
            held = self._partitions.get(partition, _EMPTY).get(key)
        return None if held is None else _item(key, held)

    def scan(
        self, partition: str, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[Item]:
        """See `Store.scan`; here it is a snapshot too."""
        check_scan(partition, prefix, after, limit)
        with self._lock:
            held = self._partitions.get(partition, _EMPTY)
            return [_item(key, held[key]) for key in _page(sorted(held), prefix, after, limit)]

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        """See `Store.write`."""
        check_write(partition, changes, token)
        with self._lock:
            stored = self._partitions.get(partition, _EMPTY)
            found: dict[str, Item | None] = {}
            for change in changes:
                held = stored.get(change.key)
                if (ABSENT if held is None else held[_VERSION]) != change.expect:
                    found[change.key] = None if held is None else _item(change.key, held)
            if found:
                raise Conflict(found)
            if not stored:
                stored = self._partitions[partition] = {}
            version = str(next(self._versions))
            versions: dict[str, str] = {}
            for change in changes:
                if isinstance(change, Put):
                    key, value, _, expires = change
                    stored[key] = bytes(value), version, token, expires
                    versions[key] = version
                    if expires is not None and expires < self._expires.get(partition, inf):
                        self._expires[partition] = expires
                elif isinstance(change, Delete):
                    del stored[change.key]
        return versions

    def partitions(self, prefix: str = "", after: str = "", limit: int = 100) -> Sequence[str]:
        """Names of the partitions that hold items, as `scan` pages through keys.

        For people who look around on one machine: no cloud's store can do this.

        Raises:
            InvalidRequest: lists every fault.
        """
        check_partitions(prefix, after, limit)
        with self._lock:
            names = sorted(name for name, stored in self._partitions.items() if stored)
            return _page(names, prefix, after, limit)

    def purge(self, now: float) -> int:
        """Remove the items that have expired by `now`, seconds since the epoch; says how many."""
        removed = 0
        with self._lock:
            for name in [name for name, first in self._expires.items() if first <= now]:
                stored = self._partitions[name]
                first, expired = inf, []
                for key, (_, _, _, expires) in stored.items():
                    if expires is None:
                        continue
                    if expires <= now:
                        expired.append(key)
                    elif expires < first:
                        first = expires
                for key in expired:
                    del stored[key]
                removed += len(expired)
                if not stored:
                    del self._partitions[name]
                if first == inf:
                    del self._expires[name]
                else:
                    self._expires[name] = first
        return removed


def _item(key: str, held: _Held) -> Item:
    value, version, token, _ = held
    return Item(key, value, version, token)


def _page(names: list[str], prefix: str, after: str, limit: int) -> list[str]:
    low, high = span(prefix, after)
    start = bisect_left(names, low)
    end = bisect_left(names, high)
    return names[start : min(end, start + limit)]
