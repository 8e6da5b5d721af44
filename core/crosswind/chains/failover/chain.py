"""The chain's app, and the names and bounds that its handlers share.

Everything that runs of the chain decide together goes by a name: joins, questions, timer scopes.
An event made after a question or a join takes its identity from it. Each question below is
therefore followed by the same events, whichever run asks it.

    purpose         failover | recovery         what the chain is about; the first event says
    decision        sweep | unneeded            whether the region is left
    window          an event's id               who set the timer for more evidence
    held            a time                      since when the evidence suffices that has to last
    blip            an event's id               who set the timer for that
    contradicted    an event's id               who was the first to find a sum contradicted
    confirmed       `FailoverConfirmed`         on which evidence it is left
    recovered       `RecoveryConfirmed`         on which evidence it is well, and soaks
    soaking         yes                         it soaks, or waits for the leave to
    turn            relapsed | recovered        how the way back ends
    relapsed        `RegionRelapsed`            on which evidence it ends so
    failover:sweep:*     a `Sweep` as JSON      which workloads a join waits for
    failover:capacity:*  a `Plan` as JSON       which plan a join waits for

What is asked for besides, in case a grant is refused, belongs to joins `failover:spare:*`, which
nobody waits for: a dead letter of it ends nothing.
"""

from __future__ import annotations

from typing import Any, Final

from crosswind.app import App
from crosswind.fleet.declaration import Fleet
from crosswind.handlers import Flight
from crosswind_events import Event
from crosswind_events.catalogue.failover import Plan, Sweep

chain: Final = App("failover")

DEADLINE: Final = 86_400.0
"""Seconds after which a chain is declared stalled at the latest.

The fleet's own deadline is shorter, and no plan is made after it. This one has to be known when
the handlers are registered; it leaves time for approvals.
"""

RECOVERY_DEADLINE: Final = 3 * 86_400.0
"""The same for the way back, in which a region soaks first."""

PLANS: Final = 5
"""How often a workload is planned for because a plan did not hold in the world."""

TURNS: Final = 4
"""How often a run plans again because the register has changed meanwhile."""

CONFLICTS: Final = 8
"""How often a workload is planned for because the register refused the plans of a whole run."""

SWEEP: Final = 40
"""Workloads of one round, so that all its branches fit in one run's outbox."""

ROUNDS: Final = 40
"""Rounds of a sweep at the most."""


SWEEP_PREFIX: Final = "failover:sweep:"
FIRST_ROUND: Final = f"{SWEEP_PREFIX}failover:1"
"""Settled when the first round of leaving a region has begun."""

CAPACITY_PREFIX: Final = "failover:capacity:"
SPARE_PREFIX: Final = "failover:spare:"


def _region(event: Event[Any]) -> str:
    return str(event.data.region)


FLIGHT: Final = Flight("region", key=_region, second="join")
"""One chain for a region at a time: it is left or returned to, and all evidence joins."""


def sweep_name(sweep: Sweep) -> str:
    """The join of a round's workloads."""
    return f"{SWEEP_PREFIX}{sweep.purpose}:{sweep.round}"


def capacity_name(plan: Plan) -> str:
    """The join of a plan's regions, and the scope of its timer."""
    return f"{CAPACITY_PREFIX}{plan.id}"


def spare_name(plan: Plan) -> str:
    """The join of the regions that a plan asks besides."""
    return f"{SPARE_PREFIX}{plan.id}"


def patience(fleet: Fleet, workload: str) -> float:
    """Seconds for which replicas are waited for: what the policy says, once they could serve."""
    return fleet.failover.capacity_timeout + fleet.workloads[workload].start_up


def incident_of(region: str) -> str:
    """The name of a region's incident: the same trouble is one incident, however often met."""
    return f"region:{region}"


def not_left(region: str) -> str:
    """The title of an incident that is met because a region could not be left."""
    return f"{region} fails and is not left by all"
