"""The end: what the outcomes of a sweep's workloads amount to.

    failover  more workloads named or waiting -> another round
              all moved or without traffic there -> failover.completed | failover.unneeded
              likewise, and callers still see failures -> incident, failover.completed
              none moved, no plan safe -> incident, failover.impossible
              else -> incident, failover.failed
    failback  more waiting -> another round
              all back -> the region serves, its incident is resolved, failback.completed
              else -> incident, failback.failed

What was heard meanwhile and says the opposite opens a chain of its own, so that it is not lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from crosswind.chains.failover.chain import ROUNDS, SWEEP, chain, incident_of, not_left
from crosswind.chains.failover.evidence import failing, recovered
from crosswind.chains.failover.probes import observer
from crosswind.chains.failover.words import since_recovery
from crosswind.chains.incidents.operations import OpenIncidents, ResolveIncident
from crosswind.context import Context
from crosswind.emissions import Start, start
from crosswind.errors import ActionRefused
from crosswind.fleet.operations import MarkRegion
from crosswind.fleet.state import Condition
from crosswind_events import Event, RegionRecovered, RegionUnhealthy
from crosswind_events.catalogue.failover import (
    FailoverCompleted,
    FailoverConfirmed,
    FailoverFailed,
    FailoverImpossible,
    FailoverUnneeded,
    Outcome,
    Piece,
    Sweep,
    SweepSettled,
)
from crosswind_events.catalogue.incident import IncidentOpened, IncidentResolved
from crosswind_events.catalogue.recovery import (
    FailbackAbandoned,
    FailbackBegun,
    FailbackCompleted,
    FailbackFailed,
)

Ending = (
    FailoverConfirmed
    | FailoverCompleted
    | FailoverImpossible
    | FailoverFailed
    | FailoverUnneeded
    | FailbackBegun
    | FailbackCompleted
    | FailbackFailed
    | FailbackAbandoned
    | IncidentOpened
    | IncidentResolved
    | Start[RegionUnhealthy]
    | Start[RegionRecovered]
)

_RESTARTED: Final = 10
"""Pieces of contrary evidence that open another chain; the newest."""

_BAD: Final = frozenset({"impossible", "failed"})
_MOVED: Final = frozenset({"moved", "unrelieved"})


@chain.on(reads=[OpenIncidents], acts=[MarkRegion, ResolveIncident])
def conclude(event: Event[SweepSettled], ctx: Context) -> Iterator[Ending]:
    """Go on with the next round, or end the chain."""
    done = event.data
    outcomes = {**done.sweep.earlier, **done.outcomes}
    if done.sweep.purpose == "failover":
        yield from _conclude_failover(done, outcomes, ctx)
    else:
        yield from _conclude_failback(done, outcomes, ctx)


def _conclude_failover(
    done: SweepSettled, outcomes: Mapping[str, Outcome], ctx: Context
) -> Iterator[Ending]:
    sweep, region = done.sweep, done.sweep.region
    # Once, so that the end is decided on all of it: the chain closes only on what was seen here.
    events = ctx.evidence()
    rest = (*sweep.waiting, *_named_since(sweep, outcomes, events, ctx))
    if rest and sweep.round < ROUNDS:
        because = f"{len(rest)} more workload(s) of {region} have to move"
        following = _next(sweep, rest, outcomes, done.slowest)
        yield FailoverConfirmed(sweep=following, pieces=(), because=because)
        return
    said = _said(done, outcomes)
    bad = {name for name, outcome in outcomes.items() if outcome in _BAD}
    moved = not _MOVED.isdisjoint(outcomes.values())
    unrelieved = {name for name, outcome in outcomes.items() if outcome == "unrelieved"}
    if bad:
        yield _incident(region, not_left(region), said, done, bad, ctx)
        if not moved and all(outcomes[name] == "impossible" for name in bad):
            yield FailoverImpossible(region=region, outcomes=outcomes, because=said)
        else:
            yield FailoverFailed(region=region, outcomes=outcomes, because=said)
    elif sweep.relapse:
        if not moved:
            # No plan has said so in the register.
            said = _mark(done, "evacuated", said, ctx) or said
        title = f"{region} has relapsed on its way back"
        yield _incident(region, title, said, done, set(), ctx)
        yield FailbackAbandoned(region=region, because=said)
    elif moved:
        if unrelieved:
            title = f"{region} was left, and callers still see failures"
            yield _incident(region, title, said, done, unrelieved, ctx)
        else:
            yield from _resolve(region, f"all of its traffic has moved. {said}", ctx)
        yield FailoverCompleted(
            region=region, outcomes=outcomes, recovery_seconds=done.slowest, because=said
        )
    else:
        yield FailoverUnneeded(region=region, because=f"nothing to do: {said}"[:2000])
    if moved:
        standing = [
            piece
            for piece in recovered(events, region, ctx.fleet, ctx.now()).standing
            if piece.at > sweep.began  # what was said before a relapse has been answered by it
        ]
        for said_well in _heard(events, standing):
            yield start(said_well, subject=region, observer=observer(said_well))


def _conclude_failback(
    done: SweepSettled, outcomes: Mapping[str, Outcome], ctx: Context
) -> Iterator[Ending]:
    sweep, region = done.sweep, done.sweep.region
    if sweep.waiting and sweep.round < ROUNDS:
        because = f"{len(sweep.waiting)} more workload(s) come back to {region}"
        yield FailbackBegun(
            sweep=_next(sweep, sweep.waiting, outcomes, done.slowest), because=because
        )
        return
    if ctx.settle("turn", "recovered") != "recovered":
        return
    said = _said(done, outcomes)
    bad = {name for name, outcome in outcomes.items() if outcome in _BAD}
    if bad:
        title = f"{region} is well, and not all of its traffic is back"
        yield _incident(region, title, said, done, bad, ctx)
        yield FailbackFailed(region=region, outcomes=outcomes, because=said)
        return
    refused = _mark(done, "serving", said, ctx)
    if refused:
        title = f"{region} has its traffic back, and is not marked as serving"
        yield _incident(region, title, refused, done, bad, ctx)
        yield FailbackFailed(region=region, outcomes=outcomes, because=refused)
        return
    yield from _resolve(region, f"it serves again. {said}", ctx)
    yield FailbackCompleted(region=region, outcomes=outcomes, because=said)
    events = since_recovery(ctx.evidence())
    standing = failing(events, region, ctx.fleet, ctx.now()).standing
    for said_failing in _heard(events, standing):
        yield start(said_failing, subject=region, observer=observer(said_failing))


def _named_since(
    sweep: Sweep,
    outcomes: Mapping[str, Outcome],
    events: Sequence[Event[Any]],
    ctx: Context,
) -> tuple[str, ...]:
    """Workloads that evidence has named since the sweep began."""
    fleet = ctx.fleet
    verdict = failing(events, sweep.region, fleet, ctx.now())
    if not verdict.reached:
        return ()
    return tuple(
        name
        for name in fleet.workloads_in(sweep.region)
        if name not in outcomes
        and name not in sweep.waiting
        and (verdict.workloads is None or name in verdict.workloads)
    )


def _next(
    sweep: Sweep,
    rest: tuple[str, ...],
    outcomes: Mapping[str, Outcome],
    slowest: float | None,
) -> Sweep:
    return sweep.model_copy(
        update={
            "round": sweep.round + 1,
            "workloads": rest[:SWEEP],
            "waiting": rest[SWEEP:],
            "earlier": dict(outcomes),
            "slowest": slowest,
        }
    )


def _said(done: SweepSettled, outcomes: Mapping[str, Outcome]) -> str:
    counts: dict[str, int] = {}
    for outcome in outcomes.values():
        counts[outcome] = counts.get(outcome, 0) + 1
    summary = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    reasons = "; ".join(f"{name}: {why}" for name, why in sorted(done.reasons.items()))
    return f"{summary or 'no workload'}. {reasons}"[:2000]


def _incident(
    region: str, title: str, cause: str, done: SweepSettled, bad: set[str], ctx: Context
) -> IncidentOpened:
    named = sorted(bad)[:32]
    return IncidentOpened(
        incident=incident_of(region),
        title=title,
        cause=cause,
        severity="critical" if bad else "major",
        chain=ctx.chain,
        region=region,
        workload=named[0] if len(bad) == 1 else None,
        gathered={name: done.reasons.get(name, "see the round before") for name in named},
    )


def _mark(done: SweepSettled, state: Condition, because: str, ctx: Context) -> str:
    """Why the region could not be brought into a state; empty where it was."""
    mark = MarkRegion(
        region=done.sweep.region, state=state, plan=done.plan, lock=ctx.lock, because=because
    )
    try:
        marked = ctx.act(mark)
    except ActionRefused as refused:
        return str(refused)
    return "" if marked.marked else f"{mark.region} stays {marked.state}: {marked.reason}"


def _resolve(region: str, because: str, ctx: Context) -> Iterator[IncidentResolved]:
    for incident in ctx.observe(OpenIncidents(prefix=incident_of(region))).incidents:
        try:
            ended = ctx.act(ResolveIncident(incident=incident.incident, because=because[:2000]))
        except ActionRefused:
            continue  # it stays open until a person resolves it
        if ended.was_open:
            yield IncidentResolved(
                incident=incident.incident, summary=f"{region}: {because}"[:2000]
            )


def _heard(events: Sequence[Event[Any]], standing: Sequence[Piece]) -> Sequence[Any]:
    """The data of the newest of the standing pieces."""
    names = {piece.event for piece in standing}
    return [event.data for event in events if event.id in names][-_RESTARTED:]
