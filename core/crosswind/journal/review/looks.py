"""What was looked at and could not be seen, and what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from crosswind.journal.review.facts import Outage
from crosswind.records.record import Entry
from crosswind_events.catalogue.traffic import TrafficShift

ENOUGH_REQUESTS: Final = 20
"""Real requests below which a region's error rate says nothing; as the shift has it."""


def gaps(event: Mapping[str, Any], entry: Entry) -> Iterator[str]:
    """What an observation of the run that handled this event did not show, in words."""
    args, result = _mapping(entry.args), _mapping(entry.result)
    if entry.kind == "query:endpoint.status":
        for region, state in _mapping(result.get("states")).items():
            if not state.get("reachable"):
                yield f"the endpoint of {args.get('workload')} in {region} did not answer"
    elif entry.kind == "query:telemetry.traffic":
        yield from _traffic(event, str(args.get("workload")), _mapping(result.get("regions")))
    elif entry.kind.startswith(("join:", "close:")) and result.get("missing"):
        yield f"no answer in time from {', '.join(map(str, result['missing']))}"


def outage(entry: Entry) -> Outage | None:
    """What callers saw, where an observation has measured it."""
    if entry.kind != "query:telemetry.outage":
        return None
    result = _mapping(entry.result)
    if result.get("counted") == 0:
        return None
    workload = str(_mapping(entry.args).get("workload"))
    return Outage(workload, result.get("began"), result.get("ended"))


def _traffic(event: Mapping[str, Any], workload: str, seen: Mapping[str, Any]) -> Iterator[str]:
    """Regions whose real traffic was too little to judge a step by."""
    data = event.get("data")
    if not isinstance(data, Mapping) or event["type"] != TrafficShift.event_type:
        return
    plan = _mapping(data.get("plan"))
    origin = _mapping(plan.get("origin"))
    for region, share in _mapping(plan.get("target")).items():
        served = origin.get(region, 0.0) > 0 or int(data.get("step", 1)) > 1
        requests = int(_mapping(seen.get(region)).get("requests", 0))
        if share > 0 and served and requests < ENOUGH_REQUESTS:
            yield (
                f"too little real traffic of {workload} in {region} to judge a step by "
                f"(fewer than {ENOUGH_REQUESTS} requests were seen)"
            )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
