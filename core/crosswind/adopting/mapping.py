"""What of an account is a workload, which alarms are about it, and what has no place in a fleet.

Nothing is left out silently: whatever was found is in a workload, an alert, or `left`.

1. What serves is grouped by name: the same name in several regions is one workload, and a region
   that stands in a name is not a part of it. Two of one name in one region are told apart by what
   they are in.
2. Weighted records that lead to a workload's regions give its shares; without them its replicas do.
3. An alarm is evidence about the one workload that it watches. A name alone proves nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from math import floor
from typing import Final

from crosswind.adopting.alerting import Alarms
from crosswind.adopting.drafts import Draft, Drafted, Left, Placed, named
from crosswind.adopting.found import Found, Mark, Serving, Share
from crosswind.fleet.quantities import MAX_REGIONS, MAX_WORKLOADS

_LONGEST_NAME: Final = 63
_MOST_REPLICAS: Final = 100_000
_DIGITS: Final = 6


def draft(found: Found, only: Sequence[str] = ()) -> Draft:
    """Map what was found.

    Args:
        only: globs over the names of workloads; all unless given.
    """
    made = Draft()
    made.left += [
        Left(one.kind, named(one.name, one.region), one.why_not)
        for one in found.serving
        if one.why_not
    ]
    groups = _groups([one for one in found.serving if not one.why_not], found.regions)
    shares: defaultdict[str, list[Share]] = defaultdict(list)
    for share in found.shares:
        shares[share.name].append(share)
    owners: dict[Mark, str] = {}
    taken: set[str] = set()
    for name, members in groups.items():
        refusal = _refusal(name, members, only, made)
        if refusal is not None:
            made.left.extend(
                Left(one.kind, named(one.name, one.region), refusal) for one in members
            )
            continue
        workload, records = _workload(name, members, shares)
        taken |= records
        made.workloads.append(workload)
        for mark in (mark for one in members for mark in one.marks):
            # What several serve behind, such as a load balancer, names none of them.
            owners[mark] = name if owners.get(mark, name) == name else ""
    _unshared(shares, taken, made)
    Alarms(found.alarms, owners, made).map()
    made.left += [
        Left("budget", one.name, f"{one.says}; a fleet declares no budget") for one in found.budgets
    ]
    made.left += [
        Left(
            one.kind,
            named(one.name, one.region),
            f"{one.says}; a fleet declares no rotation"
            + ("" if one.renewed else ", and nothing renews this one"),
        )
        for one in found.rotations
    ]
    return made


def _groups(serving: Sequence[Serving], regions: Iterable[str]) -> dict[str, list[Serving]]:
    """What serves, by the name of its workload."""
    short = [region.partition("/")[2] for region in regions]
    by_name: defaultdict[str, list[Serving]] = defaultdict(list)
    for one in serving:
        by_name[workload_name(one.name, short)].append(one)
    groups: dict[str, list[Serving]] = {}
    for name, members in by_name.items():
        if len({one.region for one in members}) == len(members):
            groups[name] = members
            continue
        for one in members:
            full = workload_name(f"{one.within or one.kind}.{one.name}", short)
            groups.setdefault(_free(full, one, groups), []).append(one)
    return groups


def _free(name: str, one: Serving, groups: Mapping[str, list[Serving]]) -> str:
    """A name under which nothing stands yet in the region of one."""
    number, free = 2, name
    while any(other.region == one.region for other in groups.get(free, ())):
        free = f"{name[: _LONGEST_NAME - 4]}-{number}"
        number += 1
    return free


def workload_name(name: str, regions: Iterable[str]) -> str:
    """The name of the workload to which something of this name belongs.

    Args:
        regions: short names of regions that are no part of it, such as `us-east-1`.
    """
    plain = name.lower()
    for region in regions:
        for form in (region, region.replace("-", ""), region.replace("-", "_")):
            plain = re.sub(rf"(?<![a-z0-9]){re.escape(form)}(?![a-z0-9])", "", plain)
    plain = re.sub(r"[^a-z0-9._-]+", "-", plain)
    plain = re.sub(r"([._-])[._-]+", r"\1", plain).strip("._-")
    return plain[:_LONGEST_NAME].rstrip("._-") or "workload"


def _refusal(name: str, members: Sequence[Serving], only: Sequence[str], made: Draft) -> str | None:
    """Why a group is no workload of this fleet."""
    if only and not any(fnmatchcase(name, pattern) for pattern in only):
        return "left out by --only"
    if len(made.workloads) >= MAX_WORKLOADS:
        return f"a fleet holds {MAX_WORKLOADS:,} workloads; name those that matter with --only"
    if len({*made.regions, *(one.region for one in members)}) > MAX_REGIONS:
        return f"a fleet holds {MAX_REGIONS} regions; name those that matter with --region"
    return None


def _workload(
    name: str, members: Sequence[Serving], shares: Mapping[str, Sequence[Share]]
) -> tuple[Drafted, set[str]]:
    """A workload, and the names of records that lead to it alone."""
    replicas = {
        one.region: 1 if one.replicas is None else min(one.replicas, _MOST_REPLICAS)
        for one in members
    }
    leading = _leading(members, shares)
    weights, shared_by = _by_replicas(replicas), ""
    notes = [note for one in members for note in one.notes]
    agreed = all(one == next(iter(leading.values())) for one in leading.values())
    if leading and agreed:
        shared_by, given = ", ".join(leading), next(iter(leading.values()))
        weights = {one.region: given.get(one.region, 0.0) for one in members}
    elif leading:
        notes.append(
            f"several names lead to it in other shares ({', '.join(leading)}); its weights follow "
            "its replicas"
        )
    regions = {}
    for one in members:
        guesses = {}
        if one.replicas is None:
            guesses["replicas"] = "what it has could not be read"
        if not shared_by and len(members) > 1:
            guesses["weight"] = "by replicas; no weighted record leads there"
        if one.most is None:
            guesses["quota"] = "nothing says how far it may grow"
        count = replicas[one.region]
        regions[one.region] = Placed(
            weights[one.region],
            count,
            min(max(count, one.most or 0), _MOST_REPLICAS),
            guesses,
        )
    served = [replicas[region] / weight for region, weight in weights.items() if weight > 0]
    drafted = Drafted(
        name,
        regions,
        # Rounded down: the floor must hold for what is written.
        floor(min(served, default=0.0) * 1000) / 1000,
        tuple(f"{one.kind} {one.name} in {one.region}" for one in members),
        shared_by,
        tuple(dict.fromkeys(notes)),
    )
    return drafted, set(leading)


def _leading(
    members: Sequence[Serving], shares: Mapping[str, Sequence[Share]]
) -> dict[str, dict[str, float]]:
    """Shares by region, of each name all of whose records lead to these members."""
    regions = {mark: one.region for one in members for mark in one.marks}
    leading = {}
    for name, records in shares.items():
        total = sum(record.weight for record in records)
        if total <= 0 or any(record.mark not in regions for record in records):
            continue
        by_region: defaultdict[str, float] = defaultdict(float)
        for record in records:
            assert record.mark is not None
            by_region[regions[record.mark]] += record.weight / total
        leading[name] = _rounded(by_region)
    return leading


def _by_replicas(replicas: Mapping[str, int]) -> dict[str, float]:
    total = sum(replicas.values())
    if total == 0:
        return _rounded({region: 1 / len(replicas) for region in replicas})
    return _rounded({region: count / total for region, count in replicas.items()})


def _rounded(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights that people can read and that still sum to 1; the largest takes what is over."""
    rounded = {region: round(weight, _DIGITS) for region, weight in weights.items()}
    largest = max(rounded, key=lambda region: rounded[region])
    rest = sum(weight for region, weight in rounded.items() if region != largest)
    rounded[largest] = round(1 - rest, _DIGITS)
    return rounded


def _unshared(shares: Mapping[str, Sequence[Share]], taken: set[str], made: Draft) -> None:
    for name, records in shares.items():
        if name in taken:
            continue
        where = ", ".join(f"{one.identifier} ({one.weight:g}) to {one.to}" for one in records[:4])
        more = f" and {len(records) - 4} more" if len(records) > 4 else ""
        made.left.append(
            Left(
                "weighted records",
                name,
                f"{where}{more}; not all of them lead to one workload that was found",
            )
        )
