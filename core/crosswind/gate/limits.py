"""Limits: how much may be changed in a time, counted across all chains of a fleet.

Before an action is performed one write puts its use and moves the counter of the window. A
repeated action finds its use and is not counted again; an unclear outcome stays counted.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from pydantic_core import from_json, to_json

from crosswind.errors import Conflict, Returned
from crosswind.gate.brakes import fleet_partition
from crosswind.ports import ABSENT, Change, Item, Put
from crosswind.records.identity import safe
from crosswind.records.ledger import Ledger

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet, Limit

_TRIES = 8


class Excess(NamedTuple):
    """A limit that an action would pass."""

    limit: str
    used: float
    asked: float
    most: float
    per: float

    def __str__(self) -> str:
        return (
            f"{self.limit}: {self.used:g} of {self.most:g} in {self.per:g} s are used, "
            f"{self.asked:g} more asked"
        )


class Limits:
    """The counters of one fleet.

    Args:
        ledger: where they are kept.
        clock: seconds since the epoch.
        pause: waits so many seconds where others write them too.
        draw: draws between two numbers how long.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Callable[[], float],
        pause: Callable[[float], None] = time.sleep,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.ledger = ledger
        self.clock = clock
        self.pause = pause
        self.draw = draw

    def count(
        self,
        fleet: Fleet,
        workload: str | None,
        effects: Mapping[str, float],
        key: str,
        *,
        force: bool = False,
    ) -> Excess | None:
        """Count an action's effects, unless a limit would be passed.

        Args:
            key: of the action; it is counted once a window.
            force: count it whatever the limits say (a person has approved it).

        Returns:
            The limit that it would pass; nothing was counted then.

        Raises:
            Returned: the counters are contended.
        """
        bounds = [
            (limit, effects[limit.limit])
            for limit in fleet.limits
            if limit.limit in effects and limit.workload in (None, workload)
        ]
        if not bounds:
            return None
        partition = fleet_partition(fleet.name)
        for attempt in range(_TRIES):
            changes: list[Change] = []
            for limit, amount in bounds:
                # A repeated action finds its use also where the window has passed meanwhile.
                name = f"{limit.limit}:{safe(limit.workload or '')}:{limit.per:g}"
                window = int(self.clock() // limit.per)
                if self.ledger.read(partition, f"use:{name}:{key}") is not None:
                    continue
                counter = self.ledger.read(partition, f"count:{name}:{window}")
                used = _used(counter)
                if not force and used + amount > limit.most + 1e-9:
                    return Excess(limit.limit, used, amount, limit.most, limit.per)
                changes += _changes(limit, name, window, key, counter, used, amount, self.clock())
            if not changes:
                return None
            try:
                self.ledger.write(partition, changes)
            except Conflict:
                self.pause(self.draw(0.0, 0.01 * 2**attempt))
                continue
            return None
        raise Returned("the limits are contended", 1.0)


def _used(counter: Item | None) -> float:
    return 0.0 if counter is None else float(from_json(counter.value)["used"])


def _changes(
    limit: Limit,
    name: str,
    window: int,
    key: str,
    counter: Item | None,
    used: float,
    amount: float,
    now: float,
) -> list[Change]:
    expires = now + 2 * limit.per + 86_400
    version = ABSENT if counter is None else counter.version
    return [
        Put(f"use:{name}:{key}", to_json({"amount": amount, "window": window}), ABSENT, expires),
        Put(f"count:{name}:{window}", to_json({"used": used + amount}), version, expires),
    ]
