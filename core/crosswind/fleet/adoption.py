"""Adoption: what a workload has becomes what is intended, where the register holds nothing yet.

Without it a declaration that has changed would look as if it had been in force all the time: the
register knows a workload of which it holds nothing by its declaration alone.
"""

from __future__ import annotations

from crosswind.fleet import keys
from crosswind.fleet.acceptance import Decision, Snapshot, encoded, reservations
from crosswind.fleet.applications import Adopted, AdoptPlacement
from crosswind.fleet.state import WorkloadState
from crosswind.ports import ABSENT


def adopt(snapshot: Snapshot, action: AdoptPlacement) -> Decision[Adopted]:
    """Intend what is there, unless something is intended already."""
    assert snapshot.workload is not None, "the workload is read for every action that has one"
    key = keys.workload(action.workload)
    if snapshot.versions[key] != ABSENT:
        return Decision(Adopted(adopted=False, epoch=snapshot.workload.epoch))
    state = WorkloadState(
        epoch=action.epoch, weights=action.weights, capacity=action.capacity, plan=action.plan
    )
    held = reservations(snapshot, snapshot.regions, action.workload, action.capacity)
    return Decision(Adopted(adopted=True, epoch=state.epoch), {key: encoded(state), **held})
