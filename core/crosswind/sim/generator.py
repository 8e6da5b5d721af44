"""Plans of faults drawn at random, such as a year of operations brings.

Faults come by themselves, each kind at a rate of its own, and last for times with a heavy tail:
most are over in minutes, some take hours. What observers and providers say of an outage is drawn
with it: early, late, not at all; and so are words about nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

from crosswind.sim.draws import Draws
from crosswind.sim.faults import Fault, Faults, Kind

if TYPE_CHECKING:
    from crosswind.fleet.declaration import AlertMapping, Fleet

DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Habit:
    """How often a kind of fault comes, and how long it lasts.

    Args:
        share: of all faults.
        median, sigma: seconds that it lasts, log-normal.
        low, high: between which its size is, evenly.
    """

    kind: Kind
    share: float
    median: float
    sigma: float
    low: float | None = None
    high: float | None = None


HABITS: Final = (
    Habit("outage", 0.16, 900, 1.3),
    Habit("brown-out", 0.12, 900, 1.2, 0.08, 0.9),
    Habit("slow", 0.08, 900, 1.2, 2, 20),
    Habit("flapping", 0.03, 1200, 0.8, 0.3, 0.7),
    Habit("crash", 0.05, 300, 0.8, 0.2, 0.8),
    Habit("preemption", 0.03, 600, 0.8, 0.3, 1),
    Habit("surge", 0.03, 1800, 0.9, 1.2, 2),
    Habit("stockout", 0.09, 5400, 1.0, 0, 0.6),
    Habit("quota", 0.02, 7200, 1.0, 0.4, 0.9),
    Habit("slow-start", 0.05, 5400, 1.0, 3, 20),
    Habit("price", 0.03, 14_400, 0.8, 1.2, 4),
    Habit("false-alarm", 0.12, 90, 1.0, 0.7, 1),
    Habit("blind-probe", 0.01, 1800, 1.0),
    Habit("stale-telemetry", 0.03, 600, 1.0),
    Habit("late-telemetry", 0.03, 900, 1.0, 30, 400),
    Habit("missing-telemetry", 0.03, 600, 1.0),
    Habit("wrong-telemetry", 0.02, 240, 0.8, 0, 0.6),
    Habit("notice", 0.01, 1800, 1.0),
    Habit("control-plane", 0.02, 900, 1.0),
    Habit("call-fails", 0.02, 300, 0.8, 0.3, 1),
    Habit("call-unanswered", 0.01, 300, 0.8, 0.3, 1),
    Habit("call-late", 0.01, 300, 0.8, 10, 200),
    Habit("call-hangs", 0.005, 300, 0.8),
    Habit("slow-bus", 0.005, 300, 0.8, 1, 20),
)
"""What goes wrong, and in which proportion: a judgement, not a measurement.

A third of all faults take a region's service down or make it worse; the rest is what makes that
hard to see and hard to answer.
"""

_DOMAIN: Final = 0.08
_CLOUD: Final = 0.03
"""Shares of outages that take a failing domain, or all of a cloud."""

_TOGETHER: Final = frozenset({"outage", "brown-out", "control-plane", "stockout"})
_PLACELESS: Final = frozenset({"surge", "slow-bus"})
_OF_WORKLOAD: Final = frozenset({"crash", "surge", "missing-telemetry", "wrong-telemetry"})
_CALLS: Final = frozenset({"call-fails", "call-unanswered", "call-late", "call-hangs"})
_SERIOUS: Final = frozenset({"outage", "brown-out", "flapping"})
_SHORTEST: Final = 5.0
_LONGEST: Final = 3 * DAY


def random_faults(
    fleet: Fleet,
    seed: int,
    days: float,
    intensity: float = 1.0,
    habits: Iterable[Habit] = HABITS,
) -> Faults:
    """A plan of faults.

    Each fault is drawn from a stream of its own, so that another habit changes nothing of the rest.

    Args:
        days: how long it is.
        intensity: faults a day in all of the fleet, words about them apart.
        habits: which, how often and for how long.
    """
    habits = tuple(habits)
    total = sum(habit.share for habit in habits)
    draws = Draws("faults", seed)
    found: list[Fault] = []
    for habit in habits:
        a_day = intensity * habit.share / total
        for number, at in enumerate(_arrivals(draws.stream(habit.kind), a_day, days * DAY)):
            stream = draws.stream(habit.kind, number)
            fault = _fault(fleet, habit, at, stream)
            if fault is not None:
                found += (fault, *_words(fleet, fault, stream))
    return Faults(found)


def _arrivals(stream: Random, a_day: float, until: float) -> Iterator[float]:
    at = 0.0
    while a_day > 0 and (at := at + stream.expovariate(a_day) * DAY) < until:
        yield at


def _fault(fleet: Fleet, habit: Habit, at: float, stream: Random) -> Fault | None:
    kind = habit.kind
    lasts = min(max(_SHORTEST, stream.lognormvariate(0, habit.sigma) * habit.median), _LONGEST)
    size = None if habit.low is None else stream.uniform(habit.low, habit.high or habit.low)
    used = [
        region
        for region, spec in sorted(fleet.regions.items())
        if fleet.workloads_in(region) and (kind != "preemption" or spec.spot_price is not None)
    ]
    region = stream.choice(used) if used else None
    if region is None:
        return None
    fields: dict[str, Any] = {"size": None if size is None else round(size, 4)}
    if kind not in _PLACELESS:
        fields |= _place(fleet, region, stream) if kind in _TOGETHER else {"region": region}
    if kind in _OF_WORKLOAD:
        fields["workload"] = stream.choice(fleet.workloads_in(region))
    if kind == "false-alarm" and stream.random() < 0.8:
        fields["vantage"] = stream.choice(fleet.probes.vantages)
    if kind == "flapping":
        fields["every"] = round(stream.uniform(60, 600), 1)
    if kind in _CALLS:
        fields["action"] = stream.choice(["*", "endpoint.*", "traffic.*"])
        if fields["action"] == "traffic.*":
            del fields["region"]  # what steers traffic stands in no region
    return Fault(kind, round(at, 3), round(at + lasts, 3), **fields)


def _place(fleet: Fleet, region: str, stream: Random) -> dict[str, Any]:
    """A region, or what it fails together with."""
    drawn = stream.random()
    domains = fleet.regions[region].failing_domains
    if drawn < _CLOUD:
        return {"cloud": region.partition("/")[0]}
    if drawn < _CLOUD + _DOMAIN and domains:
        return {"domain": stream.choice(domains)}
    return {"region": region}


def _words(fleet: Fleet, fault: Fault, stream: Random) -> Iterator[Fault]:
    """What providers and alarms say of a fault: early, late, never, and not always the truth."""
    if fault.kind not in _SERIOUS:
        return
    for region in fault.regions(fleet):
        if stream.random() < 0.6:
            delay = stream.lognormvariate(0, 1.0) * 420 - 60
            begins = max(0.0, fault.begins + delay)
            ends = fault.ends + stream.lognormvariate(0, 0.8) * 300
            if ends > begins:
                yield Fault("notice", round(begins, 3), round(ends, 3), region=region)
        for alert in fleet.alerts:
            if alert.region in (None, region) and stream.random() < 0.7:
                yield from _alarm(fleet, fault, region, alert, stream)


def _alarm(
    fleet: Fleet, fault: Fault, region: str, alert: AlertMapping, stream: Random
) -> Iterator[Fault]:
    if region not in fleet.workloads[alert.workload].regions:
        return
    name = alert.match.replace("*", "any").replace("?", "a")
    begins = fault.begins + stream.uniform(60, 300)
    ends = fault.ends + stream.uniform(60, 300)
    if alert.admits(name, alert.labels) and ends > begins:
        yield Fault(
            "alarm",
            round(begins, 3),
            round(ends, 3),
            region=region,
            workload=alert.workload,
            name=name,
        )
