"""Evidence: whether what observers said of a region suffices to call it failed, or well again.

Pure functions over the first events of a chain. What each word counts for is in `weighing`, which
of them stand in `words`.

A region has failed for a workload, or as a whole, when of the words that are about it

    1. weight: the sum, less what fresh words of independent observers say against it, comes to the
       policy's quorum, and
    2. independence: they come from `min_kinds` distinct kinds of evidence or vantages, and from at
       least two observers, and
    3. never the provider alone: whatever weight its own notices are given.

A word about the whole region is about each of its workloads; one about a workload says nothing of
the others. A word that all is well is fresh while it is no more than one round of probes older
than the last that says the opposite. The word of an operator is independent by itself, and nothing
that was measured weighs against it: people know what probes do not. Nor does a probe weigh against
a sum in which the newest reading of the real traffic shows it failing: its users are who counts,
and that such a reading lags behind by a minute is no reason to believe a probe more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from crosswind.chains.failover.weighing import Weighed, number, unsighted, weigh
from crosswind.chains.failover.words import Observer
from crosswind.fleet.declaration import Fleet
from crosswind_events import Event
from crosswind_events.catalogue.failover import Piece, Weighing

CLOSE: Final = 1e-9
_SHOWN: Final = 200
_LISTED: Final = 8
_OUTWEIGHED: Final = {
    "operator": ("provider", "alarm", "probe", "telemetry"),
    "telemetry": ("probe",),
}
"""By the kind of a word that a region fails: whose words that all is well take nothing from it."""

_OBSERVERS: Final = 2
"""Observers that are needed at the least: one source alone never suffices."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the evidence amounts to.

    Attributes:
        reached: whether it suffices.
        weighing: the sum of what speaks most for it, and what it had to come to.
        pieces: every piece heard, oldest first, with its weight and why; the newest 200.
        workloads: those for which it suffices, None where it does for the whole region; where it
            does not suffice, those that the standing pieces name.
        began: when the first of the standing pieces was given, None where none stands.
        because: the sum and the rule, in one sentence.
        contradicted: whether it would suffice, did nobody say that all is well.
        unsighted: observers that see it fail, and see every other region fail as well.
    """

    reached: bool
    weighing: Weighing
    pieces: tuple[Piece, ...]
    workloads: frozenset[str] | None
    began: datetime | None
    because: str
    contradicted: bool = False
    unsighted: frozenset[Observer] = frozenset()

    @property
    def total(self) -> float:
        """What speaks for it, less what speaks against it."""
        return self.weighing.total

    @property
    def standing(self) -> tuple[Piece, ...]:
        """The pieces that count."""
        return tuple(piece for piece in self.pieces if piece.weight > 0)


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
    words = weigh(events, "unhealthy", region, fleet, now, doubts or {})
    whole = _failing(words, None, fleet)
    single = (
        [] if whole.reached else [_failing(words, w, fleet) for w in _named(words, region, fleet)]
    )
    # Of equals the region goes before its workloads, and an important one before others.
    best = max([whole, *single], key=lambda one: (one.reached, one.total, one.contradicted))
    reached = [one.about for one in single if one.reached]
    workloads = frozenset(name for name in reached if name is not None)
    if not best.reached:
        return _verdict(words, best, _mentioned(words), best.because())
    return _verdict(words, best, None if whole.reached else workloads, best.because(len(workloads)))


def recovered(events: Iterable[Event[Any]], region: str, fleet: Fleet, now: datetime) -> Verdict:
    """Whether a region is to be called well again.

    That takes the policy's recovery quorum, and no standing word that it fails.
    """
    events = tuple(events)
    words = weigh(events, "recovered", region, fleet, now, {})
    against = failing(events, region, fleet, now).standing
    counting = _by_observer(words, lambda word: word.weight)
    views = {(word.by.kind, word.by.vantage) for word, _ in counting}
    total, needed = sum(its for _, its in counting), fleet.recovery_quorum
    said = f"{number(total)} of {number(needed)} needed{_views(views)}"
    if against:
        said += f"; {len(against)} observer(s) still say that it fails"
    sums = _Sum(
        about=None,
        gross=total,
        against={},
        quorum=needed,
        views=views,
        views_needed=0,
        reached=total >= needed - CLOSE and not against,
        wanting="",
    )
    return _verdict(words, sums, _mentioned(words), said)


@dataclass(frozen=True, slots=True)
class _Sum:
    """The sum of what is said of one workload, or of the region as a whole (`about` None).

    Attributes:
        against: what each word that all is well takes from it, by source and id.
        wanting: what it lacks beside weight, in words.
    """

    about: str | None
    gross: float
    against: Mapping[tuple[str, str], float]
    quorum: float
    views: set[tuple[str, str | None]]
    views_needed: int
    reached: bool
    wanting: str
    contradicted: bool = False

    @property
    def total(self) -> float:
        """What is left of it."""
        return max(0.0, self.gross - sum(self.against.values()))

    def because(self, others: int = 0) -> str:
        """The sum and the rule; `others` is for how many workloads it suffices in all."""
        about = "" if self.about is None else f" about {self.about}"
        if others > 1:
            about += f" and {others - 1} more workload(s)"
        said = (
            f"{number(self.total)} of {number(self.quorum)} needed{about}, from {len(self.views)} "
            f"independent view(s) of {self.views_needed} needed{_views(self.views)}"
        )
        against = sum(self.against.values())
        if against > 0:
            said += f"; {number(against)} taken off it by {len(self.against)} fresh word(s) that "
            said += "all is well"
        return said + self.wanting


def _failing(words: Sequence[Weighed], about: str | None, fleet: Fleet) -> _Sum:
    policy = fleet.failover
    counting = [word for word in words if word.weight > 0 and word.share(about) > 0]
    kinds = {word.by.kind for word in counting}
    views = {(word.by.kind, word.by.vantage) for word in counting}
    gross = sum(its for _, its in _by_observer(counting, lambda w: w.weight * w.share(about)))
    against = _against(words, counting, about, fleet)
    needed = policy.quorum - CLOSE
    heavy = gross - sum(against.values()) >= needed
    operator = "operator" in kinds
    sources = len({word.by for word in counting})
    independent = operator or (len(views) >= policy.min_kinds and sources >= _OBSERVERS)
    alone = kinds <= {"provider"}
    wanting = ""
    if heavy and alone:
        wanting = "; the provider's own notices alone never suffice"
    elif heavy and not independent:
        one = sources < _OBSERVERS
        wanting = (
            f"; {'one source alone never suffices' if one else 'they are not independent enough'}"
        )
    return _Sum(
        about=about,
        gross=gross,
        against=against,
        quorum=policy.quorum,
        views=views,
        views_needed=policy.min_kinds,
        reached=heavy and independent and not alone,
        wanting=wanting,
        contradicted=not heavy and gross >= needed and independent and not alone,
    )


def _against(
    words: Sequence[Weighed], counting: Sequence[Weighed], about: str | None, fleet: Fleet
) -> dict[tuple[str, str], float]:
    """By source and id, what fresh words that all is well take from a sum.

    A region as a whole is not failing where one of its workloads is well. They count in full
    while they are fresh: what fades is only what they are held against.
    """
    if not counting:
        return {}
    fresh = max(word.at for word in counting) - fleet.probes.every
    said = max(_said(word) for word in counting) - fleet.probes.every
    outweighed = {
        kind
        for word in counting
        for kind in _OUTWEIGHED.get(word.by.kind, ())
        if word.by.kind == "operator" or _said(word) >= said
    }
    heard = [
        word
        for word in words
        if word.says == "recovered"
        and word.standing
        and word.at >= fresh
        and word.by.kind not in outweighed
    ]
    factor = fleet.failover.contradiction

    def takes(word: Weighed) -> float:
        return factor * word.full * (1.0 if about is None else word.share(about))

    return {_name(word): taken for word, taken in _by_observer(heard, takes)}


def _by_observer(
    words: Iterable[Weighed], amount: Callable[[Weighed], float]
) -> list[tuple[Weighed, float]]:
    """Of each observer the word that amounts to most, if it amounts to anything."""
    best: dict[Observer, tuple[float, Weighed]] = {}
    for word in words:
        its = amount(word)
        if its > best.get(word.by, (0.0, word))[0]:
            best[word.by] = (its, word)
    return [(word, its) for its, word in best.values()]


def _said(word: Weighed) -> float:
    return word.event.time.timestamp()


def _name(word: Weighed) -> tuple[str, str]:
    return word.event.source, word.event.id


def _named(words: Sequence[Weighed], region: str, fleet: Fleet) -> Iterator[str]:
    """The workloads for which another sum may come out than for the region as a whole."""
    failing = {name for word in words if word.weight > 0 for name in word.shares or ()}
    well = any(word.says == "recovered" and word.standing and word.shares for word in words)
    declared = fleet.workloads_in(region)
    yield from (name for name in declared if well or name in failing)
    yield from sorted(failing - set(declared))


def _mentioned(words: Sequence[Weighed]) -> frozenset[str] | None:
    """The workloads that the standing words name, None where one is about the whole region."""
    standing = [word.shares for word in words if word.weight > 0]
    if any(shares is None for shares in standing):
        return None
    return frozenset(name for shares in standing for name in shares or ())


def _verdict(
    words: Sequence[Weighed], sums: _Sum, workloads: frozenset[str] | None, because: str
) -> Verdict:
    standing = [word.event.time for word in words if word.weight > 0]
    return Verdict(
        reached=sums.reached,
        weighing=Weighing(
            about=sums.about,
            total=sums.total,
            against=sum(sums.against.values()),
            quorum=sums.quorum,
            views=len(sums.views),
            views_needed=sums.views_needed,
            reached=sums.reached,
        ),
        pieces=tuple(_piece(word, sums.against) for word in words[-_SHOWN:]),
        workloads=workloads,
        began=min(standing, default=None),
        because=because,
        contradicted=sums.contradicted,
        unsighted=unsighted(words),
    )


def _piece(word: Weighed, against: Mapping[tuple[str, str], float]) -> Piece:
    event, taken = word.event, against.get(_name(word), 0.0)
    because = word.because
    if taken > 0:
        because += f", freshly: takes {number(taken)} from the sum"
    return Piece(
        event=event.id,
        source=event.source,
        says=word.says,
        kind=event.data.evidence,
        workload=event.data.workload,
        vantage=event.data.vantage,
        at=event.time,
        weight=word.weight,
        because=because,
        full=word.full,
        age=round(word.age, 3),
        against=taken,
    )


def _views(views: Iterable[tuple[str, str | None]]) -> str:
    shown = sorted(kind if vantage is None else f"{kind} from {vantage}" for kind, vantage in views)
    return f" ({', '.join(shown[:_LISTED])})" if shown else ""
