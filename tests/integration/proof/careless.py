"""A store that has to be found out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crosswind.ports import Change, Check, Item
from integration.proof.witness import Witness


class Careless:
    """A store that puts whatever it is asked to, whatever stands there."""

    def __init__(self, witness: Witness, prefix: str = "") -> None:
        self.witness = witness
        self.prefix = prefix

    def read(self, partition: str, key: str) -> Item | None:
        return self.witness.read(partition, key)

    def scan(
        self, partition: str, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[Item]:
        return self.witness.scan(partition, prefix, after, limit)

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        if partition.startswith(self.prefix):
            changes = [
                change._replace(expect=item.version if item is not None else "")
                for change in changes
                for item in [self.witness.read(partition, change.key)]
                if not isinstance(change, Check)
            ]
        return self.witness.write(partition, changes, token)
