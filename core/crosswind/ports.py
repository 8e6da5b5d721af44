"""The seam between the engine and a cloud: what a store and a bus must do.

An adapter implements these two protocols, and performers (`crosswind.actions`), and nothing else
of the engine. `tests/contract/` says in executable form what each of them promises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final, NamedTuple, Protocol, runtime_checkable

ABSENT: Final = ""
"""The version demanded of an item that must not exist."""

MAX_ITEM_BYTES: Final = 350_000
"""Neutral limit of one item: DynamoDB allows 400 KB with keys, Table Storage and Firestore more."""

MAX_CHANGES: Final = 90
"""Neutral limit of changes in one write: DynamoDB and Table Storage allow 100, Firestore 500."""

MAX_WRITE_BYTES: Final = 3_000_000
"""Neutral limit of one write: DynamoDB and Table Storage allow 4 MB."""

FAILURE_RESERVE_BYTES: Final = 32_000
"""Kept free in an item, so that the record of a failure always fits."""


class Item(NamedTuple):
    """One stored item.

    `version` is opaque and never recurs for a key, also after deletion.
    `token` is the token of the write that put it.
    """

    key: str
    value: bytes
    version: str
    token: str


class Put(NamedTuple):
    """Put a value where `expect` is the current version, or `ABSENT`.

    `expires` (seconds since the epoch) allows the store to remove the item some time after; it is
    housekeeping and never decides correctness.
    """

    key: str
    value: bytes
    expect: str = ABSENT
    expires: float | None = None


class Delete(NamedTuple):
    """Remove the item that has exactly this version."""

    key: str
    expect: str


class Check(NamedTuple):
    """Demand a version (or `ABSENT`) and change nothing."""

    key: str
    expect: str = ABSENT


Change = Put | Delete | Check


class Store(Protocol):
    """State in partitions.

    Partition and key are ASCII without ``/ \\ # ? %``, at most 256 bytes, and not empty.
    """

    def read(self, partition: str, key: str) -> Item | None:
        """Read one item, strongly consistent.

        Raises:
            Throttled, Unreachable: try again.
        """
        ...

    def scan(
        self, partition: str, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[Item]:
        """Items whose key starts with `prefix` and is greater than `after`, in byte order of keys.

        Strongly consistent for each item; no snapshot over several. A result shorter than `limit`
        is the last one.
        """
        ...

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        """Make all changes or none; at least one is a put.

        Args:
            token: stored with every item put, so that a lost answer can be told from a conflict.

        Returns:
            The new version of every item put, by key.

        Raises:
            Conflict: a demand did not hold; carries what was found.
            Throttled: nothing was written; try again.
            Unreachable: the answer was lost; repeat with the same token.
            TooLarge: beyond the neutral limits.
        """
        ...


@runtime_checkable
class Batching(Protocol):
    """What a store may offer beside `Store`: several writes for the price of one.

    No cloud's store needs it; a file that waits for its disk does. Who writes much that is not
    urgent asks for it, and does without where it is missing.
    """

    def batch(self) -> AbstractContextManager[None]:
        """Let the writes that this thread makes within last together, from the end of it on.

        Each is still atomic, and still answered by its own conflict, which leaves the others be.
        An error that leaves the batch undoes all of them.

        Raises:
            Throttled, Unreachable: as `Store.write` does, on entering, within, or at the end.
        """
        ...


class Message(NamedTuple):
    """One event on its way to the bus.

    `body` is the structured JSON of the event; `attributes` are what a bus filters on and routes
    by. `id` is the native message id: the event id plus redrive or retry number, so that native
    duplicate detection helps and never hides a redrive. `due` is seconds since the epoch, None or
    a past time for now.
    """

    id: str
    body: bytes
    attributes: Mapping[str, str | int | bool]
    due: float | None = None


class Bus(Protocol):
    """Carries events to the groups of handlers that want them."""

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish; returns when the bus has durably taken all of them.

        Raises:
            NotAccepted: names exactly those messages that were not taken.
        """
        ...


class Delivery(NamedTuple):
    """One message as it arrives at a group's function.

    `receipts` counts deliveries of this message, this one included, where the bus says so.
    """

    id: str
    body: bytes
    receipts: int = 1
