"""A store in which something else happens first: what a race looks like from one side of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from crosswind.ports import Change, Delete, Item, Put
from crosswind.records.identity import HEAD, RUN, chain_partition

from .stage import CountingStore


@dataclass
class _Meddling:
    method: str
    about: str
    act: Callable[[], object]
    times: int


class MeddledStore(CountingStore):
    """Lets others act just before, or just after, chosen calls of the engine under test."""

    def __init__(self) -> None:
        super().__init__()
        self._plans: list[_Meddling] = []

    def meddle(
        self,
        method: Literal["read", "scan", "write", "written"],
        about: str,
        act: Callable[[], object],
        times: int = 1,
    ) -> None:
        """Do something before the next calls whose partition and keys contain `about`.

        Args:
            method: `written` is the moment after a write has landed and before it is answered.
            times: before how many of them.
        """
        self._plans.append(_Meddling(method, about, act, times))

    def touch(self, partition: str, key: str) -> None:
        """Give an item a new version, as a write of another's does, and leave its value."""
        item = super().read(partition, key)
        assert item is not None, f"there is no {key} to touch"
        super().write(partition, [Put(key, item.value, item.version)], "another's")

    def remove(self, partition: str, key: str) -> None:
        """Remove an item, as housekeeping does with what has expired."""
        item = super().read(partition, key)
        assert item is not None, f"there is no {key} to remove"
        left = super().read(partition, "removed")
        note = Put("removed", b"{}", "" if left is None else left.version)
        super().write(partition, [Delete(key, item.version), note], "housekeeping")

    def touch_head(self, chain: str) -> None:
        self.touch(chain_partition(chain), HEAD)

    def touch_run(self, chain: str, run: str) -> None:
        self.touch(chain_partition(chain), RUN + run)

    def read(self, partition: str, key: str) -> Item | None:
        self._meet("read", f"{partition} {key}")
        return super().read(partition, key)

    def scan(
        self, partition: str, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[Item]:
        self._meet("scan", f"{partition} {prefix}")
        return super().scan(partition, prefix, after, limit)

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        about = " ".join((partition, *(change.key for change in changes)))
        self._meet("write", about)
        versions = super().write(partition, changes, token)
        self._meet("written", about)
        return versions

    def _meet(self, method: str, about: str) -> None:
        for plan in self._plans:
            if plan.method == method and plan.about in about and plan.times > 0:
                plan.times -= 1
                plan.act()
                return
