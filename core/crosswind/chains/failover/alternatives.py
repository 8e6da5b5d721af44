"""The ways in which a workload's traffic could be spread over the regions that are left.

Each way is a way of spreading the share that has to move; the shares that regions serve already
stay with them. Pure functions; shares are of the workload's traffic and sum to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

DIGITS: Final = 9
"""Decimals of a share: coarser than the rounding of floats, finer than any rule's tolerance."""

_SINGLE: Final = 16
"""How many regions are considered as the only one that takes all."""

_NOTHING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Candidate:
    """A region that may take traffic.

    Attributes:
        share: what it serves already.
        room_ready: share for which replicas serve there now.
        room: share for which it can have replicas at the most.
        cost: USD per hour for all of the workload's traffic, replicas and egress.
        latency: milliseconds, mean over its areas; None where none is declared.
    """

    region: str
    share: float
    room_ready: float
    room: float
    cost: float
    latency: float | None

    @property
    def spare(self) -> float:
        """Share that it can take in addition."""
        return max(0.0, self.room - self.share)

    @property
    def spare_ready(self) -> float:
        """Share that it can take in addition without another replica."""
        return max(0.0, min(self.room_ready, self.room) - self.share)


def spreads(
    candidates: Sequence[Candidate], moving: float
) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Names and weights of every way to spread the moving share; equal ones only once."""
    seen: set[tuple[tuple[str, float], ...]] = set()
    for name, weights in _ways(candidates, moving):
        key = tuple(sorted(weights.items()))
        if key not in seen:
            seen.add(key)
            yield name, weights


def whole(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights rounded to `DIGITS`, summing to 1 again; the largest share takes the rest."""
    total = sum(weights.values())
    rounded = {region: round(weight / total, DIGITS) for region, weight in weights.items()}
    largest = max(sorted(rounded), key=lambda region: rounded[region])
    others = sum(weight for region, weight in rounded.items() if region != largest)
    rounded[largest] = round(1.0 - others, DIGITS)
    return rounded


def _ways(
    candidates: Sequence[Candidate], moving: float
) -> Iterator[tuple[str, Mapping[str, float]]]:
    if not candidates:
        return
    for one in candidates[:_SINGLE]:
        yield f"all that moves to {one.region}", _divide([one], moving, lambda _: 1.0, candidates)
    if any(one.share > _NOTHING for one in candidates):
        yield "in proportion to present shares", _divide(candidates, moving, lambda c: c.share)
    if any(one.spare > _NOTHING for one in candidates):
        yield "in proportion to spare capacity", _divide(candidates, moving, lambda c: c.spare)
        for name, order in _ORDERS:
            yield name, _fill(sorted(candidates, key=order), moving)
        yield "replicas that serve first", _fill_ready(candidates, moving)


def _divide(
    takers: Sequence[Candidate],
    moving: float,
    by: Callable[[Candidate], float],
    candidates: Sequence[Candidate] | None = None,
) -> Mapping[str, float]:
    total = sum(by(one) for one in takers)
    weights = {one.region: one.share for one in candidates or takers}
    for one in takers:
        weights[one.region] += moving * by(one) / total
    return whole(weights)


def _fill(ordered: Sequence[Candidate], moving: float) -> Mapping[str, float]:
    """Each takes what it has room for, in order; what nobody has room for is divided by room."""
    weights = {one.region: one.share for one in ordered}
    left = moving
    for one in ordered:
        taken = min(left, one.spare)
        weights[one.region] += taken
        left -= taken
    return whole(_overflow(ordered, weights, left))


def _fill_ready(candidates: Sequence[Candidate], moving: float) -> Mapping[str, float]:
    """First what needs no other replica, then in proportion to what room is left."""
    weights = {one.region: one.share for one in candidates}
    ready = sum(one.spare_ready for one in candidates)
    part = min(1.0, moving / ready) if ready > _NOTHING else 0.0
    left = moving
    for one in candidates:
        weights[one.region] += part * one.spare_ready
        left -= part * one.spare_ready
    spare = {one.region: max(0.0, one.room - weights[one.region]) for one in candidates}
    total = sum(spare.values())
    part = min(1.0, left / total) if total > _NOTHING else 0.0
    for one in candidates:
        weights[one.region] += part * spare[one.region]
        left -= part * spare[one.region]
    return whole(_overflow(candidates, weights, left))


def _overflow(
    candidates: Sequence[Candidate], weights: dict[str, float], left: float
) -> dict[str, float]:
    room = sum(one.room for one in candidates)
    if left > _NOTHING and room > _NOTHING:
        for one in candidates:
            weights[one.region] += left * one.room / room
    return weights


_ORDERS: Final[tuple[tuple[str, Callable[[Candidate], tuple[float, str]]], ...]] = (
    ("cheapest first", lambda c: (c.cost, c.region)),
    ("nearest first", lambda c: (float("inf") if c.latency is None else c.latency, c.region)),
)
