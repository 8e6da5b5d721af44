"""Weighing: what each single word counts for, and why.

A word counts for nothing where

- the same observer has said something else, or the same again, since;
- it says the opposite, is about another region, or is an alarm that no alert of the fleet admits;
- the same observer says so of the whole region already;
- a fresh look contradicts it (see `hysteresis`);
- its observer sees no other region either: then its own way is broken, and not this region;
- what it measured is no evidence under the policy, or is older than the policy's window, counted
  from when it was measured and not from when it was said.

Else it counts for what the policy gives its kind, or an alert its alarm. With a half-life that
halves again and again once it is older than one round of probes, within which whoever still sees
it says so again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from crosswind.chains.failover import traffic
from crosswind.chains.failover.words import (
    Observer,
    Says,
    in_order,
    measured_at,
    observer,
    overtaken,
    says,
)
from crosswind.fleet.declaration import AlertMapping, Fleet
from crosswind_events import Event

OTHERS: Final = "others"
OTHERS_FAILED: Final = "others_failed"
"""In `measured`: how many other regions the observer looked at in that moment, and how many of
them failed as well."""


_MEASURING: Final = frozenset({"probe", "telemetry", "alarm"})
"""Kinds of evidence by who measures, and may see less than there is."""

_FADED: Final = 0.01
"""The part of its weight below which a word counts for nothing."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A word, and what it counts for.

    Attributes:
        standing: it is the latest of its observer, about this region, and not doubted.
        full: what it would count for if it were fresh.
        weight: what it counts for now; 0 where it says the opposite of what was asked.
        shares: by workload where it is about some only, which part of its weight it has there;
            None where it is about the whole region.
        at: when what it says was measured, in seconds since the epoch; `age` is how long ago.
    """

    event: Event[Any]
    standing: bool
    full: float
    weight: float
    shares: Mapping[str, float] | None
    at: float
    age: float
    because: str

    @property
    def by(self) -> Observer:
        """Who said it."""
        return observer(self.event)

    @property
    def says(self) -> Says:
        """What it says of the region."""
        return says(self.event)

    @property
    def of_region(self) -> bool:
        """Whether it is about the region as a whole."""
        return self.shares is None

    def share(self, workload: str | None) -> float:
        """Which part of its weight it has where this is asked about: 1, less, or none."""
        if self.shares is None:
            return 1.0
        return 0.0 if workload is None else self.shares.get(workload, 0.0)


def unsighted(words: Iterable[Weighed]) -> frozenset[Observer]:
    """The observers that see the region fail, and every other that they look at as well."""
    return frozenset(word.by for word in words if word.standing and _unbelieved(word.event))


def alerts_for(event: Event[Any], fleet: Fleet) -> tuple[AlertMapping, ...]:
    """The mappings that admit an alarm; none for any other kind of evidence."""
    native = event.data.native
    if event.data.evidence != "alarm" or native is None or native.name is None:
        return ()
    return tuple(alert for alert in fleet.alerts if alert.admits(native.name, native.labels))


def weigh(
    events: Iterable[Event[Any]],
    asked: Says,
    region: str,
    fleet: Fleet,
    now: datetime,
    doubts: Mapping[str, str],
) -> tuple[Weighed, ...]:
    """Every word with what it counts for, in the order in which they were said.

    Args:
        events: in any order, also repeated.
        asked: what is to be shown of the region.
        doubts: by event id, why a fresh look contradicts that word.
    """
    heard = in_order(events)
    words = [
        _weighed(heard, position, asked, region, fleet, now, doubts)
        for position in range(len(heard))
    ]
    whole = {word.by: word.weight for word in words if word.weight > 0 and word.of_region}
    return tuple(
        replace(word, weight=0.0, because="the same observer says so of the whole region")
        if not word.of_region and 0 < word.weight <= whole.get(word.by, 0.0)
        else word
        for word in words
    )


def number(value: float) -> str:
    """A weight or a time, for people."""
    return f"{value:.6g}"


@dataclass(frozen=True, slots=True)
class _Worth:
    """What a word is worth by itself: fresh, and were it the only one."""

    full: float
    because: str
    shares: Mapping[str, float] | None


def _weighed(
    heard: Sequence[Event[Any]],
    position: int,
    asked: Says,
    region: str,
    fleet: Fleet,
    now: datetime,
    doubts: Mapping[str, str],
) -> Weighed:
    event = heard[position]
    at = measured_at(event)
    age = max(0.0, now.timestamp() - at)
    worth = _worth(event, region, fleet)
    standing, why = _stands(heard, position, doubts)
    weight = 0.0
    if not standing:
        pass
    elif worth.full <= 0:
        why = worth.because
    elif says(event) != asked:
        why = f"says that the region is {_CALLED[says(event)]}"
    elif age > fleet.failover.window:
        why = f"is {number(age)} s old; evidence counts for {number(fleet.failover.window)} s"
        why += _lagging(event, at)
    elif (left := _left(age, fleet)) < _FADED:
        why = f"is {number(age)} s old and has faded, halved every "
        why += f"{number(fleet.failover.half_life or 0)} s"
    else:
        weight = worth.full * left
        why = worth.because + _lagging(event, at)
        if weight < worth.full:
            why += f"; {number(age)} s old, halved every {number(fleet.failover.half_life or 0)} s"
    return Weighed(event, standing, worth.full, weight, worth.shares, at, age, why)


_CALLED: Final = {"unhealthy": "unhealthy", "recovered": "well"}


def _stands(
    heard: Sequence[Event[Any]], position: int, doubts: Mapping[str, str]
) -> tuple[bool, str]:
    event = heard[position]
    since = overtaken(heard, position)
    if since is not None:
        again = "again" if says(since) == says(event) else "the opposite"
        return False, f"the same observer has said {again} since (event {since.id})"
    if event.id in doubts:
        return False, doubts[event.id]
    return True, ""


def _worth(event: Event[Any], region: str, fleet: Fleet) -> _Worth:
    data, policy = event.data, fleet.failover
    named = {data.workload: 1.0} if data.workload else None
    full = policy.weights[data.evidence]
    because = f"policy gives {data.evidence} evidence {number(full)}"
    if data.region != region:
        return _Worth(0.0, f"concerns {data.region}", named)
    if data.evidence == "alarm":
        alerts = alerts_for(event, fleet)
        here = [alert for alert in alerts if alert.region in (None, region)]
        if not alerts:
            name = data.native.name if data.native and data.native.name else "without a name"
            return _Worth(0.0, f"unmapped: no alert of the fleet admits alarm {name}", named)
        if not here:
            return _Worth(0.0, f"is mapped to {alerts[0].region}", named)
        best = max(here, key=lambda alert: alert.weight)
        full *= best.weight
        because = f"alert {best.match} gives it {number(full)}"
        named = _shares(here, best.weight)
    unbelieved = _unbelieved(event)
    if unbelieved:
        return _Worth(0.0, unbelieved, named)
    if data.evidence == "telemetry":
        heat = traffic.heat(data.measured, policy)
        if heat is not None:
            full *= heat.factor
            because = f"{heat.because}: {number(full)}"
    return _Worth(full, because, named)


def _shares(alerts: Sequence[AlertMapping], best: float) -> dict[str, float]:
    """By workload, which part of an alarm's weight its own mapping gives it there."""
    shares: dict[str, float] = {}
    for alert in alerts:
        part = alert.weight / best if best > 0 else 0.0
        shares[alert.workload] = max(part, shares.get(alert.workload, 0.0))
    return shares


def _unbelieved(event: Event[Any]) -> str:
    """Why an observer is not believed that sees no other region either; empty where it is."""
    data = event.data
    others = data.measured.get(OTHERS, 0.0)
    if data.evidence not in _MEASURING or says(event) != "unhealthy":
        return ""
    if others < 1 or data.measured.get(OTHERS_FAILED, 0.0) < others:
        return ""
    if data.evidence == "telemetry":
        return (
            f"is not believed: in the same reading each of {others:g} other region(s) fails as "
            "well, so it is no matter of this one"
        )
    where = f"vantage {data.vantage}" if data.vantage else "its vantage"
    return f"{where} is not believed: it saw each of {others:g} other region(s) fail as well"


def _left(age: float, fleet: Fleet) -> float:
    """The part of its weight that a word has left."""
    half_life = fleet.failover.half_life
    if half_life is None:
        return 1.0
    return float(0.5 ** (max(0.0, age - fleet.probes.every) / half_life))


def _lagging(event: Event[Any], at: float) -> str:
    lag = event.time.timestamp() - at
    return f"; it was measured {number(lag)} s before it was said" if lag > 0 else ""
