"""What was said: from one event of a run to what it decided, planned, and began."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from crosswind.journal import findings
from crosswind.journal.review.facts import Decided, Moment, Planned, Seen
from crosswind.journal.review.wording import short
from crosswind_events import EventData
from crosswind_events.catalogue import capacity, failover, probe, recovery, traffic
from crosswind_events.catalogue.chain import BranchFailed, ChainDeadline, RunResume
from crosswind_events.catalogue.incident import IncidentOpened, IncidentResolved
from crosswind_events.catalogue.region import RegionRecovered, RegionUnhealthy

_SAYS: Final = {
    RegionUnhealthy.event_type: "unhealthy",
    RegionRecovered.event_type: "recovered",
}

_ON_THE_WAY: Final[tuple[type[EventData], ...]] = (
    *probe.TYPES,
    *capacity.TYPES,
    BranchFailed,
    ChainDeadline,
    IncidentOpened,
    IncidentResolved,
    RunResume,
    failover.EvidenceDue,
    failover.SweepSettled,
    recovery.SoakOver,
    RegionRecovered,
    RegionUnhealthy,
)
_QUIET: Final = frozenset(data.event_type for data in _ON_THE_WAY)
"""What is said on the way and is no decision."""

_REQUESTED: Final = frozenset(
    {failover.FailoverRequested.event_type, recovery.FailbackRequested.event_type}
)
_PLANNED: Final = frozenset(
    {failover.FailoverPlanned.event_type, recovery.FailbackPlanned.event_type}
)
_SWEEPS: Final = frozenset(
    {failover.FailoverConfirmed.event_type, recovery.FailbackBegun.event_type}
)
_SHIFT: Final = traffic.TrafficShift.event_type
_SETTLED: Final = failover.WorkloadSettled.event_type
_MOVED: Final = frozenset({"moved", "unrelieved"})
_SOAK: Final = recovery.RecoveryConfirmed.event_type
_WAIT: Final = failover.EvidenceDue.event_type

_BECAUSE: Final = 2_000


class Counted(NamedTuple):
    """What a piece counted for; a decision goes before a wait, the latest before others."""

    decided: bool
    at: float
    weight: float
    because: str


def seen(chain: str, event: Mapping[str, Any], heard: float | None) -> Seen | None:
    """The word of an observer, if a first event is one.

    Args:
        heard: when its run began, seconds since the epoch; None where that is not known.
    """
    says, data = _SAYS.get(event["type"]), event.get("data")
    if says is None or not isinstance(data, Mapping):
        return None
    native = data.get("native") or {}
    at = seconds(event)
    return Seen(
        chain=chain,
        at=at,
        heard=heard,
        event=str(event["id"]),
        says=says,
        kind=str(data.get("evidence", "")),
        source=str(event["source"]),
        region=str(data.get("region", "")),
        vantage=str(data.get("vantage") or ""),
        workload=str(data.get("workload") or ""),
        alarm=str(native.get("name") or "") if data.get("evidence") == "alarm" else "",
        reason=short(str(data.get("reason", ""))),
        last=at,
    )


def decided(chain: str, event: Mapping[str, Any], ends: str) -> Decided | None:
    """What an event decides and why; None where it only carries on what was decided before.

    Args:
        ends: the outcome with which it ends its chain, empty where it does not.
    """
    kind, data = str(event["type"]), event["data"]
    if kind in _QUIET or _goes_on(kind, data):
        return None
    decisions, because = findings.decisions(data), findings.because(data)
    if not (decisions or because or ends):
        return None
    plan = data.get("plan")
    weighed = decisions[0] if decisions else None
    return Decided(
        chain=chain,
        at=seconds(event),
        type=kind,
        workload=workload_of(data),
        because=because[:_BECAUSE],
        rule="" if weighed is None else weighed.rule,
        chosen=None if weighed is None else weighed.chosen,
        alternatives=() if weighed is None else weighed.alternatives,
        plan=str(plan["id"]) if isinstance(plan, Mapping) and "id" in plan else "",
        attempt=_attempt(data),
        conflicts=int(data.get("conflicts") or 0),
        outcome=str(data.get("outcome") or ""),
        ends=ends,
    )


def planned(chain: str, event: Mapping[str, Any]) -> Planned | None:
    """The accepted plan that an event tells of, if it tells of one."""
    if event["type"] not in _PLANNED:
        return None
    plan, decision = event["data"]["plan"], event["data"].get("decision") or {}
    ready = plan.get("ready") or {}
    ways = decision.get("alternatives") or ()
    chosen = (one for one in ways if one.get("name") == decision.get("chosen"))
    way: Mapping[str, Any] = next(chosen, {})
    return Planned(
        chain=chain,
        at=seconds(event),
        plan=str(plan["id"]),
        workload=str(plan["workload"]),
        purpose=str((plan.get("sweep") or {}).get("purpose", "")),
        attempt=int(plan.get("attempt", 1)),
        chosen=str(decision.get("chosen") or ""),
        target={region: share for region, share in (plan.get("target") or {}).items() if share > 0},
        added={
            region: count - ready.get(region, 0)
            for region, count in (plan.get("replicas") or {}).items()
            if count > ready.get(region, 0)
        },
        cost=float(way.get("cost_delta") or 0.0),
        egress=float(way.get("egress") or 0.0),
        unserved=float(way.get("unserved") or 0.0),
    )


def counted(event: Mapping[str, Any]) -> Iterator[tuple[str, Counted]]:
    """By the id of each piece that an event weighs, what it counted for."""
    is_decision = event["type"] != _WAIT
    for piece in event["data"].get("pieces") or ():
        if isinstance(piece, Mapping) and "event" in piece:
            weight, because = float(piece.get("weight") or 0.0), str(piece.get("because", ""))
            yield str(piece["event"]), Counted(is_decision, seconds(event), weight, because)


def moments(event: Mapping[str, Any]) -> Iterator[Moment]:
    """The phases that an event begins."""
    kind, data, at = event["type"], event["data"], seconds(event)
    workload = workload_of(data)
    if kind in _SWEEPS:
        names = (data.get("sweep") or {}).get("workloads") or ()
        yield from (Moment(at, "planning", str(name)) for name in ("", *names))
    elif kind == _SOAK:
        yield Moment(at, "soak", "")
    elif kind in _REQUESTED:
        yield Moment(at, "planning", workload)
    elif kind in _PLANNED:
        yield Moment(at, "capacity", workload)
    elif kind == _SHIFT and data.get("step") == 1 and not _held(data):
        yield Moment(at, "shift", workload)
    elif kind == _SETTLED:
        yield Moment(at, "conclusion", workload)


def unmeasured(event: Mapping[str, Any]) -> tuple[str, str] | None:
    """A workload that was moved away, and why its recovery time is not known; empty where it is.

    None where the event tells of no such thing.
    """
    data = event["data"]
    if event["type"] != _SETTLED or "simulated" in event or data.get("outcome") not in _MOVED:
        return None
    if (data.get("sweep") or {}).get("purpose") != "failover":
        return None
    known = data.get("recovery_seconds") is not None
    return str(data["workload"]), "" if known else short(str(data.get("because", "")))


def workload_of(data: Any) -> str:
    """The workload that some data is about, if it is one."""
    if not isinstance(data, Mapping):
        return ""
    plan = data.get("plan")
    found = data.get("workload") or (plan.get("workload") if isinstance(plan, Mapping) else None)
    return str(found) if isinstance(found, str) else ""


def seconds(event: Mapping[str, Any]) -> float:
    """The time of an event, seconds since the epoch."""
    return datetime.fromisoformat(event["time"]).timestamp()


def _goes_on(kind: str, data: Mapping[str, Any]) -> bool:
    """What only carries on what was decided before: a first request, a step that is due."""
    if kind in _REQUESTED:
        return int(data.get("attempt") or 1) == 1 and not data.get("conflicts")
    return kind == _SHIFT and not _held(data)


def _held(data: Mapping[str, Any]) -> bool:
    return bool(data.get("holds") or data.get("waits"))


def _attempt(data: Mapping[str, Any]) -> int:
    plan = data.get("plan")
    found = data.get("attempt") or (plan.get("attempt") if isinstance(plan, Mapping) else None)
    return int(found) if isinstance(found, int) else 0
