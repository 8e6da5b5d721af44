"""What the register intends, for performers whose service cannot compare an epoch.

Such a performer reads the register again after its change, and where a newer epoch is in force it
asserts that one again: two calls that overtake each other end in what is newest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from crosswind.fleet.applications import ReadIntention

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet
    from crosswind.fleet.state import WorkloadState
    from crosswind.ports import Store

Intentions = Callable[[str, int], "WorkloadState | None"]
"""What is intended for a workload under an epoch higher than one; None where none is."""


def intentions(store: Store, fleet: Fleet) -> Intentions:
    """What the register of a fleet intends.

    Args:
        store: where the register is kept.
        fleet: as it is declared.
    """
    from crosswind.fleet.register import RegisterPerformer

    register = RegisterPerformer(store, fleet)

    def newer(workload: str, epoch: int) -> WorkloadState | None:
        if workload not in fleet.workloads:
            return None
        found = register.answer(ReadIntention(workload=workload), 0.0)
        return found.workload if found.recorded and found.workload.epoch > epoch else None

    return newer
