"""What is assumed of a world that can no longer be asked.

Nobody knows any more what an endpoint would have answered last March. What is declared is assumed
to have been there and well. A region is assumed to have failed where what was said of it would
have sufficed to call it so: from the first of those words, until enough was said to call it well
again, or each of those who had called it failed has taken that back, or their words had grown old.
So a fresh look bears out what was said, and never finds out that it was false.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from crosswind.chains.failover.evidence import failing, recovered
from crosswind.chains.failover.weighing import alerts_for
from crosswind.fleet.declaration import Fleet
from crosswind.journal.shadow.history import Arrival
from crosswind.sim import Fault, Faults
from crosswind_events import Event, RegionRecovered, RegionUnhealthy

_MOST: Final = 100
"""Words about a region that are weighed at a time, the newest; as the engine has it."""

_LONGEST: Final = 86_400.0
"""Seconds for which a word holds at the most that was taken back in the end."""


class _Word(NamedTuple):
    """What was said of one region, as it arrived."""

    at: float
    event: Event[Any]


def assumed_faults(arrivals: Sequence[Arrival], fleet: Fleet, start: float) -> Faults:
    """The times in which each region is taken to have failed.

    Args:
        start: of the rehearsal, seconds since the epoch.
    """
    words: dict[str, list[_Word]] = defaultdict(list)
    for arrival in arrivals:
        for event in arrival.events:
            for region, about in _about(event, fleet):
                words[region].append(_Word(arrival.at, about))
    return Faults(
        fault
        for region, said in sorted(words.items())
        for fault in _of_region(region, said, fleet, start)
    )


def _about(event: Event[Any], fleet: Fleet) -> Iterator[tuple[str, Event[Any]]]:
    """The declared regions that a word is about: its own, and those to which alerts map it."""
    if not isinstance(event.data, RegionUnhealthy | RegionRecovered):
        return
    mapped = {alert.region for alert in alerts_for(event, fleet) if alert.region is not None}
    for region in sorted({event.data.region, *mapped}):
        if region == event.data.region and region in fleet.regions:
            yield region, event
        elif region in fleet.regions:
            yield region, replace(event, data=event.data.model_copy(update={"region": region}))


def _of_region(region: str, said: Sequence[_Word], fleet: Fleet, start: float) -> Iterator[Fault]:
    window = fleet.failover.window
    # Early enough for a window of its traffic to show nothing but failures.
    before = max([1.0, *(spec.shift.window for spec in fleet.workloads.values())])
    recoveries = _recoveries(said)
    began, until, oldest = 0.0, 0.0, 0
    for number, (at, _) in enumerate(said):
        while said[oldest].at < at - window:
            oldest += 1
        recent = [word.event for word in said[max(oldest, number + 1 - _MOST) : number + 1]]
        now = datetime.fromtimestamp(at, UTC)
        verdict = failing(recent, region, fleet, now)
        if began and (at > until or recovered(recent, region, fleet, now).reached):
            yield _outage(region, began, min(at, until), start)
            began = until = 0.0
        if verdict.reached or began:
            for piece in verdict.standing:
                until = max(until, _holds(piece.source, piece.at.timestamp(), recoveries, window))
        if verdict.reached and not began:
            first = at if verdict.began is None else min(at, verdict.began.timestamp())
            began = max(first - before, start)
    if began:
        yield _outage(region, began, until, start)


def _recoveries(said: Sequence[_Word]) -> Mapping[str, Sequence[float]]:
    """When each source took back what it had said, in the order of time."""
    found: dict[str, list[float]] = defaultdict(list)
    for at, event in said:
        if isinstance(event.data, RegionRecovered):
            found[event.source].append(max(at, event.time.timestamp()))
    return {source: sorted(times) for source, times in found.items()}


def _holds(
    source: str, at: float, recoveries: Mapping[str, Sequence[float]], window: float
) -> float:
    """Until when a word is taken to be true."""
    times = recoveries.get(source, ())
    position = bisect_right(times, at)
    taken_back = times[position] if position < len(times) else None
    if taken_back is None or taken_back > at + _LONGEST:
        return at + window
    return taken_back


def _outage(region: str, began: float, ended: float, start: float) -> Fault:
    begins = began - start
    note = "the signals sufficed to call it failed"
    return Fault("outage", begins, max(ended - start, begins + 1.0), region=region, note=note)
