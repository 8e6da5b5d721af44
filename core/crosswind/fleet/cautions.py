"""Cautions: what a declaration may say, and what whoever wrote it probably did not mean.

A fleet with cautions is valid. They are told by `crosswind fleet validate`, each with its line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from crosswind.fleet.consistency import Fault, Path, suggestion
from crosswind.fleet.quantities import TOLERANCE

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet, WorkloadSpec

_MISTAKEN: Final = {"UK": "GB", "EL": "GR"}
"""Codes in use that ISO 3166-1 does not assign to a country, and those that it does."""


Kinds = Collection[str]


def cautions(fleet: Fleet, now: float, kinds: Kinds = ()) -> Iterator[Fault]:
    """Everything that is probably not meant, in the order of the declaration.

    Args:
        now: seconds since the epoch.
        kinds: of the actions that are taken at all, where they are known.
    """
    for region, spec in fleet.regions.items():
        if spec.jurisdiction in _MISTAKEN:
            yield Fault(
                ("regions", region, "jurisdiction"),
                f"is {spec.jurisdiction}, which ISO 3166-1 assigns to no country; "
                f"write {_MISTAKEN[spec.jurisdiction]}",
            )
    for name, workload in fleet.workloads.items():
        yield from _workload(fleet, ("workloads", name), workload)
    yield from _failover(fleet)
    yield from _alerts(fleet)
    yield from _kinds(("modes", "kinds"), _keys(fleet.modes.kinds), kinds)
    for name, modes in fleet.modes.workloads.items():
        yield from _kinds(("modes", "workloads", name, "kinds"), _keys(modes.kinds), kinds)
    for position, window in enumerate(fleet.freezes):
        path: Path = ("freezes", position)
        yield from _kinds((*path, "kinds"), enumerate(window.kinds), kinds)
        if window.ends is not None and window.ends.timestamp() <= now:
            yield Fault((*path, "ends"), f"is over since {window.ends:%Y-%m-%d}; remove it")


def _workload(fleet: Fleet, path: Path, spec: WorkloadSpec) -> Iterator[Fault]:
    if spec.gpu is None and spec.gpus_per_replica != 1:
        yield Fault(
            (*path, "gpus_per_replica"), "counts for nothing without `gpu`; name the kind as well"
        )
    if spec.start_up > fleet.failover.capacity_timeout:
        yield Fault(
            (*path, "start_up"),
            f"is {spec.start_up:g} s, longer than failover.capacity_timeout "
            f"({fleet.failover.capacity_timeout:g} s): plans would not wait for its replicas; "
            "raise that, or keep replicas where it may have to go",
        )
    yield from _spread(fleet, path, spec)
    yield from _survivors(fleet, path, spec)


def _spread(fleet: Fleet, path: Path, spec: WorkloadSpec) -> Iterator[Fault]:
    wish, where = spec.spread, (*path, "spread")
    shares: dict[str, float] = {}
    for region, weight in spec.weights.items():
        if weight > wish.max_share + TOLERANCE:
            yield Fault(
                (*where, "max_share"),
                f"is {wish.max_share:g}, but {region} is given {weight:g} in normal times; "
                "raise it or lower the weight",
            )
        declared = fleet.regions.get(region)
        for domain in declared.failing_domains if declared else ():
            shares[domain] = shares.get(domain, 0.0) + weight
    for domain, share in shares.items():
        if share > wish.max_domain_share + TOLERANCE:
            yield Fault(
                (*where, "max_domain_share"),
                f"is {wish.max_domain_share:g}, but the regions of {domain} are given {share:g} "
                "in normal times; raise it or spread the weights",
            )
    if wish.max_share * len(spec.regions) < 1 - TOLERANCE:
        yield Fault(
            (*where, "max_share"),
            f"is {wish.max_share:g}, which {len(spec.regions)} region(s) cannot keep; raise it",
        )


def _survivors(fleet: Fleet, path: Path, spec: WorkloadSpec) -> Iterator[Fault]:
    """Regions that could not be left, whatever capacity the others were granted."""
    needed = spec.floor * spec.rate
    for region, placement in spec.regions.items():
        if placement.weight <= 0 or region not in fleet.regions:
            continue
        failing = set(fleet.regions[region].failing_domains)
        carried = sum(
            other.quota * spec.per_replica
            for name, other in spec.regions.items()
            if name != region
            and name in fleet.regions
            and failing.isdisjoint(fleet.regions[name].failing_domains)
        )
        if carried < needed - TOLERANCE * max(spec.rate, 1.0):
            yield Fault(
                (*path, "regions", region),
                f"could not be left safely: with all of their quotas the regions that do not fail "
                f"together with it serve {carried:g} of the {needed:g} requests/s of the floor; "
                "raise their quotas, add a region, or lower the floor",
            )


def _failover(fleet: Fleet) -> Iterator[Fault]:
    policy, path = fleet.failover, ("failover",)
    if policy.capacity_timeout > policy.deadline:
        yield Fault(
            (*path, "capacity_timeout"),
            f"is {policy.capacity_timeout:g} s, longer than the deadline ({policy.deadline:g} s), "
            "after which no plan is made; lower it or raise the deadline",
        )
    if policy.half_life is not None and policy.half_life > policy.window:
        yield Fault(
            (*path, "half_life"),
            f"is {policy.half_life:g} s, longer than the window ({policy.window:g} s) in which "
            "evidence counts: it hardly fades; lower it or leave it out",
        )
    if policy.window < fleet.probes.every:
        yield Fault(
            (*path, "window"),
            f"is {policy.window:g} s, shorter than the pause between two rounds of probes "
            f"({fleet.probes.every:g} s): what one round sees is forgotten before the next; "
            "raise it or probe more often",
        )
    heard = len(fleet.probes.vantages) * policy.weights["probe"]
    if heard < fleet.recovery_quorum:
        yield Fault(
            (*path, "recovery_quorum"),
            f"is {fleet.recovery_quorum:g}, and probes come to {heard:g}: no region that was left "
            "is returned to unless somebody else says that it is well; name more vantages under "
            "probes or lower it",
        )


def _alerts(fleet: Fleet) -> Iterator[Fault]:
    for position, alert in enumerate(fleet.alerts):
        spec = fleet.workloads.get(alert.workload)
        if alert.region is not None and spec is not None and alert.region not in spec.regions:
            yield Fault(
                ("alerts", position, "region"),
                f"is {alert.region}, where {alert.workload} is not placed; it has: "
                f"{', '.join(spec.regions)}",
            )


def _keys(mapping: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Keys stand at themselves."""
    return ((key, key) for key in mapping)


def _kinds(path: Path, patterns: Iterable[tuple[str | int, str]], known: Kinds) -> Iterator[Fault]:
    for step, pattern in patterns:
        if known and not any(fnmatchcase(kind, pattern) for kind in known):
            subjects = {f"{kind.partition('.')[0]}.*" for kind in known}
            yield Fault(
                (*path, step),
                f"{pattern!r} fits no kind of action that the app takes; "
                f"{suggestion(pattern, {*known, *subjects})}",
            )
