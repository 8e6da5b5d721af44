"""What goes wrong while policies are compared, how often, and whether a region is left for it.

This is the one place to change it. The rates are a judgement of ours, not a measurement: what an
operator of a few regions of several clouds may meet in a year. They decide about the number of
false failovers a year; which policy is quicker, and which is misled by what, they do not.

An incident is one thing that goes wrong, with what comes with it, in a fleet that has been well for
six hours. Its seed decides about all of it, and about everything that is drawn while it is played.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any, Final

from bench.policies.fleet import PLACES, SHARED
from crosswind.fleet.declaration import Fleet
from crosswind.sim import Draws, Fault, Faults

CALM: Final = 6 * 3600.0
"""Seconds before an incident in which all is well: the longest window that is evidence."""

_SPREAD: Final = 600.0
"""Seconds over which the beginning is spread, so that no schedule is met at a fixed moment."""

_LEAST: Final = 300.0
_MOST: Final = 3600.0
"""Seconds that an outage lasts at the least, for which a region is to be left, and at the most."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A kind of incident.

    Args:
        name: in reports.
        a_year: how often one region meets it in a year.
        due: whether a region is to be left for it.
        wrong: whether anything is wrong with the region at all.
        draw: its faults, which begin at a moment in a region.
    """

    name: str
    a_year: float
    due: bool
    draw: Callable[[Random, float, str], Iterator[Fault]]
    wrong: bool = True


@dataclass(frozen=True, slots=True)
class Incident:
    """One thing that goes wrong.

    Attributes:
        number: that tells it from others of its mix, and its seed.
        regions: that are to be left; none where nothing is due.
        begins, ends: seconds since the beginning.
    """

    number: int
    trouble: Trouble
    faults: Faults
    regions: tuple[str, ...]
    begins: float
    ends: float

    def seen_by(self, fleet: Fleet) -> Faults:
        """Its faults, without those that concern observers whom a fleet does not have."""
        known = (None, *fleet.probes.vantages)
        return Faults(fault for fault in self.faults if fault.vantage in known)


def _lasting(draw: Random, median: float, sigma: float, least: float, most: float) -> float:
    return min(max(least, median * draw.lognormvariate(0, sigma)), most)


# -- what a region is to be left for --------------------------------------------------------------


def _outage(draw: Random, at: float, region: str) -> Iterator[Fault]:
    lasts = _lasting(draw, 1200, 0.8, _LEAST, _MOST)
    yield Fault("outage", at, at + lasts, region=region)
    yield from _beside(draw, at, at + lasts, region)


def _domain(draw: Random, at: float, region: str) -> Iterator[Fault]:
    lasts = _lasting(draw, 1200, 0.8, _LEAST, _MOST)
    yield Fault("outage", at, at + lasts, domain=SHARED)
    yield from _beside(draw, at, at + lasts, "aws/us-east-1")


def _brown_out(draw: Random, at: float, region: str) -> Iterator[Fault]:
    lasts, share = _lasting(draw, 1200, 0.8, _LEAST, _MOST), draw.uniform(0.1, 0.9)
    yield Fault("brown-out", at, at + lasts, region=region, size=share)
    yield from _beside(draw, at, at + lasts, region)


def _slow(draw: Random, at: float, region: str) -> Iterator[Fault]:
    lasts = _lasting(draw, 1200, 0.8, _LEAST, _MOST)
    yield Fault("slow", at, at + lasts, region=region, size=draw.uniform(5, 20))
    yield from _beside(draw, at, at + lasts, region)


def _flapping(draw: Random, at: float, region: str) -> Iterator[Fault]:
    lasts = _lasting(draw, 1500, 0.5, 900, _MOST)
    every, share = draw.uniform(90, 600), draw.uniform(0.3, 0.7)
    yield Fault("flapping", at, at + lasts, region=region, every=every, size=share)
    yield from _beside(draw, at, at + lasts, region)


_CAUGHT_UP: Final = 180.0
"""Seconds after an outage for which its telemetry suffers too: what it missed never comes."""


def _beside(draw: Random, at: float, ends: float, region: str) -> Iterator[Fault]:
    """What comes with an outage: half are told by the provider, and telemetry suffers as well."""
    told, after, more = draw.random(), 480 * draw.lognormvariate(0, 0.8), draw.uniform(60, 900)
    if told < 0.5 and at + after < ends + more:
        yield Fault("notice", at + after, ends + more, region=region)
    suffers, lag = draw.random(), draw.uniform(60, 300)
    if suffers < 0.15:
        yield Fault("missing-telemetry", at, ends + _CAUGHT_UP, region=region)
    elif suffers < 0.3:
        yield Fault("late-telemetry", at, ends + _CAUGHT_UP, region=region, size=lag)
    blind, place = draw.random(), draw.choice(PLACES)
    if blind < 0.05:
        yield Fault("blind-probe", at, ends, region=region, vantage=place)


# -- what no region is to be left for -------------------------------------------------------------


def _blip(kind: Any, low: float | None = None, high: float | None = None) -> Any:
    """Something that is over before anybody could have moved users: 5 to 60 s."""

    def drawn(draw: Random, at: float, region: str) -> Iterator[Fault]:
        lasts = draw.uniform(5, 60)
        size = None if low is None or high is None else draw.uniform(low, high)
        yield Fault(kind, at, at + lasts, region=region, size=size)

    return drawn


def _path(draw: Random, at: float, region: str) -> Iterator[Fault]:
    lasts, share = _lasting(draw, 180, 1.0, 10, 3600), draw.uniform(0.5, 1.0)
    place = draw.choice(PLACES)
    yield Fault("false-alarm", at, at + lasts, region=region, vantage=place, size=share)


def _vantage(draw: Random, at: float, region: str) -> Iterator[Fault]:
    lasts = _lasting(draw, 180, 1.0, 10, 3600)
    yield Fault("false-alarm", at, at + lasts, vantage=draw.choice(PLACES))


def _loss(draw: Random, at: float, region: str) -> Iterator[Fault]:
    lasts = _lasting(draw, 300, 0.8, 30, 3600)
    yield Fault("false-alarm", at, at + lasts, region=region, size=draw.uniform(0.05, 0.4))


def _check(draw: Random, at: float, region: str) -> Iterator[Fault]:
    yield Fault("false-alarm", at, at + _lasting(draw, 1200, 0.8, 60, 5400), region=region)


def _figures(draw: Random, at: float, region: str) -> Iterator[Fault]:
    lasts, share = _lasting(draw, 240, 0.8, 60, 3600), draw.uniform(0.06, 0.5)
    yield Fault("wrong-telemetry", at, at + lasts, region=region, size=share)


def _lag(draw: Random, at: float, region: str) -> Iterator[Fault]:
    lasts, lag = _lasting(draw, 600, 0.8, 60, 3600), draw.uniform(60, 400)
    yield Fault("late-telemetry", at, at + lasts, region=region, size=lag)


def _silence(draw: Random, at: float, region: str) -> Iterator[Fault]:
    yield Fault("missing-telemetry", at, at + _lasting(draw, 600, 0.8, 60, 3600), region=region)


def _notice(draw: Random, at: float, region: str) -> Iterator[Fault]:
    yield Fault("notice", at, at + _lasting(draw, 1800, 0.8, 300, 5400), region=region)


MIX: Final = (
    Trouble("outage", 1.5, True, _outage),
    Trouble("outage of a failing domain", 0.1, True, _domain),
    Trouble("brown-out", 2.0, True, _brown_out),
    Trouble("slow", 1.0, True, _slow),
    Trouble("flapping", 0.5, True, _flapping),
    Trouble("blip: nothing answers", 20.0, False, _blip("outage")),
    Trouble("blip: some requests fail", 20.0, False, _blip("brown-out", 0.2, 1.0)),
    Trouble("blip: slow", 10.0, False, _blip("slow", 5, 20)),
    Trouble("one observer's way to the region", 24.0, False, _path, wrong=False),
    Trouble("one observer's whole network", 4.0, False, _vantage, wrong=False),
    Trouble("probes lost on all ways", 6.0, False, _loss, wrong=False),
    Trouble("the check itself is broken", 0.5, False, _check, wrong=False),
    Trouble("telemetry shows errors that are none", 4.0, False, _figures, wrong=False),
    Trouble("telemetry late", 6.0, False, _lag, wrong=False),
    Trouble("telemetry missing", 6.0, False, _silence, wrong=False),
    Trouble("a notice of nothing", 1.0, False, _notice, wrong=False),
)
"""What goes wrong, how often a year in one region, and whether it is to be left for it."""

DUE: Final = tuple(trouble for trouble in MIX if trouble.due)
HARMLESS: Final = tuple(trouble for trouble in MIX if not trouble.due)


def outage(number: int, fleet: Fleet) -> Incident:
    """An incident for which a region is to be left; their kinds come as often as they do."""
    drawn = Draws("policies", "outage").uniform("kind", number)
    bounds = list(accumulate(trouble.a_year for trouble in DUE))
    position = next(n for n, bound in enumerate(bounds) if drawn * bounds[-1] < bound)
    return _incident("outage", number, DUE[position], fleet)


def harmless(number: int, fleet: Fleet) -> Incident:
    """An incident for which none is; each kind is as frequent, so that rare ones are seen too."""
    return _incident("harmless", number, HARMLESS[number % len(HARMLESS)], fleet)


def _incident(family: str, number: int, trouble: Trouble, fleet: Fleet) -> Incident:
    draw = Draws("policies", family).stream("incident", number)
    at = round(CALM + draw.uniform(0, _SPREAD), 3)
    region = draw.choice(sorted(fleet.regions))
    faults = Faults(trouble.draw(draw, at, region))
    first = next(fault for fault in faults if fault.begins == at)
    return Incident(
        number=number,
        trouble=trouble,
        faults=faults,
        regions=_regions(trouble, faults, fleet),
        begins=at,
        ends=first.ends,
    )


def _regions(trouble: Trouble, faults: Sequence[Fault] | Faults, fleet: Fleet) -> tuple[str, ...]:
    if not trouble.due:
        return ()
    serving = {"outage", "brown-out", "slow", "flapping"}
    return next(fault.regions(fleet) for fault in faults if fault.kind in serving)
