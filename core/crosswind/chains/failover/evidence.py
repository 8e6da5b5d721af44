"""Evidence: what observers said of a region, what each piece counts for, and whether it suffices.

Pure functions over the first events of a chain. An observer is one (source, kind, vantage); of
each workload, or of the whole region, only its latest word stands, so that what it has taken back
no longer counts and what it repeats counts once.

Enough to call a region failed is

    1. weight: the standing pieces sum up to the policy's quorum, and
    2. independence: they come from `min_kinds` distinct kinds of evidence or vantages, unless an
       operator's word is among them, whose weight alone decides, and
    3. never the provider alone: whatever weight its own notices are given.

An alarm weighs what the fleet's `alerts` say, and nothing where none of them admits it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from crosswind.fleet.declaration import AlertMapping, Fleet
from crosswind_events import Event, RegionRecovered, RegionUnhealthy
from crosswind_events.catalogue.failover import Piece

Says = Literal["unhealthy", "recovered"]

_CLOSE: Final = 1e-9
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the evidence amounts to.

    Attributes:
        reached: whether it suffices.
        total: weight of the standing pieces.
        pieces: every piece heard, oldest first, with its weight and why; the newest 200.
        workloads: those that the standing pieces name; None where at least one of them concerns
            the whole region.
        began: when the first of the standing pieces was given, None where none stands.
        because: the sum and the rule, in one sentence.
    """

    reached: bool
    total: float
    pieces: tuple[Piece, ...]
    workloads: frozenset[str] | None
    began: datetime | None
    because: str

    @property
    def standing(self) -> tuple[Piece, ...]:
        """The pieces that count."""
        return tuple(piece for piece in self.pieces if piece.weight > 0)


def alerts_for(event: Event[Any], fleet: Fleet) -> tuple[AlertMapping, ...]:
    """The mappings that admit an alarm; none for any other kind of evidence."""
    native = event.data.native
    if event.data.evidence != "alarm" or native is None or native.name is None:
        return ()
    return tuple(alert for alert in fleet.alerts if alert.admits(native.name, native.labels))


def failing(
    events: Iterable[Event[Any]],
    region: str,
    fleet: Fleet,
    now: datetime,
    doubts: Mapping[str, str] | None = None,
) -> Verdict:
    """Whether a region is to be called failed.

    Args:
        events: the first events of the chain, in any order, also repeated.
        doubts: by event id, why a fresh look contradicts that piece.
    """
    pieces, concerned = _weigh(events, "unhealthy", region, fleet, now, doubts or {})
    standing = [piece for piece in pieces if piece.weight > 0]
    total = sum(piece.weight for piece in standing)
    kinds = {piece.kind for piece in standing}
    views = {(piece.kind, piece.vantage) for piece in standing}
    policy = fleet.failover
    heavy = total >= policy.quorum - _CLOSE
    independent = len(views) >= policy.min_kinds or "operator" in kinds
    alone = kinds <= {"provider"}
    said = (
        f"{_number(total)} of {_number(policy.quorum)} needed, from {len(views)} independent "
        f"view(s) of {policy.min_kinds} needed{_views(views)}"
    )
    if heavy and alone:
        said += "; the provider's own notices alone never suffice"
    elif heavy and not independent:
        said += "; they are not independent enough"
    return Verdict(
        reached=heavy and independent and not alone,
        total=total,
        pieces=pieces,
        workloads=_named(standing, concerned),
        began=min((piece.at for piece in standing), default=None),
        because=said,
    )


def recovered(events: Iterable[Event[Any]], region: str, fleet: Fleet, now: datetime) -> Verdict:
    """Whether a region is to be called well again.

    That takes the policy's recovery quorum, and no standing word that it fails.
    """
    events = tuple(events)
    pieces, concerned = _weigh(events, "recovered", region, fleet, now, {})
    against = failing(events, region, fleet, now).standing
    standing = [piece for piece in pieces if piece.weight > 0]
    total = sum(piece.weight for piece in standing)
    views = {(piece.kind, piece.vantage) for piece in standing}
    needed = fleet.failover.recovery_quorum
    said = f"{_number(total)} of {_number(needed)} needed{_views(views)}"
    if against:
        said += f"; {len(against)} observer(s) still say that it fails"
    return Verdict(
        reached=total >= needed - _CLOSE and not against,
        total=total,
        pieces=pieces,
        workloads=_named(standing, concerned),
        began=min((piece.at for piece in standing), default=None),
        because=said,
    )


def since_recovery(events: Iterable[Event[Any]]) -> tuple[Event[Any], ...]:
    """The events from the first word of recovery on.

    What was said before it belongs to the outage that is over, though it may be heard only now.
    """
    heard = tuple(events)
    began = min((event.time for event in heard if _says(event) == "recovered"), default=None)
    return heard if began is None else tuple(event for event in heard if event.time >= began)


def taken_back(events: Iterable[Event[Any]], region: str) -> bool:
    """Whether every observer that called the region failed has since called it recovered.

    Age does not matter here: who said nothing more still stands by what it said.
    """
    about = [event for event in events if event.data.region == region]
    heard = sorted(about, key=lambda event: (event.time, event.source, event.id))
    last = [
        event
        for number, event in enumerate(heard)
        if not any(_covers(other, event) for other in heard[number + 1 :])
    ]
    return bool(last) and all(_says(event) == "recovered" for event in last)


def _weigh(
    events: Iterable[Event[Any]],
    says: Says,
    region: str,
    fleet: Fleet,
    now: datetime,
    doubts: Mapping[str, str],
) -> tuple[tuple[Piece, ...], dict[str, frozenset[str]]]:
    """All pieces with their weights, and by event id the workloads that a mapping names."""
    once = {(event.source, event.id): event for event in events}
    heard = sorted(once.values(), key=lambda event: (event.time, event.source, event.id))
    concerned: dict[str, frozenset[str]] = {}
    pieces: list[Piece] = []
    everywhere = _said_of_all(heard, says)
    for number, event in enumerate(heard):
        later = next((other for other in heard[number + 1 :] if _covers(other, event)), None)
        if later is not None:
            again = "again" if _says(later) == _says(event) else "the opposite"
            weight, why = 0.0, f"the same observer has said {again} since (event {later.id})"
        elif _says(event) != says:
            weight, why = 0.0, f"says that the region is {_says(event)}"
        elif event.data.workload is not None and _stance(event) in everywhere:
            weight, why = 0.0, "the same observer says so of the whole region"
        elif event.id in doubts:
            weight, why = 0.0, doubts[event.id]
        else:
            weight, why, workloads = _weight(event, region, fleet, now)
            concerned[event.id] = workloads
        pieces.append(_piece(event, weight, why))
    return tuple(pieces[-_SHOWN:]), concerned


def _weight(
    event: Event[Any], region: str, fleet: Fleet, now: datetime
) -> tuple[float, str, frozenset[str]]:
    data = event.data
    policy = fleet.failover
    named = frozenset({data.workload} if data.workload else ())
    if data.region != region:
        return 0.0, f"concerns {data.region}", named
    weight = policy.weights[data.evidence]
    why = f"policy gives {data.evidence} evidence {_number(weight)}"
    if data.evidence == "alarm":
        alerts = alerts_for(event, fleet)
        here = [alert for alert in alerts if alert.region in (None, region)]
        if not alerts:
            name = data.native.name if data.native and data.native.name else "without a name"
            return 0.0, f"unmapped: no alert of the fleet admits alarm {name}", named
        if not here:
            return 0.0, f"is mapped to {alerts[0].region}", named
        best = max(here, key=lambda alert: alert.weight)
        weight *= best.weight
        why = f"alert {best.match} gives it {_number(weight)}"
        named = frozenset(alert.workload for alert in here)
    age = (now - event.time).total_seconds()
    if age > policy.window:
        limit = _number(policy.window)
        return 0.0, f"is {_number(age)} s old; evidence counts for {limit} s", named
    return weight, why, named


def _piece(event: Event[Any], weight: float, because: str) -> Piece:
    return Piece(
        event=event.id,
        source=event.source,
        says=_says(event),
        kind=event.data.evidence,
        workload=event.data.workload,
        vantage=event.data.vantage,
        at=event.time,
        weight=weight,
        because=because,
    )


def _stance(event: Event[Any]) -> tuple[str, str, str | None]:
    """Who speaks, and from where."""
    return (event.source, event.data.evidence, event.data.vantage)


def _covers(later: Event[Any], earlier: Event[Any]) -> bool:
    """Whether a later word of the same observer takes the place of an earlier one.

    A word about the whole region takes the place of those about single workloads; and it falls
    with the first workload of which the opposite is said.
    """
    if _stance(later) != _stance(earlier):
        return False
    whole = later.data.workload is None
    same = later.data.workload == earlier.data.workload
    falls = earlier.data.workload is None and _says(later) != _says(earlier)
    return whole or same or falls


def _said_of_all(heard: Sequence[Event[Any]], says: Says) -> set[tuple[str, str, str | None]]:
    """The observers whose word about the whole region stands."""
    return {
        _stance(event)
        for number, event in enumerate(heard)
        if event.data.workload is None
        and _says(event) == says
        and not any(_covers(other, event) for other in heard[number + 1 :])
    }


def _says(event: Event[Any]) -> Says:
    if isinstance(event.data, RegionUnhealthy):
        return "unhealthy"
    if isinstance(event.data, RegionRecovered):
        return "recovered"
    raise TypeError(f"{event.type} is no evidence about a region")


def _named(
    standing: Sequence[Piece], concerned: Mapping[str, frozenset[str]]
) -> frozenset[str] | None:
    named: set[str] = set()
    for piece in standing:
        workloads = concerned[piece.event]
        if not workloads:
            return None
        named |= workloads
    return frozenset(named)


def _views(views: Iterable[tuple[str, str | None]]) -> str:
    shown = sorted(kind if vantage is None else f"{kind} from {vantage}" for kind, vantage in views)
    return f" ({', '.join(shown[:8])})" if shown else ""


def _number(value: float) -> str:
    return f"{value:.6g}"
