"""Writes to the store whose answer may be lost."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from crosswind.errors import Conflict, Unreachable
from crosswind.ports import Batching, Change, Item, Store

REPEATS = 3
"""How often a write is tried whose answer was lost."""


_counter = itertools.count()
_prefix = os.urandom(12).hex()


def fresh_token() -> str:
    """A token that no other write has: of this process, and of its count."""
    return f"{_prefix}{next(_counter):x}"


def _fork() -> None:
    global _prefix
    _prefix = os.urandom(12).hex()


os.register_at_fork(after_in_child=_fork)


class Ledger:
    """A store, seen by the engine: each write is repeated with its token until it is answered."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self.store = store
        self.clock = clock
        batch = store.batch if isinstance(store, Batching) else None
        self.batch: Callable[[], AbstractContextManager[None]] = batch or nullcontext
        """Around writes that are not urgent; see `Batching`."""

    def read(self, partition: str, key: str) -> Item | None:
        """Read one item; see `Store.read`."""
        return self.store.read(partition, key)

    def scan(self, partition: str, prefix: str = "") -> list[Item]:
        """All items whose key starts with `prefix`."""
        found: list[Item] = []
        after = ""
        while True:
            page = self.store.scan(partition, prefix, after, 100)
            found += page
            if len(page) < 100:
                return found
            after = page[-1].key

    def write(self, partition: str, changes: Sequence[Change]) -> Mapping[str, str]:
        """Make all changes or none, and know which.

        A write whose answer was lost is repeated with the same token. Where the repeat meets what
        the first one wrote, that is success.

        Returns:
            The versions of the items put.

        Raises:
            Conflict: another's write stands there.
            Throttled, TooLarge: nothing was written.
            Unreachable: still not known; the write may have landed, or land late.
        """
        token = fresh_token()
        tries = REPEATS
        while True:
            try:
                return self.store.write(partition, changes, token)
            except Conflict as conflict:
                if not conflict.written_by(token):
                    raise
                return {
                    key: item.version
                    for key, item in conflict.found.items()
                    if item is not None and item.token == token
                }
            except Unreachable:
                tries -= 1
                if not tries:
                    raise
