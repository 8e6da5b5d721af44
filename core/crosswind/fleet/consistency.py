"""What must fit together in a fleet: names that refer to others, and the declared placements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, NamedTuple

from crosswind.fleet.rules import Rule, violations
from crosswind.fleet.state import WorkloadState

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet, WorkloadSpec

Path = tuple[str | int, ...]

_NOTHING: Final = WorkloadState(weights={}, capacity={})

_WHERE: Final[dict[Rule, Path]] = {
    "shares": ("regions",),
    "floor": ("floor",),
    "egress": ("max_egress_usd_per_hour",),
}

_ADVICE: Final[dict[Rule, str]] = {
    "shares": "correct the weights",
    "quota": "raise the quota or lower replicas",
    "floor": "raise replicas, spread the weights by capacity, or lower the floor",
    "egress": "raise the budget or move weight to regions with cheaper egress",
}


class Fault(NamedTuple):
    """One thing wrong with a declaration: where it is, what is wrong and what to write instead."""

    path: Path
    problem: str

    def __str__(self) -> str:
        where = ".".join(map(str, self.path))
        return f"{where}: {self.problem}" if where else self.problem


def faults(fleet: Fleet) -> Iterator[Fault]:
    """Everything that does not fit together, in the order of the declaration."""
    yield from _regions(fleet)
    for name, spec in fleet.workloads.items():
        yield from _workload(fleet, name, spec)
        yield from _gpus(fleet, name, spec)
        yield from _data(fleet, name, spec)
    yield from _failover(fleet)
    yield from _references(fleet)
    yield from _freezes(fleet)


def _regions(fleet: Fleet) -> Iterator[Fault]:
    for region, spec in fleet.regions.items():
        if region.endswith("/global"):
            yield Fault(
                ("regions", region), "is no place where a workload runs; declare real regions"
            )
        declared = fleet.declared_replicas(region)
        if spec.quota is not None and declared > spec.quota:
            yield Fault(
                ("regions", region, "quota"),
                f"is {spec.quota}, but the workloads declare {declared} replicas there; "
                "raise it or lower their replicas",
            )
        for gpu, offered in spec.gpus.items():
            needed = sum(
                one.regions[region].replicas * one.gpus_per_replica
                for one in map(fleet.workloads.__getitem__, fleet.workloads_in(region))
                if one.gpu == gpu
            )
            if needed > offered:
                yield Fault(
                    ("regions", region, "gpus", gpu),
                    f"is {offered}, but the replicas that are declared there need {needed}; "
                    "raise it or lower their replicas",
                )


def _workload(fleet: Fleet, name: str, spec: WorkloadSpec) -> Iterator[Fault]:
    path: Path = ("workloads", name)
    for region in spec.regions:
        if region not in fleet.regions:
            yield Fault((*path, "regions", region), _unknown(region, "regions", fleet.regions))
        elif not spec.may_reside(fleet.regions[region].jurisdiction):
            yield Fault(
                (*path, "regions", region),
                f"is under {fleet.regions[region].jurisdiction}, residency allows "
                f"{', '.join(spec.residency)}; allow it there or remove the region",
            )
    for broken in violations(fleet, name, _NOTHING, {}, spec.weights, spec.replicas):
        if broken.rule in _ADVICE:
            where = _WHERE.get(broken.rule) or ("regions", broken.region or "")
            yield Fault((*path, *where), f"{broken.detail}; {_ADVICE[broken.rule]}")


def _gpus(fleet: Fleet, name: str, spec: WorkloadSpec) -> Iterator[Fault]:
    if spec.gpu is None:
        return
    path: Path = ("workloads", name)
    placed = [region for region in spec.regions if region in fleet.regions]
    without = [region for region in placed if not fleet.regions[region].offers(spec.gpu)]
    if placed and without == placed:
        offered = sorted({gpu for region in placed for gpu in fleet.regions[region].gpus})
        yield Fault(
            (*path, "gpu"),
            f"{spec.gpu!r} is offered in none of its regions; {suggestion(spec.gpu, offered)}",
        )
        return
    for region in without:
        yield Fault(
            (*path, "regions", region),
            f"offers no {spec.gpu}, which a replica needs; declare it under "
            f"regions.{region}.gpus or remove the region here",
        )


def _data(fleet: Fleet, name: str, spec: WorkloadSpec) -> Iterator[Fault]:
    if spec.data is None:
        return
    for position, region in enumerate(spec.data.regions):
        if region not in fleet.regions:
            yield Fault(
                ("workloads", name, "data", "regions", position),
                _unknown(region, "regions", fleet.regions),
            )


def _failover(fleet: Fleet) -> Iterator[Fault]:
    if not any(weight for kind, weight in fleet.failover.weights.items() if kind != "provider"):
        yield Fault(
            ("failover", "weights"),
            "only the provider's notices weigh anything, and they alone never make a quorum; "
            "give another kind of evidence a weight",
        )


def _references(fleet: Fleet) -> Iterator[Fault]:
    for position, alert in enumerate(fleet.alerts):
        path: Path = ("alerts", position)
        if alert.workload not in fleet.workloads:
            yield Fault((*path, "workload"), _unknown(alert.workload, "workloads", fleet.workloads))
        if alert.region is not None and alert.region not in fleet.regions:
            yield Fault((*path, "region"), _unknown(alert.region, "regions", fleet.regions))
    for position, vantage in enumerate(fleet.probes.vantages):
        if vantage in fleet.probes.vantages[:position]:
            yield Fault(
                ("probes", "vantages", position),
                f"{vantage!r} is named twice, and is one observer; remove it or name another",
            )
    for workload in fleet.modes.workloads:
        if workload not in fleet.workloads:
            where = ("modes", "workloads", workload)
            yield Fault(where, _unknown(workload, "workloads", fleet.workloads))
    yield from _limits(fleet)


def _limits(fleet: Fleet) -> Iterator[Fault]:
    counted: dict[tuple[str, str | None, float], int] = {}
    for position, limit in enumerate(fleet.limits):
        if limit.workload is not None and limit.workload not in fleet.workloads:
            yield Fault(
                ("limits", position, "workload"),
                _unknown(limit.workload, "workloads", fleet.workloads),
            )
        # Two limits of one name, workload and window would move one counter.
        first = counted.setdefault((limit.limit, limit.workload, limit.per), position)
        if first != position:
            yield Fault(
                ("limits", position),
                f"counts the same as limits[{first}]; remove one of them",
            )


def _freezes(fleet: Fleet) -> Iterator[Fault]:
    names: dict[str, int] = {}
    for position, window in enumerate(fleet.freezes):
        first = names.setdefault(window.name, position)
        if first != position:
            yield Fault(
                ("freezes", position, "name"),
                f"{window.name!r} is the name of freezes[{first}] too; give each its own",
            )
        for number, pattern in enumerate(window.workloads):
            if pattern != "*" and not any(fnmatchcase(one, pattern) for one in fleet.workloads):
                yield Fault(
                    ("freezes", position, "workloads", number),
                    f"{pattern!r} fits no workload; {suggestion(pattern, fleet.workloads)}",
                )


def _unknown(name: str, section: str, known: Iterable[str]) -> str:
    return f"{name!r} is not declared under {section}; {suggestion(name, known)}"


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to write instead of a name: the one that looks like it, or a few that are known."""
    from difflib import get_close_matches

    names = sorted(known)
    close = get_close_matches(name, names[:5000], n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"known are {some}" if names else "none is declared"
