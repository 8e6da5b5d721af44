"""The drift app, put together from its parts."""

from __future__ import annotations

from typing import Any, Final

from crosswind.actions import Query
from crosswind.app import App
from crosswind.chains.drift.detection import compare, look_again, tick
from crosswind.chains.drift.reconcile import chain
from crosswind.chains.incidents.app import app as incidents
from crosswind.chains.incidents.operations import OpenIncidents
from crosswind.fleet.applications import ReadIntention
from crosswind.fleet.operations import ReadRegions
from crosswind.operations.endpoints import EndpointStatus
from crosswind.operations.traffic import CurrentWeights

EVERY: Final = 300.0
"""Seconds between two rounds unless said otherwise."""

ATTEMPTS: Final = 2
"""How often a look is tried: the next round looks again anyway."""

READS: Final[tuple[type[Query[Any]], ...]] = (
    ReadIntention,
    ReadRegions,
    CurrentWeights,
    EndpointStatus,
)


def drift_app(every: float | None = EVERY) -> App:
    """The app that compares the world with the register, and brings it back.

    Args:
        every: seconds between two rounds; None to react to `drift.detected` alone.
    """
    app = App("drift")
    app.include(chain)
    app.include(incidents)
    if every is not None:
        app.schedule(every=every)(tick)
        app.on(reads=[*READS, OpenIncidents], attempts=ATTEMPTS)(compare)
        app.on(reads=READS, attempts=ATTEMPTS)(look_again)
    return app
