"""The figures of recovery: Crosswind as it comes against what people use, on the same faults."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Final

from bench.figure import Figure
from bench.policies.candidates import AS_IT_COMES, PEERS
from bench.policies.pages import LEAST_FALSE, curve, tables
from bench.policies.scores import Score
from bench.policies.season import season

BRIEF: Final = (
    AS_IT_COMES,
    "one vantage",
    "the traffic and a vantage",
    "rounds spread (jitter 1)",
    "probes every 10 s, to last 60 s",
    "all moved in one step",
    *(peer.name for peer in PEERS),
)
"""The policies of the bench; `python -m bench.policies` plays all."""


def policies(outages: int) -> Iterator[Figure]:
    """Play outages under the policies of the bench; tables and curve go to standard error.

    Args:
        outages: so many, and as many harmless incidents, under each.
    """
    scores = {one.name: one for one in season(BRIEF, outages, outages, os.cpu_count() or 1)}
    shown = list(scores.values())
    print("\n".join([*tables(shown), "", *curve(shown)]), file=sys.stderr, flush=True)
    ours = scores[AS_IT_COMES]
    for peer in PEERS:
        yield from _held_against(ours, scores[peer.name])


def _held_against(ours: Score, peer: Score) -> Iterator[Figure]:
    about = (
        f"{len(ours.outages):,} simulated outages of the same seeds, and as many harmless "
        f"incidents; {peer.name} misses {peer.missed:.0%} of the outages, ours {ours.missed:.0%}"
    )
    a, b = ours.recovery(0.5), peer.recovery(0.5)
    x, y = ours.recovery(0.95), peer.recovery(0.95)
    if a and b and x and y:
        yield _figure(
            f"recovery, by {peer.name}",
            (a, b),
            (min(a / b, x / y), max(a / b, x / y)),
            "s",
            ours,
            f"from the onset to the last shift, of the outages that each has answered; median, the "
            f"spread is median and 95th percentile; {about}",
        )
    yield _figure(
        f"users' minutes lost, by {peer.name}",
        (ours.lost, peer.lost),
        None,
        "min",
        ours,
        f"minutes of all users that an outage costs; {about}",
    )
    false = max(ours.false.a_year, LEAST_FALSE), max(peer.false.a_year, LEAST_FALSE)
    yield _figure(
        f"false failovers, by {peer.name}",
        false,
        None,
        "a region-year",
        ours,
        f"regions left though nothing was due, at the rates of the mix; to be read: standard "
        f"errors {ours.false.error:.1f} and {peer.false.error:.1f}; {about}",
    )


def _figure(
    name: str,
    values: tuple[float, float],
    spread: tuple[float, float] | None,
    unit: str,
    ours: Score,
    note: str,
) -> Figure:
    ratio = values[0] / values[1]
    return Figure(
        figure=name,
        ratio=ratio,
        spread=spread or (ratio, ratio),
        limit=None,
        ours=values[0],
        peer=values[1],
        unit=unit,
        rounds=len(ours.outages),
        note=note,
    )
