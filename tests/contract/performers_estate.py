"""The fleet of these tests: one workload in two regions of AWS."""

from __future__ import annotations

from typing import Any

from crosswind.fleet.declaration import Fleet

EAST = "aws/us-east-1"
EUROPE = "aws/eu-west-1"


def fleet(tier: str = "standard", **more: Any) -> Fleet:
    """A fleet whose every action is done."""
    return Fleet.model_validate(
        {
            "name": "main",
            "regions": {
                EAST: {"jurisdiction": "US", "failing_domains": ["grid:pjm"]},
                EUROPE: {"jurisdiction": "IE", "failing_domains": ["grid:eirgrid"]},
            },
            "workloads": {
                "chat": {
                    "tier": tier,
                    "rate": 100,
                    "per_replica": 25,
                    "regions": {
                        EAST: {"weight": 0.5, "replicas": 2, "quota": 8},
                        EUROPE: {"weight": 0.5, "replicas": 2, "quota": 8},
                    },
                }
            },
            "modes": {"default": "act"},
            **more,
        }
    )
