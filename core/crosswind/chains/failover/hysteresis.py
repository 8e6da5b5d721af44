"""Hysteresis: before a region is left, it is looked at once more.

Where a sum of evidence would suffice,

- what was measured a while ago is measured again: an observer that was answered again is not
  always heard again;
- those observers of our own that have not spoken are asked: a word of theirs that all is well
  weighs against the sum, like that of any other independent observer.

A look that finds nothing out says nothing, neither for nor against. Nothing is looked at where an
operator has spoken: people know what probes do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from crosswind.chains.failover import traffic
from crosswind.chains.failover.evidence import Verdict
from crosswind.chains.failover.vantages import failed, sight
from crosswind.context import Context
from crosswind.fleet.operations import ReadRegions
from crosswind.operations.telemetry import ProbeEndpoint
from crosswind_events import Event, RegionRecovered
from crosswind_events.catalogue.failover import Piece

LOOKS: Final = 3
"""Pieces that are looked at anew, the oldest first, and probes of those who have not spoken: each
look may take as long as a probe."""

ASKED: Final = 2
"""Vantages of ours that are asked about one workload where they have said nothing."""

LOOK: Final = "//crosswind/look"
"""The source of what a look of the chain itself has found."""

_SHORTEST: Final = 1.0


class Looked(NamedTuple):
    """What looking once more has found.

    Attributes:
        doubts: by event id, why a piece is contradicted.
        words: of observers that had not spoken, and find all well.
    """

    doubts: Mapping[str, str]
    words: tuple[Event[Any], ...]

    def __bool__(self) -> bool:
        return bool(self.doubts or self.words)


def look(verdict: Verdict, region: str, ctx: Context, now: datetime) -> Looked:
    """Look once more at a region that the evidence says has failed."""
    standing = verdict.standing
    if any(piece.kind == "operator" for piece in standing):
        return Looked({}, ())
    found = dict(_again(verdict, region, ctx, now))
    words = tuple(_asked(verdict, region, ctx, now)) if ctx.fleet.failover.contradiction else ()
    return Looked(found, words)


def _again(verdict: Verdict, region: str, ctx: Context, now: datetime) -> Iterator[tuple[str, str]]:
    """By event id, why a piece of our own measuring is contradicted by measuring it again."""
    fleet = ctx.fleet
    hold = fleet.failover.hold
    # What had to last for less than a round is looked at again as well when it has.
    old = now - timedelta(seconds=min(fleet.probes.every, hold) if hold else fleet.probes.every)
    looked = 0
    for piece in verdict.standing:
        workload = _workload(piece.workload, region, ctx)
        if piece.at > old or looked == LOOKS or workload is None:
            continue
        if piece.kind == "probe" and piece.vantage in fleet.probes.vantages:
            looked += 1
            doubt = _probe_again(piece, workload, region, ctx)
        elif piece.kind == "telemetry":
            looked += 1
            doubt = _read_again(workload, region, ctx, now)
        else:
            continue
        if doubt:
            yield piece.event, doubt


def _probe_again(piece: Piece, workload: str, region: str, ctx: Context) -> str:
    vantage = str(piece.vantage)
    if _answered(vantage, workload, region, ctx):
        return f"a fresh probe from {vantage} was answered"
    seen = sight(vantage, region, workload, ctx)
    if seen.blind:
        return f"vantage {vantage} is not believed: from it {seen.asked} other region(s) fail now"
    return ""


def _read_again(workload: str, region: str, ctx: Context, now: datetime) -> str:
    window = max(ctx.fleet.workloads[workload].shift.window, _SHORTEST)
    since = ctx.observe(ReadRegions(regions=(region,))).regions[region].since
    seen = ctx.observe(traffic.question(workload, ctx.fleet, window))
    if traffic.failing(seen, region, workload, ctx.fleet, now, since) is not None:
        return ""
    well = traffic.well(seen, region, workload, ctx.fleet, now)
    return f"a fresh look at its traffic finds it well: {well}" if well else ""


def _asked(
    verdict: Verdict, region: str, ctx: Context, now: datetime
) -> Iterator[Event[RegionRecovered]]:
    """What those say who have not spoken: only that all is well, for the rest has been said."""
    fleet, left = ctx.fleet, LOOKS
    for about in _doubtful(verdict, region, ctx):
        workload = _workload(about, region, ctx)
        if workload is None:
            continue
        spoken = {
            (piece.kind, piece.vantage)
            for piece in verdict.standing
            if piece.workload is None or piece.workload == about
        }
        if not any(kind == "telemetry" for kind, _ in spoken):
            last = max(piece.at for piece in verdict.standing)
            well = _well_since(last, workload, region, ctx, now)
            if well:
                yield _word(region, "telemetry", None, about, well, now)
        silent = [v for v in fleet.probes.vantages if ("probe", v) not in spoken]
        for vantage in silent[: min(left, ASKED)]:
            left -= 1
            if _answered(vantage, workload, region, ctx):
                said = f"{workload} answered probes from {vantage}"
                yield _word(region, "probe", vantage, about, said, now)


def _doubtful(verdict: Verdict, region: str, ctx: Context) -> tuple[str | None, ...]:
    """What is looked at: the region as a whole, or the most important ones of its workloads."""
    if verdict.workloads is None:
        return (None,)
    declared = ctx.fleet.workloads_in(region)
    return tuple(name for name in declared if name in verdict.workloads)[:LOOKS]


def _well_since(
    last: datetime, workload: str, region: str, ctx: Context, now: datetime
) -> str | None:
    """Why its real traffic speaks for a region: only what came since the last word can."""
    fleet = ctx.fleet
    longest = max(fleet.workloads[workload].shift.window, _SHORTEST)
    seconds = min(max((now - last).total_seconds(), _SHORTEST), longest)
    seen = ctx.observe(traffic.question(workload, fleet, seconds, burn=False))
    return traffic.well(seen, region, workload, fleet, now)


def _answered(vantage: str, workload: str, region: str, ctx: Context) -> bool:
    count = ctx.fleet.probes.count
    probed = ctx.observe(
        ProbeEndpoint(workload=workload, region=region, count=count, vantage=vantage)
    )
    return not failed(probed, ctx.fleet, workload)


def _word(
    region: str,
    evidence: str,
    vantage: str | None,
    about: str | None,
    reason: str,
    now: datetime,
) -> Event[RegionRecovered]:
    said = RegionRecovered.model_validate(
        {
            "region": region,
            "evidence": evidence,
            "vantage": vantage,
            "workload": about,
            "reason": reason,
        }
    )
    name = "-".join(part for part in ("look", evidence, vantage, about) if part)
    return Event.of(said, id=name, source=LOOK, time=now, subject=region)


def _workload(named: str | None, region: str, ctx: Context) -> str | None:
    """The workload to look at: the one that is named, or the most important one of the region."""
    declared = ctx.fleet.workloads_in(region)
    if named is None:
        return declared[0] if declared else None
    return named if named in declared else None
