"""A season: many incidents under many policies, on as many processes as are given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final, Literal

from bench.policies.candidates import CANDIDATES
from bench.policies.fleet import fleet
from bench.policies.mix import harmless, outage
from bench.policies.plays import Outcome, play
from bench.policies.scores import Score

Family = Literal["outage", "harmless"]

_PART: Final = 25
"""Incidents that one process is given at a time."""


def season(names: Iterable[str], outages: int, others: int, jobs: int) -> Iterator[Score]:
    """Play so many outages, and so many harmless incidents, under each policy in turn.

    Args:
        names: of `CANDIDATES`.
        jobs: processes.
    """
    names = tuple(names)
    if not names:
        return
    families: tuple[tuple[Family, int], ...] = (("outage", outages), ("harmless", others))
    parts = [
        (family, first, min(first + _PART, count))
        for family, count in families
        for first in range(0, count, _PART)
    ]
    # Each process begins anew, so that none inherits a lock that another thread holds.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = {name: [pool.submit(played, name, *part) for part in parts] for name in names}
        for name, each in waiting.items():
            yield Score(name, tuple(outcome for one in each for outcome in one.result()))


def played(name: str, family: Family, first: int, end: int) -> list[Outcome]:
    """What came of the incidents of a family with these numbers under one policy."""
    candidate, ground = CANDIDATES[name], fleet()
    draw = outage if family == "outage" else harmless
    return [play(candidate, draw(number, ground)) for number in range(first, end)]
