"""An app that looks by itself: probes and drift on schedules, and a promise that is kept later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crosswind import App, Context, Event
from crosswind.actions import Performer
from crosswind.chains.failover import failover_app
from crosswind.emissions import Later, later
from crosswind.fleet.load import load_fleet
from crosswind_aws.performers import deployed
from crosswind_aws.performers.declarations import load_resources
from crosswind_events import EventData

HERE = Path(__file__).parent

PROBES = 30.0
DRIFT = 60.0
"""Seconds between two rounds."""

app = App("ops")
app.include(failover_app(probe_every=PROBES, drift_every=DRIFT))


class Promised(EventData, type="com.example.promised.v1"):
    """Something is to be done after so many seconds."""

    seconds: float


class Due(EventData, type="com.example.due.v1"):
    """The time has come."""


class Kept(EventData, type="com.example.kept.v1", ends="completed"):
    """It was done."""


@app.on(name="promise", group="desk")
def promise(event: Event[Promised], ctx: Context) -> Iterator[Later[Due]]:
    """Wait."""
    yield later(Due(), event.data.seconds)


@app.on(name="keep", group="desk")
def keep(event: Event[Due], ctx: Context) -> Kept:
    """Do it."""
    return Kept()


def performers() -> tuple[Performer, ...]:
    """Who carries out what the chains decide."""
    return deployed(load_resources(HERE / "aws.yaml"), load_fleet(HERE / "fleet.yaml"))
