"""The chain's app, and the names and bounds that its handlers share.

apply:round:N    a question whose answer is the members of the round, and their join
"""

from __future__ import annotations

from typing import Any, Final

from crosswind.app import App
from crosswind.fleet.applications import PAGE
from crosswind.handlers import Flight
from crosswind_events import Event
from crosswind_events.catalogue.fleet import Application

chain: Final = App("apply")

DEADLINE: Final = 3 * 86_400.0
"""Seconds after which a chain is declared stalled; it leaves time for approvals and many rounds."""

ROUND: Final = PAGE
"""Workloads of one round, so that all its branches fit in one run's outbox."""

ROUNDS: Final = 12
"""Rounds of one chain, whose hops are bounded; what is left goes on in a chain of its own."""

TURNS: Final = 4
"""How often a workload is looked at anew because the register has changed meanwhile."""

ROUND_PREFIX: Final = "apply:round:"

REASONS: Final = 40
"""Reasons that an event carries; there may be more workloads than people read."""


def _fleet(event: Event[Any]) -> str:
    return str(event.data.fleet)


FLIGHT: Final = Flight("apply", key=_fleet, second="queue")
"""One application at a time: the next one waits."""


def round_name(number: int) -> str:
    """The join of a round's workloads."""
    return f"{ROUND_PREFIX}{number}"


def plan_of(application: Application, workload: str) -> str:
    """The plan by which a workload converges.

    Where a person has granted the whole application its own, which that grant covers. Otherwise
    one for each workload: what is granted of one says nothing of another.
    """
    return application.plan if application.covered else f"{application.plan}:{workload}"


def incident_of(fleet: str) -> str:
    """The name of a fleet's incident: a declaration that cannot be applied is one trouble."""
    return f"apply:{fleet}"
