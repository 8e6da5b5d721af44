"""Random fleets that lose regions: made of a seed, plausible, and the same for tests and bench.

Regions have a continent, a cloud and a grid; prices, latencies and quotas go by them. Workloads are
placed where their users and their law are, with some headroom, and regions have some room besides:
enough for most outages, and not for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from random import Random
from typing import Any, Final

from crosswind.fleet.declaration import Fleet
from crosswind.fleet.state import RegionState
from crosswind.operations.endpoints import EndpointState
from crosswind.planner.survey import Known

CONTINENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "americas": ("US", "US", "CA", "BR"),
    "europe": ("DE", "IE", "NL", "FR", "SE"),
    "asia": ("JP", "SG", "IN", "AU"),
}
CLOUDS: Final = ("aws", "gcp", "azure")
GPUS: Final = ("l4", "a100", "h100")
_FAR: Final = {"americas": 20, "europe": 15, "asia": 25}


@dataclass(frozen=True)
class Outage:
    """A fleet that loses regions: what a plan is made from."""

    fleet: Fleet
    states: Mapping[str, RegionState]
    known: Mapping[str, Known]
    left: frozenset[str]


def outage(seed: int, regions: int = 8, workloads: int = 12, room: float | None = None) -> Outage:
    """A fleet in trouble.

    Args:
        regions, workloads: how many are declared.
        room: share of what is declared in a region that it can have besides; drawn unless given.
    """
    draw = Random(seed)
    fleet = _fleet(draw, regions, workloads, room)
    states: dict[str, RegionState] = {}
    for name in fleet.regions:
        if draw.random() < 0.05:
            states[name] = RegionState(state=draw.choice(("soaking", "evacuated")))
    left = _lost(draw, fleet)
    states = {name: state for name, state in states.items() if name not in left}
    if len(left) + len(states) >= regions - 1:
        states = {}
    placed = {name: _placed(draw, fleet, name) for name in fleet.workloads}
    known = {name: _known(draw, fleet, name, *placed[name]) for name in fleet.workloads}
    reserved: dict[str, dict[str, int]] = {name: {} for name in fleet.regions}
    for name, (_, capacity) in placed.items():
        for region, count in capacity.items():
            reserved[region][name] = count
    full = {
        name: states.get(name, RegionState()).model_copy(update={"reserved": reserved[name]})
        for name in fleet.regions
    }
    return Outage(fleet, full, known, left)


def _fleet(draw: Random, regions: int, workloads: int, room: float | None) -> Fleet:
    places = [_place(draw, number) for number in range(regions)]
    wanted = {f"w{number:04}": _workload(draw, places) for number in range(workloads)}
    declared: dict[str, int] = {}
    gpus: dict[tuple[str, str], int] = {}
    for one in wanted.values():
        for region, placement in one["regions"].items():
            declared[region] = declared.get(region, 0) + placement["replicas"]
            if "gpu" in one:
                held = placement["replicas"] * one["gpus_per_replica"]
                gpus[region, one["gpu"]] = gpus.get((region, one["gpu"]), 0) + held
    specs: dict[str, Any] = {}
    for name, spec, _ in places:
        spare = draw.choice((0.1, 0.25, 0.5, 1.0)) if room is None else room
        if draw.random() < 0.75:
            spec["quota"] = ceil(declared.get(name, 0) * (1 + spare)) + draw.randint(0, 3)
        kinds = {kind: held for (region, kind), held in gpus.items() if region == name}
        if kinds and draw.random() < 0.75:
            spec["gpus"] = {
                kind: max(1, ceil(held * (1 + draw.choice((0.1, 0.3, 0.6, 1.0)))))
                for kind, held in kinds.items()
            }
        specs[name] = spec
    return Fleet.model_validate({"name": "random", "regions": specs, "workloads": wanted})


def _place(draw: Random, number: int) -> tuple[str, dict[str, Any], str]:
    continent = draw.choice(tuple(CONTINENTS))
    cloud = CLOUDS[number % 3]
    grid = f"grid:{continent}-{draw.randint(1, 4)}"
    domains = [grid]
    if draw.random() < 0.2:
        domains.append(f"backbone:{draw.choice(('a', 'b', 'c'))}")
    latency = {
        area: (_FAR[area] if area == continent else draw.randint(80, 220)) + draw.randint(0, 20)
        for area in draw.sample(tuple(CONTINENTS), draw.randint(1, 3))
    }
    spec = {
        "jurisdiction": draw.choice(CONTINENTS[continent]),
        "failing_domains": domains,
        "price": round(draw.uniform(0.8, 4.5), 2),
        "egress": round(draw.uniform(0.02, 0.14), 3),
        "latency_ms": latency,
    }
    return f"{cloud}/{continent}-{number}", spec, continent


def _workload(draw: Random, places: list[tuple[str, dict[str, Any], str]]) -> dict[str, Any]:
    unit = draw.choice((2.0, 5.0, 10.0, 20.0, 50.0))
    rate = round(unit * draw.uniform(1.5, 30.0), 1)
    home = draw.choice(tuple(CONTINENTS))
    near = [place for place in places if place[2] == home]
    many = draw.randint(2, min(6, len(places)))
    pool = near if len(near) >= many and draw.random() < 0.7 else places
    chosen = draw.sample(pool, many)
    spec: dict[str, Any] = {
        "tier": draw.choices(("critical", "standard", "batch"), (2, 5, 3))[0],
        "rate": rate,
        "per_replica": unit,
        "floor": draw.choice((1.0, 1.0, 0.9, 0.8, 0.5, 0.0)),
        "start_up": draw.choice((0, 0, 60, 300, 900)),
        "gb_per_request": draw.choice((0.0, 1e-5, 1e-4, 5e-4)),
    }
    if draw.random() < 0.4:
        spec["slo"] = {"latency_ms": draw.choice((60, 100, 150))}
    if draw.random() < 0.4:
        spec["gpu"] = draw.choice(GPUS)
        spec["gpus_per_replica"] = draw.choice((1, 1, 2, 4, 8))
    if draw.random() < 0.3:
        data = draw.sample(chosen, draw.randint(1, 2))
        spec["data"] = {"regions": [one[0] for one in data], "gb_per_request": 2e-4}
    if draw.random() < 0.2:
        spec["spread"] = {"max_share": draw.choice((0.4, 0.6)), "max_domain_share": 0.7}
    if draw.random() < 0.3:
        spec["residency"] = sorted({one[1]["jurisdiction"] for one in chosen})
    parts = [draw.choice((0, 1, 1, 2, 3)) for _ in chosen]
    parts[0] += 0 if sum(parts) else 1
    headroom = draw.choice((1.0, 1.0, 1.2, 1.5))
    regions = {}
    for (name, _, _), part in zip(chosen, parts, strict=True):
        share = part / sum(parts)
        replicas = ceil(share * rate / unit * headroom)
        quota = ceil(rate / unit * draw.choice((0.5, 1.0, 1.0, 1.5)))
        regions[name] = {"weight": share, "replicas": replicas, "quota": max(replicas, quota)}
    spec["regions"] = regions
    if draw.random() < 0.2 and (spec["gb_per_request"] or "data" in spec):
        egress = {name: place["egress"] for name, place, _ in places}
        now = 0.0
        for name, placement in regions.items():
            gb = spec["gb_per_request"] * egress[name]
            if "data" in spec and name not in spec["data"]["regions"]:
                gb += 2e-4 * min(egress[one] for one in spec["data"]["regions"])
            now += placement["weight"] * rate * 3600 * gb
        spec["max_egress_usd_per_hour"] = round(now * draw.choice((1.1, 1.4, 2.0)) + 0.01, 2)
    return spec


def _lost(draw: Random, fleet: Fleet) -> frozenset[str]:
    """One region, all of one failing domain, or all of one cloud."""
    names = list(fleet.regions)
    first = draw.choice(names)
    how = draw.random()
    if how < 0.6:
        return frozenset({first})
    if how < 0.9:
        domain = draw.choice(fleet.regions[first].failing_domains)
        lost = {name for name, spec in fleet.regions.items() if domain in spec.failing_domains}
    else:
        lost = {name for name in names if name.split("/")[0] == first.split("/")[0]}
    return frozenset(lost if len(lost) < len(names) else {first})


def _placed(draw: Random, fleet: Fleet, name: str) -> tuple[dict[str, float], dict[str, int]]:
    """Weights and replicas that are intended: as declared, or as an earlier plan has left them."""
    spec = fleet.workloads[name]
    weights, capacity = dict(spec.weights), dict(spec.replicas)
    if draw.random() < 0.15 and len(weights) > 1:
        one, other = draw.sample(sorted(weights), 2)
        gone = weights[one]
        weights[other] += gone
        weights[one] = 0.0
        needed = ceil(weights[other] * spec.rate / spec.per_replica)
        capacity[other] = max(capacity[other], needed)
    return weights, capacity


def _known(
    draw: Random, fleet: Fleet, name: str, weights: dict[str, float], capacity: dict[str, int]
) -> Known:
    endpoints = {}
    for region, count in capacity.items():
        silent = draw.random() < 0.02
        ready = count if draw.random() < 0.9 else draw.randint(0, count)
        quota = count + draw.randint(0, 5) if draw.random() < 0.1 else None
        endpoints[region] = EndpointState(
            region=region, reachable=not silent, ready=0 if silent else ready, quota=quota
        )
    ceilings = {}
    if draw.random() < 0.1:
        region = draw.choice(sorted(capacity))
        ceilings[region] = max(0, capacity[region] + draw.randint(-1, 3))
    return Known(weights, capacity, endpoints, ceilings=ceilings)
