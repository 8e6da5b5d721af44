"""Drift: the world is compared with the register on a schedule, and brought back to it.

    a tick -> some workloads are compared; one that differs is looked at again after a grace
    drift.detected -> what the register intends is asserted again, under its present epoch
                   -> drift.reconciled, or an incident and drift.unresolved

    from crosswind.chains.drift import drift_app
    app.include(drift_app(every=300.0))

A call that lands late, a rule changed by hand, a process that lost its replicas: all are drift of
the world against what is intended. What is compared is the register, never the declaration, so
that nothing here undoes a failover or applies a file.

| module    | what is in it                                                      |
|-----------|--------------------------------------------------------------------|
| detection | the schedule, and the two looks                                    |
| assertion | asserts what is intended, until it holds for the newest epoch      |
| reconcile | the reaction to drift.detected, and how its chain ends             |
"""

from __future__ import annotations

from crosswind.chains.drift.assembly import EVERY, drift_app

__all__ = ["EVERY", "app", "drift_app"]

app = drift_app()
"""The chain with a round every five minutes."""
