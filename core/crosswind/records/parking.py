"""Where a message goes that cannot be placed in any chain: parked, with the reason, never lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from crosswind.errors import Conflict
from crosswind.ports import ABSENT, Delivery, Put
from crosswind.records.identity import dead_partition, safe
from crosswind.records.ledger import Ledger
from crosswind_events import Event

HEAD_BYTES = 4_096
"""How much of an unreadable message is kept."""


class Parked(NamedTuple):
    """One parked message; `body` is its beginning, the whole of it where `whole` is true."""

    partition: str
    key: str
    group: str
    message: str
    reason: str
    body: str
    whole: bool
    type: str | None
    at: float


class Parking:
    """Parks messages and lists what was parked."""

    def __init__(
        self, ledger: Ledger, clock: Callable[[], float], expires: Callable[[float], float]
    ) -> None:
        self.ledger = ledger
        self.clock = clock
        self.expires = expires

    def park(self, group: str, delivery: Delivery, reason: str, event: Event[Any] | None) -> None:
        """Keep a message that cannot be worked, once under its group and native message id."""
        now = self.clock()
        body = delivery.body if isinstance(delivery.body, bytes) else str(delivery.body).encode()
        value = to_json(
            {
                "group": group,
                "message": delivery.id[:512],
                "reason": reason[:2_000],
                "body": body[:HEAD_BYTES].decode("utf-8", "replace"),
                "whole": len(body) <= HEAD_BYTES,
                "type": None if event is None else event.type,
                "at": now,
            }
        )
        partition = dead_partition(now, delivery.id)
        key = f"{safe(group)}:{safe(delivery.id)}"
        try:
            self.ledger.write(partition, [Put(key, value, ABSENT, self.expires(now))])
        except Conflict:
            pass  # it is parked already

    def list(self, days: int = 7) -> Iterator[Parked]:
        """What was parked in the last days, newest day first."""
        today = int(self.clock() // 86_400)
        for day in range(today, today - days, -1):
            for shard in "0123456789abcdef":
                partition = f"dead:{day}:{shard}"
                for item in self.ledger.scan(partition):
                    stored: dict[str, Any] = from_json(item.value)
                    yield Parked(partition, item.key, **stored)
