"""Google Cloud regions: their codes, the zones that fold to them, and the multi-regions.

A code is recognised by its form, not from a list, since a new region must not be missed. A
multi-region stays what it is (`gcp/us`): which of its regions are meant is nowhere said.
Source: docs.cloud.google.com/compute/docs/regions-zones and /storage/docs/locations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from crosswind.signals import Places, places

_REGION: Final = re.compile(
    r"((?:africa|asia|australia|europe|me|northamerica|southamerica|us)-"
    r"(?:north|south|east|west|central|north(?:east|west)|south(?:east|west))[1-9][0-9]?)"
    r"(?:-(?:ai[1-9][0-9]?)?[a-z])?"
)
"""A region or a zone (`us-central1-ai1a` is one too); the region is the group."""

_WIDE: Final = {"asia", "eu", "us", "global"}
_LONGEST: Final = 64


def region_code(name: str) -> str | None:
    """The region that a region or zone name means, or a wider place; None where it is neither."""
    name = name.strip().lower()
    if len(name) <= _LONGEST and (match := _REGION.fullmatch(name)):
        return match[1]
    return name if name in _WIDE else None


def find(names: Iterable[str]) -> Places:
    """The region references for names of regions and zones, and the names that are neither."""
    named = tuple(names)
    return places("gcp", map(region_code, named), named)
