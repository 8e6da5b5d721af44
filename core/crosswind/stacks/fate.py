"""Whether a failover would be lost together with the region that it is to leave.

The handlers of a failover, and the state that they decide on, must outlive the region that fails.
A stack in a region from which the fleet moves traffic away has both in that region only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet

LEAVING: Final = frozenset({"register.accept", "traffic.set-weights"})
"""Kinds of action by which traffic leaves a region."""


def shared_fate(kinds: Iterable[str], fleet: Fleet | None, place: str) -> str | None:
    """Why an app that acts by these kinds must not be hosted here; None where it may.

    Args:
        kinds: that its handlers declare.
        fleet: what they act on; without one they only observe.
        place: the region of the stack, such as `aws/us-east-1`.
    """
    if fleet is None or not LEAVING & set(kinds):
        return None
    left = {region for region in fleet.regions if fleet.workloads_in(region)}
    if place in left:
        names = ", ".join(fleet.workloads_in(place)[:3])
        why = f"fleet {fleet.name} leaves {place} when it fails ({names})"
    else:
        here = fleet.regions.get(place)
        domains = set() if here is None else set(here.failing_domains)
        alike = sorted(
            region for region in left if domains & set(fleet.regions[region].failing_domains)
        )
        if not alike:
            return None
        shared = ", ".join(sorted(domains & set(fleet.regions[alike[0]].failing_domains)))
        why = f"{place} fails together with {alike[0]} ({shared}), which fleet {fleet.name} leaves"
    return (
        f"{why}, and its failover would have its handlers and its store in {place} only; deploy it "
        "to a region where the fleet has no workload, or accept that with --share-fate"
    )
