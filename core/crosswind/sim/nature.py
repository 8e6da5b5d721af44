"""Nature: the constants of a simulated world that no fleet declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crosswind.errors import DeclarationError


@dataclass(frozen=True, slots=True)
class Nature:
    """How a simulated world behaves while nothing is wrong with it. Times in seconds.

    Attributes:
        headroom: how much more than its declared `per_replica` a replica serves before it sheds.
        service_ms: milliseconds that a request takes where it is served.
        latency_ms: milliseconds from there to the users, where the region does not say.
        spread: standard deviation of the logarithm of latency.
        queue_ms: milliseconds that a request waits at the most before it is shed.
        errors: share of requests that fail though all is well.
        start_up: from the request for a new replica until it serves, where a workload does not say.
        start_up_spread: standard deviation of the logarithm of start-up times.
        check_after: after which replicas that are starting are looked at again.
        telemetry_lag: by which telemetry is always late.
        steady: without failures, after which an outage counts as over.
        message_median, message_spread, message_most: what a message takes on the bus, log-normal.
        duplicates: share of messages that the bus delivers twice.
        spot: share of each workload's replicas that are spot capacity, where a region sells it.
        spot_spread: standard deviation of the logarithm of spot prices.
    """

    headroom: float = 1.25
    service_ms: float = 60.0
    latency_ms: float = 40.0
    spread: float = 0.35
    queue_ms: float = 2_000.0
    errors: float = 0.0002
    start_up: float = 30.0
    start_up_spread: float = 0.25
    check_after: float = 15.0
    telemetry_lag: float = 0.0
    steady: float = 10.0
    message_median: float = 0.02
    message_spread: float = 0.6
    message_most: float = 1.0
    duplicates: float = 0.0
    spot: float = 0.3
    spot_spread: float = 0.2

    def __post_init__(self) -> None:
        shares = ("errors", "duplicates", "spot")
        wrong = [name for name in shares if not 0 <= getattr(self, name) <= 1]
        wrong += [name for name in self.__slots__ if getattr(self, name) < 0]
        wrong += [name for name in ("headroom", "steady", "check_after") if not getattr(self, name)]
        if wrong:
            named = ", ".join(f"{name}={getattr(self, name):g}" for name in dict.fromkeys(wrong))
            raise DeclarationError(
                f"Nature: {named}; shares go from 0 to 1, nothing is below 0, and headroom, steady "
                "and check_after are above 0"
            )


NATURE: Final = Nature()
"""The constants of a world of which nothing else is said."""
