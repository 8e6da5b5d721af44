"""Freeze and break-glass: the two switches that people have over all actions of a fleet.

Both stand in one item of the fleet's partition, so that the gate reads them together. A change is
made by version, keeps who made it, and ends by itself where it was given an end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from pydantic_core import from_json, to_json

from crosswind.errors import Conflict, CrosswindError
from crosswind.ports import ABSENT, Put
from crosswind.records.identity import safe
from crosswind.records.ledger import Ledger

BRAKES = "brakes"


def fleet_partition(fleet: str) -> str:
    """Where the register, the limits and the brakes of a fleet are stored."""
    return f"fleet:{safe(fleet)}"


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch as it was thrown.

    Attributes:
        by: the verified identity of who threw it.
        until: seconds since the epoch at which it ends by itself; None for no end.
        workload: the only workload that it is about; None for all.
    """

    by: str
    reason: str
    at: float
    until: float | None = None
    workload: str | None = None

    def applies(self, workload: str | None, now: float) -> bool:
        """Whether it is on for an action on this workload."""
        if self.until is not None and now >= self.until:
            return False
        return self.workload is None or self.workload == workload


@dataclass(frozen=True, slots=True)
class Brakes:
    """The state of both switches."""

    freeze: Switch | None = None
    break_glass: Switch | None = None

    @classmethod
    def decode(cls, value: bytes) -> Brakes:
        """From the store."""
        stored: dict[str, Any] = from_json(value)
        return cls(**{k: Switch(**v) if v is not None else None for k, v in stored.items()})

    def encode(self) -> bytes:
        """As stored."""
        return to_json(asdict(self))


class BrakeLever:
    """Reads and throws the switches of one fleet."""

    def __init__(self, ledger: Ledger, fleet: str, clock: Callable[[], float]) -> None:
        self.ledger = ledger
        self.partition = fleet_partition(fleet)
        self.clock = clock

    def read(self) -> Brakes:
        """Both switches as they stand."""
        item = self.ledger.read(self.partition, BRAKES)
        return Brakes() if item is None else Brakes.decode(item.value)

    def freeze(
        self, by: str, reason: str, seconds: float | None = None, workload: str | None = None
    ) -> Switch:
        """Stop every action before its next call, until `thaw` or for so many seconds."""
        return self._throw("freeze", by, reason, seconds, workload)

    def thaw(self) -> None:
        """End a freeze; suspended runs go on when they look next."""
        self._put("freeze", None)

    def break_glass(
        self, by: str, reason: str, seconds: float, workload: str | None = None
    ) -> Switch:
        """Let actions pass without approval, limits or freeze for so many seconds.

        Raises:
            ValueError: without a reason, or without an end within a day.
        """
        if not reason.strip():
            raise ValueError("break-glass needs a reason; it is what the review will read")
        if not 0 < seconds <= 86_400:
            raise ValueError("break-glass needs a time to live of at most a day")
        return self._throw("break_glass", by, reason, seconds, workload)

    def restore_glass(self) -> None:
        """End a break-glass before its time."""
        self._put("break_glass", None)

    def _throw(
        self, name: str, by: str, reason: str, seconds: float | None, workload: str | None
    ) -> Switch:
        now = self.clock()
        switch = Switch(by, reason, now, None if seconds is None else now + seconds, workload)
        self._put(name, switch)
        return switch

    def _put(self, name: str, switch: Switch | None) -> None:
        for _ in range(10):
            item = self.ledger.read(self.partition, BRAKES)
            brakes = Brakes() if item is None else Brakes.decode(item.value)
            changed = Brakes(
                **{
                    "freeze": brakes.freeze,
                    "break_glass": brakes.break_glass,
                    name: switch,
                }
            )
            version = ABSENT if item is None else item.version
            try:
                self.ledger.write(self.partition, [Put(BRAKES, changed.encode(), version)])
            except Conflict:
                continue
            return
        raise CrosswindError("the switches are being thrown by others; try again")
