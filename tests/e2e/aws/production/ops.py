"""An app as a team deploys it: every built-in chain, the performers of its account, and a desk."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from crosswind import App, Context, Event
from crosswind.actions import Performer
from crosswind.chains.failover import failover_app
from crosswind.engine.settings import Settings
from crosswind.fleet.load import load_fleet
from crosswind_aws.performers import deployed
from crosswind_aws.performers.declarations import load_resources
from crosswind_events import EventData

HERE = Path(__file__).parent

# A lease hardly longer than a change of AWS may take: a killed function's work is soon taken over.
app = App("ops", settings=Settings(lease=16.0, skew=0.5, wait=1.0, backoff=0.2, backoff_limit=1.0))
app.include(failover_app(probe_every=3600.0, drift_every=3600.0))


class Filed(EventData, type="com.example.filed.v1"):
    """A form has come in."""

    crashes: bool = False
    fails: bool = False


class Answered(EventData, type="com.example.answered.v1", ends="completed"):
    """It was answered."""


@app.on(name="answer", group="desk")
def answer(event: Event[Filed], ctx: Context) -> Answered:
    """As a library would that some input brings down, with all of its process."""
    if event.data.crashes:
        os.kill(os.getpid(), signal.SIGKILL)
    if event.data.fails:
        raise ValueError("this form cannot be read")
    return Answered()


def performers() -> tuple[Performer, ...]:
    """Who carries out what the chains decide."""
    return deployed(load_resources(HERE / "aws.yaml"), load_fleet(HERE / "fleet.yaml"))
