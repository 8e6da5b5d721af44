"""What the journal of a chain says at the moment an incident is opened: where to look.

References, not the whole of it: `crosswind incident show` and `crosswind trace` tell the story.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic_core import from_json

from crosswind.chains.incidents.operations import Findings, Heard, Planned
from crosswind.ports import Store
from crosswind.records.identity import CHAIN_ID, EVIDENCE, RUN, chain_partition

READ: Final = 2_000
"""Items of a chain that are read; one of more items is told of as far as they go."""

FEW: Final = 12
"""References of each kind that are kept, the newest."""

_PAGE: Final = 100
_LONG: Final = 200


def gather(store: Store, chain: str | None) -> Findings:
    """What is found out from the journal of one chain.

    Raises:
        Throttled, Unreachable: the store could not be read.
    """
    if chain is None or not CHAIN_ID.fullmatch(chain):
        return Findings()
    partition = chain_partition(chain)
    said = [from_json(value) for value in _values(store, partition, EVIDENCE)]
    runs = [from_json(value) for value in _values(store, partition, RUN)]
    if not said and not runs:
        return Findings()
    said.sort(key=lambda event: str(event["time"]))
    runs.sort(key=lambda run: float(run["began"]))
    evidence = [heard for event in said if (heard := _heard(event)) is not None]
    plans = [plan for run in runs for plan in _plans(run)]
    refused = [words for run in runs for words in _refused(run)]
    gave_up = [_gave_up(run) for run in runs if run["state"] == "failed"]
    waits = [_waits(run) for run in runs if run["state"] in ("suspended", "retrying")]
    found = (evidence, plans, refused, gave_up, waits)
    return Findings(
        chain=chain,
        evidence=tuple(evidence[-FEW:]),
        plans=tuple(plans[-FEW:]),
        refused=tuple(refused[-FEW:]),
        gave_up=tuple(gave_up[-FEW:]),
        waits=tuple(waits[-FEW:]),
        more=sum(max(0, len(some) - FEW) for some in found),
    )


def _values(store: Store, partition: str, prefix: str) -> Iterator[bytes]:
    after, left = "", READ
    while left > 0:
        page = store.scan(partition, prefix, after, min(_PAGE, left))
        for item in page:
            yield item.value
        if len(page) < _PAGE:
            return
        left -= len(page)
        after = page[-1].key


def _heard(event: Mapping[str, Any]) -> Heard | None:
    data = event.get("data")
    if not isinstance(data, Mapping) or "evidence" not in data:
        return None
    vantage = data.get("vantage")
    return Heard(
        event=str(event["id"]),
        source=str(event["source"]),
        kind=f"{data['evidence']} from {vantage}" if vantage else str(data["evidence"]),
        region=str(data.get("region", "")),
        at=datetime.fromisoformat(event["time"]).timestamp(),
        reason=_short(str(data.get("reason", ""))),
    )


def _plans(run: Mapping[str, Any]) -> Iterator[Planned]:
    for out in run.get("out", ()):
        data = out["event"].get("data")
        plan = data.get("plan") if isinstance(data, Mapping) else None
        if not isinstance(plan, Mapping) or "decision" not in data:
            continue
        decision = data["decision"]
        chosen = decision.get("chosen") if isinstance(decision, Mapping) else None
        yield Planned(
            plan=str(plan["id"]),
            workload=str(plan["workload"]),
            attempt=int(plan["attempt"]),
            chosen=_short(str(chosen or "")),
        )


def _refused(run: Mapping[str, Any]) -> Iterator[str]:
    for entry in run.get("log", ()):
        refusal = entry.get("refused")
        if refusal:
            action = str(entry["kind"]).partition(":")[2]
            by = f" by {refusal['by']}" if refusal.get("by") else ""
            why = f": {refusal['reason']}" if refusal.get("reason") else ""
            yield _short(f"{action} was {refusal['outcome']}{by}{why}")


def _gave_up(run: Mapping[str, Any]) -> str:
    fails = run.get("fails") or [[0.0, run.get("why", ""), 0]]
    return _short(f"{run['handler']} (run {str(run['run'])[:8]}): {fails[-1][1]}")


def _waits(run: Mapping[str, Any]) -> str:
    why = run.get("why") or "no reason is recorded"
    return _short(f"{run['handler']} is {run['state']}: {why}")


def _short(text: str) -> str:
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"
