"""Resources as a team would declare them."""

from __future__ import annotations

from typing import Any

from contract.performers_estate import EAST, EUROPE

RECORDS = {
    "service": "route53",
    "zone": "Z0123456789ABCDEFGHIJ",
    "record": "chat.example.com",
    "identifiers": {EAST: "east", EUROPE: "europe"},
}
PANEL = "arn:aws:route53-recovery-control::123456789012:controlpanel/0123456789abcdef"
CONTROLS: dict[str, Any] = {
    "service": "arc",
    "endpoints": [
        {
            "url": f"https://{n}.route53-recovery-cluster.us-east-1.amazonaws.com",
            "region": "us-east-1",
        }
        for n in range(5)
    ],
    "controls": {
        EAST: f"{PANEL}/routingcontrol/aaaa",
        EUROPE: f"{PANEL}/routingcontrol/bbbb",
    },
    "shares": {EAST: 0.5, EUROPE: 0.5},
}
SERVICE = {"service": "ecs", "cluster": "serving", "name": "chat"}


def declared(traffic: Any = RECORDS, **regions: Any) -> dict[str, Any]:
    return {"workloads": {"chat": {"traffic": traffic, **regions}}}
