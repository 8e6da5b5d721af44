"""The store in memory, for tests of handlers and for trying things out."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from typing import Final

from crosswind.errors import Conflict
from crosswind.limits import check_partitions, check_read, check_scan, check_write, span
from crosswind.ports import ABSENT, Change, Delete, Item, Put


@dataclass(slots=True)
class _Partition:
    items: dict[str, Item] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    expiries: dict[str, float] = field(default_factory=dict)

    def put(self, item: Item, expires: float | None) -> None:
        if item.key not in self.items:
            insort(self.keys, item.key)
        self.items[item.key] = item
        if expires is None:
            self.expiries.pop(item.key, None)
        else:
            self.expiries[item.key] = expires

    def remove(self, key: str) -> None:
        del self.items[key]
        del self.keys[bisect_left(self.keys, key)]
        self.expiries.pop(key, None)


_EMPTY: Final = _Partition()


class MemoryStore:
    """State in the memory of one process, shared by its threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._partitions: dict[str, _Partition] = {}
        self._versions = count(1)

    def read(self, partition: str, key: str) -> Item | None:
        """See `Store.read`."""
        check_read(partition, key)
        with self._lock:
            return self._found(partition, key)

    def scan(
        self, partition: str, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[Item]:
        """See `Store.scan`; here it is a snapshot too."""
        check_scan(partition, prefix, after, limit)
        with self._lock:
            held = self._partitions.get(partition, _EMPTY)
            return [held.items[key] for key in _page(held.keys, prefix, after, limit)]

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        """See `Store.write`."""
        check_write(partition, changes, token)
        with self._lock:
            found: dict[str, Item | None] = {}
            for change in changes:
                item = self._found(partition, change.key)
                if (item.version if item else ABSENT) != change.expect:
                    found[change.key] = item
            if found:
                raise Conflict(found)
            version = str(next(self._versions))
            held = self._partitions.setdefault(partition, _Partition())
            for change in changes:
                if isinstance(change, Put):
                    item = Item(change.key, bytes(change.value), version, token)
                    held.put(item, change.expires)
                elif isinstance(change, Delete):
                    held.remove(change.key)
        return {change.key: version for change in changes if isinstance(change, Put)}

    def partitions(self, prefix: str = "", after: str = "", limit: int = 100) -> Sequence[str]:
        """Names of the partitions that hold items, as `scan` pages through keys.

        For people who look around on one machine: no cloud's store can do this.

        Raises:
            InvalidRequest: lists every fault.
        """
        check_partitions(prefix, after, limit)
        with self._lock:
            names = sorted(name for name, held in self._partitions.items() if held.keys)
            return _page(names, prefix, after, limit)

    def purge(self, now: float) -> int:
        """Remove the items that have expired by `now`, seconds since the epoch; says how many."""
        removed = 0
        with self._lock:
            for held in self._partitions.values():
                expired = [key for key, expires in held.expiries.items() if expires <= now]
                for key in expired:
                    held.remove(key)
                removed += len(expired)
        return removed

    def _found(self, partition: str, key: str) -> Item | None:
        return self._partitions.get(partition, _EMPTY).items.get(key)


def _page(names: list[str], prefix: str, after: str, limit: int) -> list[str]:
    low, high = span(prefix, after)
    start = bisect_left(names, low)
    end = bisect_left(names, high)
    return names[start : min(end, start + limit)]
