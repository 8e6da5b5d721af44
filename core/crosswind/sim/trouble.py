"""Trouble: calls of store, bus and performers that fail at random, and workers that die."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crosswind.errors import DeclarationError
from crosswind.sim.draws import Draws
from crosswind.testing.faults import Fault, PortCall, unheard

_LATEST: Final = 120.0
"""Seconds after which what is late lands at the latest."""


class Trouble:
    """Decides on every call of a port; see `crosswind.testing.Faults`.

    Args:
        seed: of its draws.
        throttled, lost, unanswered, late, killed, killed_after: shares of all calls that meet each
            of these faults, as `crosswind.testing.faults` has them.

    Attributes:
        land: is given what is late, and in how many seconds it lands; a simulation sets it.
        met: how many calls met a fault.
    """

    def __init__(
        self,
        seed: int,
        *,
        throttled: float = 0.0,
        lost: float = 0.0,
        unanswered: float = 0.0,
        late: float = 0.0,
        killed: float = 0.0,
        killed_after: float = 0.0,
    ) -> None:
        self._shares: tuple[tuple[Fault, float], ...] = (
            ("throttled", throttled),
            ("lost", lost),
            ("unanswered", unanswered),
            ("late", late),
            ("killed", killed),
            ("killed-after", killed_after),
        )
        if min(share for _, share in self._shares) < 0 or sum(s for _, s in self._shares) > 1:
            raise DeclarationError("Trouble: shares are not below 0, and not above 1 together")
        self._draws = Draws("trouble", seed)
        self._calls = 0
        self.met = 0
        self.land: Callable[[float, Callable[[], None]], None] | None = None

    def meet(self, call: PortCall) -> Fault:
        """See `Faults.meet`."""
        self._calls += 1
        drawn = self._draws.uniform("call", self._calls)
        for fault, share in self._shares:
            if drawn < share:
                self.met += 1
                return fault
            drawn -= share
        return "none"

    def hold(self, call: PortCall, effect: Callable[[], object]) -> None:
        """See `Faults.hold`."""
        if self.land is None:
            raise DeclarationError("Trouble: nothing can land late; give it to a simulation")
        seconds = self._draws.between(0.0, _LATEST, "late", self._calls)
        self.land(seconds, lambda: unheard(effect))
