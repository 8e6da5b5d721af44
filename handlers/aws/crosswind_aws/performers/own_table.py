"""The table of the function that this runs in, opened with the first look into it.

Whoever packages an app makes its performers as well, to see that they are some, on a machine where
nothing is deployed. The function itself says what it is not told when its handler is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crosswind.ports import Change, Item, Store


class OwnTable:
    """A store in the deployed table; see `Store` for its promises.

    Args:
        environ: says what is deployed around the function.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    @cached_property
    def _store(self) -> Store:
        from crosswind_aws.deployment import Deployment
        from crosswind_aws.store import DynamoStore

        return DynamoStore(Deployment.from_env(self._environ).table)

    def read(self, partition: str, key: str) -> Item | None:
        """See `Store.read`."""
        return self._store.read(partition, key)

    def scan(
        self, partition: str, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[Item]:
        """See `Store.scan`."""
        return self._store.scan(partition, prefix, after, limit)

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        """See `Store.write`."""
        return self._store.write(partition, changes, token)
