"""Fleets of the simulation's tests."""

from __future__ import annotations

from functools import cache
from typing import Final

from crosswind.fleet.declaration import Fleet
from crosswind.fleet.load import parse_fleet

A: Final = "aws/us-east-1"
B: Final = "gcp/us-central1"
C: Final = "azure/westeurope"

TRIO: Final = """
name: trio
regions:
  aws/us-east-1:
    jurisdiction: US
    failing_domains: [grid:pjm]
    price: 4
    spot_price: 1
    egress: 0.09
    quota: 20
    latency_ms: {americas: 20}
  gcp/us-central1:
    jurisdiction: US
    failing_domains: [grid:miso]
    price: 3
    egress: 0.12
    quota: 20
  azure/westeurope:
    jurisdiction: NL
    failing_domains: [grid:entsoe]
    price: 5
    egress: 0.08
    quota: 20
workloads:
  chat:
    tier: critical
    rate: 120
    per_replica: 20
    floor: 0.9
    slo: {availability: 0.999, latency_ms: 800}
    gb_per_request: 0.00001
    regions:
      aws/us-east-1: {weight: 0.5, replicas: 4, quota: 8}
      gcp/us-central1: {weight: 0.3, replicas: 3, quota: 8}
      azure/westeurope: {weight: 0.2, replicas: 2, quota: 8}
  search:
    rate: 40
    per_replica: 20
    residency: [US]
    floor: 0.8
    start_up: 60
    regions:
      aws/us-east-1: {weight: 0.5, replicas: 2, quota: 4}
      gcp/us-central1: {weight: 0.5, replicas: 2, quota: 4}
probes: {every: 30s, vantages: [us, eu]}
failover: {soak: 5m}
modes: {default: act}
alerts:
  - {match: "chat-*", workload: chat, labels: {team: chat}}
"""


@cache
def trio(written: str = "", instead: str = "") -> Fleet:
    """Three regions and two workloads, on which everything may be done.

    Args:
        written: a part of the declaration. instead: what stands in its place.
    """
    assert written in TRIO
    return parse_fleet(TRIO.replace(written, instead) if written else TRIO)
