"""The failover app, put together from its parts."""

from __future__ import annotations

from typing import Final

from crosswind.app import App
from crosswind.chains.apply import apply_app
from crosswind.chains.drift import EVERY as DRIFT_EVERY
from crosswind.chains.drift import drift_app
from crosswind.chains.failover import (
    branches,
    capacity,
    conclusion,
    confirm,
    planning,
    recovery,
    shift,
    sweep,
)
from crosswind.chains.failover.chain import chain
from crosswind.chains.failover.probes import EVERY, probes_app
from crosswind.chains.incidents.app import app as incidents

PARTS: Final = (confirm, recovery, sweep, planning, capacity, shift, branches, conclusion)
"""The modules whose handlers make up the chain, in the order of its story."""


def failover_app(probe_every: float | None = EVERY, drift_every: float | None = DRIFT_EVERY) -> App:
    """The failover chain with its recovery, incidents, probes and reconciliation.

    The app that applies declarations is in it as well, which need not be scheduled.

    Args:
        probe_every: seconds between two rounds of probes, None for none; use the fleet's
            `probes.every`.
        drift_every: seconds between two comparisons of the world with the register, None for none.
    """
    app = App("failover")
    app.include(chain)
    app.include(incidents)
    app.include(drift_app(drift_every))
    app.include(apply_app())
    if probe_every is not None:
        app.include(probes_app(probe_every))
    return app
