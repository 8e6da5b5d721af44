"""A small policy with everything that a chain can hold: it drains a region that fails too much.

The world is two files of the working folder: `rates.json` holds error rates by region,
`drained.json` what was drained, by key. A file `stuck` makes the drain fail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from crosswind import (
    Action,
    Answer,
    App,
    Branch,
    Context,
    Flight,
    Later,
    Query,
    branch,
    later,
)
from crosswind.actions import Call
from crosswind.errors import ActionRefused
from crosswind_events import Event, EventData, RegionUnhealthy
from crosswind_events.catalogue.incident import IncidentOpened

RATES, DRAINED, STUCK = Path("rates.json"), Path("drained.json"), Path("stuck")


class ErrorRate(Answer):
    rate: float


class ReadErrorRate(Query[ErrorRate], kind="drain.error-rate"):
    region: str


class Drained(Answer):
    region: str
    first: bool


class Drain(Action[Drained], kind="drain.start"):
    region: str
    workload: str
    because: str = ""

    def assumed(self) -> Drained:
        return Drained(region=self.region, first=True)

    def summary(self) -> str:
        return f"drain {self.region} of {self.workload} because {self.because}"


class DrainDecided(EventData, type="com.example.drain.decided.v1"):
    region: str
    pieces: list[dict[str, Any]]
    decision: dict[str, Any]
    because: str


class DrainWanted(EventData, type="com.example.drain.wanted.v1"):
    region: str
    workload: str
    because: str


class DrainDue(EventData, type="com.example.drain.due.v1"):
    region: str
    looks: int = 0


class DrainDone(EventData, type="com.example.drain.done.v1", ends="completed"):
    region: str
    because: str = ""


class DrainUnneeded(EventData, type="com.example.drain.unneeded.v1", ends="nothing-to-do"):
    region: str
    because: str


class DrainRefused(EventData, type="com.example.drain.refused.v1", ends="refused"):
    region: str
    because: str


class Watched(EventData, type="com.example.drain.watched.v1"):
    region: str = Field(max_length=64)


def _region(event: Event[Any]) -> str:
    return str(event.data.region)


app = App("policy")


@app.on(reads=[ReadErrorRate], flight=Flight("region", key=_region), deadline=3600.0)
def judge(event: Event[RegionUnhealthy], ctx: Context) -> DrainDecided | DrainUnneeded:
    """Weigh what is said against what is measured."""
    region, most = event.data.region, ctx.fleet.failover.quorum / 10
    seen = [one for one in ctx.evidence() if one.data.region == region]
    rate = ctx.observe(ReadErrorRate(region=region)).rate
    if rate <= most:
        return DrainUnneeded(region=region, because=f"{rate:.0%} fail, of {most:.0%} allowed")
    pieces = [
        {
            "source": one.source,
            "kind": one.data.evidence,
            "says": "unhealthy",
            "weight": 1.0,
            "because": one.data.reason,
        }
        for one in seen
    ]
    decision = {
        "rule": "the least traffic moved",
        "chosen": "drain one workload",
        "because": f"{rate:.0%} fail",
        "alternatives": [
            {"name": "drain one workload", "because": "enough"},
            {"name": "drain all", "because": "more than is needed", "breaks": ["floor"]},
        ],
    }
    because = f"{rate:.0%} fail, more than {most:.0%}"
    return DrainDecided(region=region, pieces=pieces, decision=decision, because=because)


@app.on()
def part(event: Event[DrainDecided], ctx: Context) -> Iterator[Branch[DrainWanted]]:
    """One branch for each workload of the region."""
    for workload in ctx.fleet.workloads_in(event.data.region):
        wanted = DrainWanted(
            region=event.data.region, workload=workload, because=event.data.because
        )
        yield branch(wanted, join="drains", member=workload)


@app.on(acts=[Drain], attempts=1)
def drain(event: Event[DrainWanted], ctx: Context) -> Iterator[Later[DrainDue] | DrainRefused]:
    """Drain, when a person or the fleet's mode allows it."""
    wanted = event.data
    asked = Drain(region=wanted.region, workload=wanted.workload, because=wanted.because)
    try:
        result = ctx.act(asked)
    except ActionRefused as refused:
        yield DrainRefused(region=wanted.region, because=str(refused))
        return
    workloads = ctx.fleet.workloads_in(wanted.region)
    joined = ctx.join("drains", wanted.workload, workloads, result.region)
    if joined is not None:
        yield later(DrainDue(region=wanted.region), 0.0)


@app.on()
def look(event: Event[DrainDue], ctx: Context) -> Iterator[Later[DrainDue] | DrainDone]:
    """Look twice, a moment apart."""
    if event.data.looks < 2:
        yield later(DrainDue(region=event.data.region, looks=event.data.looks + 1), 0.01)
        return
    yield DrainDone(region=event.data.region)


@app.on(aside=True)
def note(event: Event[IncidentOpened], ctx: Context) -> None:
    """Incidents are noted."""


class Plant:
    """The world; a repeated key is recognised in `drained.json`."""

    performs: tuple[type[Action[Any]], ...] = (Drain,)
    answers: tuple[type[Query[Any]], ...] = (ReadErrorRate,)

    def perform(self, action: Drain, call: Call) -> Drained:
        """Note what was drained."""
        if STUCK.exists():
            raise RuntimeError(f"the drain of {action.region} is stuck")
        drained = json.loads(DRAINED.read_text()) if DRAINED.exists() else {}
        first = call.key not in drained
        drained.setdefault(call.key, [action.region, action.workload])
        DRAINED.write_text(json.dumps(drained))
        return Drained(region=action.region, first=first)

    def answer(self, query: ReadErrorRate, timeout: float) -> ErrorRate:
        """The rate of the file; 40 % where it says nothing."""
        rates = json.loads(RATES.read_text()) if RATES.exists() else {}
        return ErrorRate(rate=rates.get(query.region, 0.4))


def performers() -> list[Plant]:
    """What `--performers policy:performers` gives."""
    return [Plant()]
