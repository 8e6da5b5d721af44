"""The fleet that the bench loads: 60 regions, 1,000 workloads, written as people write."""

from __future__ import annotations

from typing import Final

REGIONS: Final = 60
WORKLOADS: Final = 1_000

_CLOUDS = ("aws", "gcp", "azure")
_COUNTRIES = ("US", "CA", "DE", "FR", "NL", "JP", "IN", "BR", "AU", "SG")


def fleet_yaml(regions: int = REGIONS, workloads: int = WORKLOADS) -> str:
    """The declaration, in block style with a placement a line; four regions for each workload."""
    names = [f"{_CLOUDS[number % 3]}/region-{number}" for number in range(regions)]
    lines = ["name: large", "regions:"]
    for number, name in enumerate(names):
        lines += [
            f"  {name}:",
            f"    jurisdiction: {_COUNTRIES[number % len(_COUNTRIES)]}",
            f"    failing_domains: [grid:{number % 20}, backbone:{number % 7}]",
            f"    price: {3 + number % 5}.{number % 10}0",
            f"    egress: 0.0{1 + number % 9}",
            "    gpus: {l4: 4000, h100: 2000}",
            f"    latency_ms: {{americas: {20 + number}, europe: {90 + number}}}",
        ]
    lines.append("workloads:")
    for number in range(workloads):
        lines += [
            f"  team-{number % 40}.model-{number}:",
            f"    tier: {('critical', 'standard', 'batch')[number % 3]}",
            f"    rate: {60 + number % 40}",
            "    per_replica: 50",
            "    floor: 0.9",
            "    slo: {availability: 0.999, latency_ms: 800}",
            "    gpu: l4",
            "    start_up: 3m",
            "    regions:",
        ]
        for step in range(4):
            region = names[(number + 7 * step) % regions]
            lines.append(f"      {region}: {{weight: 0.25, replicas: 1, quota: 4}}")
    lines += [
        "modes:",
        "  kinds: {register.*: propose, endpoint.*: act, traffic.*: act}",
        "limits:",
        "  - {limit: regions-off, per: 1h, most: 1}",
    ]
    return "\n".join(lines) + "\n"
