"""Rounds: one branch for each workload, the join that counts them, and what follows.

round_begun -> convergence_requested for each workload of the round
workload_converged, or a branch's dead letter -> when all have come: round_converged
round_converged -> the next round, or the end; after a failure no further round begins
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

from pydantic_core import from_json, to_json

from crosswind.chains.apply.chain import (
    REASONS,
    ROUND,
    ROUND_PREFIX,
    ROUNDS,
    chain,
    incident_of,
    round_name,
)
from crosswind.chains.incidents.operations import OpenIncidents, ResolveIncident
from crosswind.context import Context, Joined
from crosswind.emissions import Branch, Start, branch, start
from crosswind.errors import ActionRefused
from crosswind.fleet.applications import PAGE, ConcludeApply, ReadDeclaration
from crosswind_events import Event
from crosswind_events.catalogue.chain import BranchFailed
from crosswind_events.catalogue.fleet import (
    ApplyFailed,
    ApplyRequested,
    ConvergenceRequested,
    FleetApplied,
    Round,
    RoundBegun,
    RoundConverged,
    WorkloadConverged,
)
from crosswind_events.catalogue.incident import IncidentOpened, IncidentResolved

Ending = (
    RoundBegun
    | FleetApplied
    | ApplyFailed
    | IncidentOpened
    | IncidentResolved
    | Start[ApplyRequested]
)

_TOLD: Final = ("held", "failed")
"""Outcomes of which the reasons are told."""


@chain.on(reads=[ReadDeclaration])
def begin(
    event: Event[RoundBegun], ctx: Context
) -> Iterator[Branch[ConvergenceRequested] | RoundConverged]:
    """Ask for each workload of the round."""
    now = event.data.round
    members = now.workloads[:ROUND]
    if now.everything:
        page = ReadDeclaration(digest=now.application.digest, after=now.after or "")
        members = tuple(ctx.observe(page).workloads)
    if not members:
        yield RoundConverged(round=now, counts=now.counts, reasons=now.reasons)
        return
    name = round_name(now.number)
    rest = {
        "workloads": () if now.everything else now.workloads[len(members) :],
        "everything": now.everything and len(members) == PAGE,
    }
    remembered = now.model_copy(update=rest)
    ctx.settle(name, to_json([members, remembered.model_dump(mode="json")]).decode())
    for workload in members:
        asked = ConvergenceRequested(
            application=now.application, workload=workload, round=now.number
        )
        yield branch(asked, join=name, member=workload, subject=workload)


@chain.on()
def count(event: Event[WorkloadConverged], ctx: Context) -> Iterator[RoundConverged]:
    """Count one workload as done with."""
    done = event.data
    said = {"outcome": done.outcome, "because": done.because}
    yield from _counted(round_name(done.round), done.workload, said, ctx)


@chain.on()
def lose(event: Event[BranchFailed], ctx: Context) -> Iterator[RoundConverged]:
    """Count a workload whose branch ended in a dead letter."""
    if event.data.join.startswith(ROUND_PREFIX):
        yield from _counted(event.data.join, event.data.member, None, ctx)


def _counted(
    name: str, member: str, said: Mapping[str, str] | None, ctx: Context
) -> Iterator[RoundConverged]:
    members, remembered = from_json(ctx.settle(name, "[[],{}]"))
    joined = ctx.join(name, member, tuple(members), said)
    if joined is not None:
        yield _converged(Round.model_validate(remembered), members, joined)


def _converged(now: Round, members: list[str], joined: Joined) -> RoundConverged:
    counts, reasons = dict(now.counts), list(now.reasons)
    for workload in members:
        value = joined.values.get(workload)
        if value is None:
            why = joined.failed.get(workload, "nothing was heard of it")
            value = {"outcome": "failed", "because": f"given up: {why}"}
        outcome = value["outcome"]
        counts[outcome] = counts.get(outcome, 0) + 1
        if outcome in _TOLD and len(reasons) < REASONS:
            reasons.append(f"{workload} {outcome}: {value['because']}"[:500])
    return RoundConverged(round=now, last=members[-1], counts=counts, reasons=tuple(reasons))


@chain.on(reads=[OpenIncidents], acts=[ConcludeApply, ResolveIncident])
def conclude(event: Event[RoundConverged], ctx: Context) -> Iterator[Ending]:
    """Go on with the next round, or end the chain."""
    done = event.data
    now, application = done.round, done.round.application
    failed = done.counts.get("failed", 0)
    rest = done.last is not None and (now.everything or bool(now.workloads))
    if rest and not failed and now.number < ROUNDS:
        yield RoundBegun(
            round=now.model_copy(
                update={
                    "number": now.number + 1,
                    "after": done.last if now.everything else None,
                    "counts": done.counts,
                    "reasons": done.reasons,
                }
            )
        )
        return
    said = _said(done)
    if failed and rest:
        said += "; no further workload was begun"
    # Refused, the entry stays open in the history: its chain tells how it ended.
    with suppress(ActionRefused):
        ctx.act(
            ConcludeApply(
                number=application.number,
                plan=application.plan,
                outcome="failed" if failed else "applied",
                counts=done.counts,
                because="; ".join((said, *done.reasons))[:2000],
            )
        )
    fleet = ctx.fleet.name
    name = incident_of(fleet)
    if failed:
        yield IncidentOpened(
            incident=name,
            title=f"a declaration of fleet {fleet} could not be applied",
            cause="; ".join((said, *done.reasons))[:2000],
            severity="major",
            chain=ctx.chain,
            because=done.reasons,
        )
        yield ApplyFailed(
            digest=application.digest, counts=done.counts, reasons=done.reasons, because=said
        )
        return
    if rest:
        yield start(_following(now, done, fleet))
    yield from _resolved(name, said, ctx)
    yield FleetApplied(
        application=application, counts=done.counts, reasons=done.reasons, because=said
    )


def _following(now: Round, done: RoundConverged, fleet: str) -> ApplyRequested:
    application = now.application
    return ApplyRequested(
        fleet=fleet,
        digest=application.digest,
        previous=application.digest,
        by=application.by,
        rollback=application.rollback,
        workloads=now.workloads,
        everything=now.everything,
        after=done.last if now.everything else None,
        summary=(f"goes on where application {application.number} ended",),
    )


def _resolved(name: str, said: str, ctx: Context) -> Iterator[IncidentResolved]:
    for incident in ctx.observe(OpenIncidents(prefix=name)).incidents:
        try:
            ended = ctx.act(ResolveIncident(incident=incident.incident, because=said[:2000]))
        except ActionRefused:
            continue  # it stays open until a person resolves it
        if ended.was_open:
            yield IncidentResolved(incident=incident.incident, summary=said[:2000])


def _said(done: RoundConverged) -> str:
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(done.counts.items()))
    return f"declaration {done.round.application.digest:.12}: {counts or 'no workload to bring'}"
