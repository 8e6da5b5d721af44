"""Words: who speaks about a region, when that was true, and which words still stand.

An observer is one (source, kind, vantage). Of each workload, or of the whole region, only its
latest word stands: what it has taken back no longer counts, and what it repeats counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, NamedTuple

from crosswind_events import Event, RegionRecovered, RegionUnhealthy

Says = Literal["unhealthy", "recovered"]

AGE: Final = "age"
"""In `measured`: for how many seconds it had been true when it was said."""


class Observer(NamedTuple):
    """Who speaks, and from where."""

    source: str
    kind: str
    vantage: str | None


def observer(event: Event[Any]) -> Observer:
    """Who gave a piece of evidence."""
    return Observer(event.source, event.data.evidence, event.data.vantage)


def says(event: Event[Any]) -> Says:
    """What it says of the region.

    Raises:
        TypeError: it is no evidence about a region.
    """
    if isinstance(event.data, RegionUnhealthy):
        return "unhealthy"
    if isinstance(event.data, RegionRecovered):
        return "recovered"
    raise TypeError(f"{event.type} is no evidence about a region")


def measured_at(event: Event[Any]) -> float:
    """When it was true by its own account, in seconds since the epoch.

    A word may be younger than what it tells.
    """
    return event.time.timestamp() - max(0.0, float(event.data.measured.get(AGE, 0.0)))


def in_order(events: Iterable[Event[Any]]) -> list[Event[Any]]:
    """Each event once, in the order in which they were said, however they arrived."""
    once = {(event.source, event.id): event for event in events}
    return sorted(once.values(), key=lambda event: (event.time, event.source, event.id))


def overtaken(heard: Sequence[Event[Any]], number: int) -> Event[Any] | None:
    """The word of the same observer that takes the place of this one, None while it stands.

    Args:
        heard: in the order of `in_order`.
        number: where the word stands among them.
    """
    word = heard[number]
    return next((other for other in heard[number + 1 :] if _covers(other, word)), None)


def since_recovery(events: Iterable[Event[Any]]) -> tuple[Event[Any], ...]:
    """The events from the first word of recovery on.

    What was said before it belongs to the outage that is over, though it may be heard only now.
    """
    heard = tuple(events)
    began = min((event.time for event in heard if says(event) == "recovered"), default=None)
    return heard if began is None else tuple(event for event in heard if event.time >= began)


def taken_back(events: Iterable[Event[Any]], region: str) -> bool:
    """Whether every observer that called the region failed has since called it recovered.

    Age does not matter here: who said nothing more still stands by what it said.
    """
    heard = in_order(event for event in events if event.data.region == region)
    last = [event for number, event in enumerate(heard) if overtaken(heard, number) is None]
    return bool(last) and all(says(event) == "recovered" for event in last)


def _covers(later: Event[Any], earlier: Event[Any]) -> bool:
    """Whether a later word of the same observer takes the place of an earlier one.

    A word about the whole region takes the place of those about single workloads; and it falls
    with the first workload of which the opposite is said.
    """
    if observer(later) != observer(earlier):
        return False
    whole = later.data.workload is None
    same = later.data.workload == earlier.data.workload
    falls = earlier.data.workload is None and says(later) != says(earlier)
    return whole or same or falls
