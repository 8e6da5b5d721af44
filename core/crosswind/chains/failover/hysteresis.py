"""Hysteresis: before a region is left, what was measured a while ago is measured once more.

An observer that was answered again is not always heard again. Where a sum of evidence would
suffice, its older pieces of our own measuring are therefore looked at anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from crosswind.chains.failover.evidence import Verdict
from crosswind.context import Context
from crosswind.operations.telemetry import ProbeEndpoint, ReadTelemetry
from crosswind_events.catalogue.failover import Piece

LOOKS: Final = 3
"""Pieces that are looked at anew, the oldest first: each look may take as long as a probe."""


def doubts(verdict: Verdict, region: str, ctx: Context, now: datetime) -> dict[str, str]:
    """By event id, why a piece is contradicted by a fresh look; empty where none is."""
    fleet = ctx.fleet
    old = now - timedelta(seconds=fleet.probes.every)
    found: dict[str, str] = {}
    looked = 0
    for piece in verdict.standing:
        if piece.at > old or looked == LOOKS:
            continue
        workload = _workload(piece, region, ctx)
        if workload is None:
            continue
        if piece.kind == "probe" and piece.vantage in fleet.probes.vantages:
            looked += 1
            probed = ctx.observe(
                ProbeEndpoint(
                    workload=workload,
                    region=region,
                    count=fleet.probes.count,
                    vantage=piece.vantage,
                )
            )
            if probed.failed < probed.sent * fleet.probes.threshold:
                found[piece.event] = f"a fresh probe from {piece.vantage} was answered"
        elif piece.kind == "telemetry":
            looked += 1
            shift = fleet.workloads[workload].shift
            seen = ctx.observe(ReadTelemetry(workload=workload, seconds=max(shift.window, 1.0)))
            here = seen.regions.get(region)
            if here is not None and here.requests and here.error_rate <= shift.max_error_rate:
                found[piece.event] = f"its traffic now fails by {here.error_rate:.1%} only"
    return found


def _workload(piece: Piece, region: str, ctx: Context) -> str | None:
    """The workload to look at: the one it names, or the most important one of the region."""
    declared = ctx.fleet.workloads_in(region)
    if piece.workload is None:
        return declared[0] if declared else None
    return piece.workload if piece.workload in declared else None
