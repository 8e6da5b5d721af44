"""Admission: one question for the whole application, and the end where it is refused."""

from __future__ import annotations

from collections.abc import Iterator

from crosswind.chains.apply.chain import DEADLINE, FLIGHT, chain, incident_of
from crosswind.context import Context
from crosswind.errors import ActionRefused
from crosswind.fleet.applications import ApplyDeclaration
from crosswind_events import Event
from crosswind_events.catalogue.fleet import (
    Application,
    ApplyFailed,
    ApplyRequested,
    Round,
    RoundBegun,
)
from crosswind_events.catalogue.incident import IncidentOpened


@chain.on(acts=[ApplyDeclaration], flight=FLIGHT, deadline=DEADLINE)
def admit(
    event: Event[ApplyRequested], ctx: Context
) -> Iterator[RoundBegun | ApplyFailed | IncidentOpened]:
    """Ask for the whole of it once; what is granted covers every step."""
    asked = event.data
    plan = ctx.id("plan")
    try:
        begun = ctx.act(
            ApplyDeclaration(
                digest=asked.digest,
                previous=asked.previous,
                plan=plan,
                by=asked.by,
                rollback=asked.rollback,
                chain=ctx.chain,
                changes=asked.summary,
            )
        )
        refused = begun.reason
    except ActionRefused as refusal:
        begun, refused = None, str(refusal)
    if begun is None or not begun.begun:
        why = f"declaration {asked.digest:.12} is not applied: {refused}"
        yield IncidentOpened(
            incident=incident_of(asked.fleet),
            title=f"a declaration of fleet {asked.fleet} is not applied",
            cause=why[:2000],
            severity="minor",
            chain=ctx.chain,
        )
        yield ApplyFailed(digest=asked.digest, because=why[:2000])
        return
    application = Application(
        plan=plan,
        digest=asked.digest,
        number=begun.number,
        by=asked.by,
        rollback=asked.rollback,
        covered=ctx.answered(f"plan:{plan}") == "granted",
    )
    yield RoundBegun(
        round=Round(
            application=application,
            number=1,
            workloads=asked.workloads,
            everything=asked.everything,
            after=asked.after,
        )
    )
