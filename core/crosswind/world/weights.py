"""Which region gets the next request: smooth weighted round robin.

Deterministic: however many picks were made, each region is less than two picks away from its exact
share, and its picks are spread evenly instead of coming in bursts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isclose, isfinite
from typing import Final

PARTS: Final = 1_000_000
"""Shares are rounded to this many parts, so that the picks are exact integer arithmetic."""

SUM_TOLERANCE: Final = 1e-6


class Rotation:
    """Picks regions in proportion to their shares.

    Args:
        shares: share by region, from 0 to 1; a region with none is never picked.

    Raises:
        ValueError: no region has a share.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._parts = {
            region: parts
            for region, share in sorted(shares.items())
            if (parts := round(share * PARTS)) > 0
        }
        if not self._parts:
            raise ValueError("no region has a share of the traffic")
        self._total = sum(self._parts.values())
        self._credit = dict.fromkeys(self._parts, 0)

    def pick(self) -> str:
        """The region for the next request."""
        for region, parts in self._parts.items():
            self._credit[region] += parts
        chosen = max(self._credit, key=self._credit.__getitem__)
        self._credit[chosen] -= self._total
        return chosen


def faults_of(shares: Mapping[str, float], regions: Iterable[str]) -> list[str]:
    """Everything wrong with these shares, given the regions that exist; empty if nothing is."""
    known = sorted(regions)
    faults = [
        f"{region} is not a region of this proxy (it knows {', '.join(known)})"
        for region in shares
        if region not in known
    ]
    faults += [
        f"the share of {region} must lie between 0 and 1, not {share}"
        for region, share in shares.items()
        if not (isfinite(share) and 0 <= share <= 1)
    ]
    total = sum(shares.values())
    if not isclose(total, 1.0, abs_tol=SUM_TOLERANCE):
        faults.append(f"the shares must sum to 1, not {total}")
    return faults
