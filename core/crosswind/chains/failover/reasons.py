"""What is said of a choice and of everything that was not chosen, in bounded words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from crosswind.chains.failover.measures import against, harm
from crosswind.chains.failover.situation import Situation
from crosswind.planner.problem import LATE
from crosswind_events.catalogue.failover import Alternative

RULE: Final = (
    "no rule broken; then the least share of demand unserved, waiting for replicas to start, or "
    f"slower than the objective (which counts {LATE:g}); then as planned for all together; then "
    "the least share that goes against a wish; then the least added cost per hour; then the name"
)

_LONGEST: Final = 2000
_LISTED: Final = 8

_SHOWN: Final = 64
_ROOM: Final = 48_000
"""Characters that the alternatives of one decision may take, about: they are kept with it."""


def because(one: Alternative, chosen: Alternative | None, situation: Situation) -> str:
    """Why an alternative was chosen or not."""
    if one.breaks:
        said = f"rejected: it breaks {len(one.breaks)} rule(s): {'; '.join(one.breaks)}"
        return said[:_LONGEST]
    if chosen is None or one.name == chosen.name:
        return f"chosen: {_said(one)}"
    if harm(one) > harm(chosen):
        return (
            f"rejected: it would harm {harm(one):.1%} of the demand, "
            f"{chosen.name} only {harm(chosen):.1%}"
        )
    taken = _takes(one, situation)
    if taken:
        return f"rejected: as good for it alone, and it takes {taken}"[:_LONGEST]
    if against(one) > against(chosen):
        return f"rejected: as good, and it sends {_where(one)}, {chosen.name} only {_where(chosen)}"
    if one.cost_delta > chosen.cost_delta:
        more = one.cost_delta - chosen.cost_delta
        return f"rejected: as good, and {more:.2f} USD/h dearer than {chosen.name}"
    if one.cost_delta < chosen.cost_delta:
        return f"rejected: as good and cheaper, and not {chosen.name}, on which others count"
    return f"rejected: as good and as cheap as {chosen.name}, which comes first by name"


def the_choice(chosen: Alternative, weighed: int, safe: int, spare: Mapping[str, int]) -> str:
    """Why the chosen one, for the journal and for whoever approves it."""
    said = (
        f"{chosen.name}: of {weighed} alternatives {safe} break no rule, and this one "
        f"{_said(chosen)}"
    )
    if spare:
        besides = ", ".join(f"{region} for {count}" for region, count in spare.items())
        said += (
            f"; whether it is granted is uncertain, so {besides} replicas are asked as well, and "
            "what is not needed goes back"
        )
    return said


def no_way(situation: Situation, found: Sequence[Alternative]) -> str:
    """Why there is no safe plan."""
    if not found:
        return (
            f"no safe plan: {situation.workload} is declared in no region but those that are left"
        )
    reasons = dict.fromkeys(broken for one in found for broken in one.breaks)
    listed = "; ".join(list(reasons)[:_LISTED])
    kept = _kept(situation)
    return f"no safe plan: each of {len(found)} alternatives breaks a rule: {listed}{kept}"


def shown(alternatives: Sequence[Alternative]) -> tuple[Alternative, ...]:
    """As many as fit in a journal; the first always."""
    kept: list[Alternative] = []
    room = _ROOM
    for one in alternatives[:_SHOWN]:
        room -= len(one.model_dump_json())
        if kept and room < 0:
            break
        kept.append(one)
    return tuple(kept)


def _said(one: Alternative) -> str:
    parts = [
        f"leaves {one.unserved:.1%} of the demand unserved",
        f"{one.slow:.1%} slower than the objective",
    ]
    if one.delayed:
        parts.append(f"loses {one.delayed:.1%} of an hour's while replicas start")
    listed = ", ".join(parts[:-1]) + f" and {parts[-1]}"
    return f"{listed}, at {one.cost_delta:+.2f} USD/h"


def _where(one: Alternative) -> str:
    parts = []
    if one.untrusted or not one.crowded:
        parts.append(f"{one.untrusted:.1%} to regions that still soak")
    if one.crowded:
        parts.append(f"{one.crowded:.1%} beyond its spread")
    return " and ".join(parts)


def _takes(one: Alternative, situation: Situation) -> str:
    """What it would take of that which others of the sweep have."""
    more = {
        region: count - situation.allotted[region].replicas
        for region, count in one.replicas.items()
        if region in situation.allotted and count > situation.allotted[region].replicas
    }
    if not more:
        return ""
    listed = ", ".join(f"{count} in {region}" for region, count in sorted(more.items()))
    return f"{listed} more replica(s) than are left by others that leave with it"


def _kept(situation: Situation) -> str:
    """Where others of the sweep that are as important, or more, have what it would need."""
    kept = sorted(region for region, one in situation.allotted.items() if one.replicas >= one.most)
    return f"; others that are as important have what there is in {', '.join(kept)}" if kept else ""
