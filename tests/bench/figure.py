"""A figure: one ratio, the limit that it must keep, and all that it takes to read it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from statistics import median

from bench.rounds import Clock, Measured, spread


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the bench.

    Attributes:
        ratio: ours by the peer's, the median of the rounds.
        spread: the quartiles of the rounds' ratios.
        limit: what the ratio must not exceed; None where it is there to be read.
        ours, peer: the medians of both in `unit`, of this run on this machine only.
        note: what exactly was measured.
    """

    figure: str
    ratio: float
    spread: tuple[float, float]
    limit: float | None
    ours: float
    peer: float
    unit: str
    rounds: int
    note: str

    @property
    def ok(self) -> bool:
        """Whether the limit is kept."""
        return self.limit is None or self.ratio <= self.limit

    def line(self) -> str:
        """The figure as one line of JSON."""
        return json.dumps(
            {
                "figure": self.figure,
                "ratio": round(self.ratio, 4),
                "spread": [round(bound, 4) for bound in self.spread],
                "limit": self.limit,
                "ok": self.ok,
                "ours": round(self.ours, 3),
                "peer": round(self.peer, 3),
                "unit": self.unit,
                "rounds": self.rounds,
                "note": self.note,
            }
        )


_UNITS = {"us": 1e6, "ms": 1e3}


def figure(
    name: str,
    measured: Measured,
    ours: str,
    peer: str,
    *,
    limit: float | None,
    unit: str = "us",
    note: str,
    clock: Clock = "processor",
) -> Figure:
    """Make a figure of two of the contestants measured."""
    ratios = measured.ratios(ours, peer, clock)
    other: Clock = "wall" if clock == "processor" else "processor"
    beside = median(measured.ratios(ours, peer, other))
    scale = _UNITS[unit]
    return Figure(
        figure=name,
        ratio=median(ratios),
        spread=spread(ratios),
        limit=limit,
        ours=measured.median(ours, clock) * scale,
        peer=measured.median(peer, clock) * scale,
        unit=unit,
        rounds=measured.rounds,
        note=f"{note} ({clock} time; by {other} time {beside:.3g})",
    )
