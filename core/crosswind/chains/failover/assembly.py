"""The failover app, put together from its parts."""

from __future__ import annotations

from typing import Final

from crosswind.app import App
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


def failover_app(probe_every: float | None = EVERY) -> App:
    """The failover chain with its recovery, incidents and probes.

    Args:
        probe_every: seconds between two rounds of probes, None for none; use the fleet's
            `probes.every`.
    """
    app = App("failover")
    app.include(chain)
    app.include(incidents)
    if probe_every is not None:
        app.include(probes_app(probe_every))
    return app
