"""The fleet on which policies are compared: one workload in five regions, with room for one less.

Every region holds what it needs when one of the others is gone, so that what is compared is how
soon a loss is noticed and answered, and not who orders replicas faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crosswind.fleet.declaration import Fleet
from crosswind.sim import Nature

WORKLOAD: Final = "chat"

PLACES: Final = (
    "virginia",
    "ireland",
    "singapore",
    "oregon",
    "tokyo",
    "california",
    "sao-paulo",
    "sydney",
)
"""Where observers may stand: the eight regions of Route 53's health checkers (`HealthCheckRegion`
of its API). Crosswind's vantages are the first few of them."""

NATURE: Final = Nature(telemetry_lag=60.0)
"""Telemetry of clouds is some minute late; all else is as the simulated world has it."""

_REGIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "aws/us-east-1": {"jurisdiction": "US", "failing_domains": ["grid:pjm"], "price": 1.20},
    "azure/eastus2": {"jurisdiction": "US", "failing_domains": ["grid:pjm"], "price": 1.30},
    "gcp/us-central1": {"jurisdiction": "US", "failing_domains": ["grid:miso"], "price": 1.10},
    "aws/eu-west-1": {"jurisdiction": "IE", "failing_domains": ["grid:eirgrid"], "price": 1.30},
    "gcp/europe-west4": {"jurisdiction": "NL", "failing_domains": ["grid:tennet"], "price": 1.25},
}
_EGRESS: Final = {"aws": 0.09, "azure": 0.087, "gcp": 0.12}

SHARED: Final = "grid:pjm"
"""The failing domain that two of the regions lie in."""


def fleet(
    *,
    vantages: int = 2,
    failover: Mapping[str, Any] | None = None,
    probes: Mapping[str, Any] | None = None,
    shift: Mapping[str, Any] | None = None,
    kinds: Mapping[str, str] | None = None,
) -> Fleet:
    """The fleet under a policy.

    Args:
        vantages: how many of `PLACES` look.
        failover, probes, shift: what of the policy is not as it comes.
        kinds: modes of single kinds of action; everything is acted on but these.
    """
    regions = {
        name: {**spec, "egress": _EGRESS[name.partition("/")[0]]} for name, spec in _REGIONS.items()
    }
    workload = {
        "rate": 300,
        "per_replica": 20,
        "floor": 0.9,
        "start_up": "30s",
        "gb_per_request": 2e-4,
        "slo": {"availability": 0.999, "latency_ms": 400},
        "shift": dict(shift or {}),
        "regions": {name: {"weight": 0.2, "replicas": 4, "quota": 10} for name in regions},
    }
    return Fleet.model_validate(
        {
            "name": "main",
            "regions": regions,
            "workloads": {WORKLOAD: workload},
            "failover": dict(failover or {}),
            "probes": {"vantages": list(PLACES[:vantages]), **(probes or {})},
            "modes": {"default": "act", "kinds": dict(kinds or {})},
        }
    )
