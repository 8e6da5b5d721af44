"""AWS regions: their codes, and the zones that fold to them.

A code is recognised by its form, not from a list, since a new region must not be missed; the forms
are those of the partitions (commercial, China, GovCloud, the isolated ones, European Sovereign
Cloud). Source: docs.aws.amazon.com/global-infrastructure/latest/regions/ and the page on zone ids,
docs.aws.amazon.com/ram/latest/userguide/working-with-az-ids.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from crosswind.signals import Places, places

_AREA: Final = r"af|ap|ca|eu|il|me|mx|sa|us|cn|us-gov|us-iso|us-isob|us-isof|eu-isoe|eusc-de"
_DIRECTION: Final = r"(?:north|south|east|west|central|north(?:east|west)|south(?:east|west))"
_REGION: Final = re.compile(
    rf"((?:{_AREA})-{_DIRECTION}-[1-9][0-9]?)"
    r"(?:[a-z]|-[a-z]{3}-[1-9][0-9]?[a-z]|-wl[1-9][0-9]?-[a-z]{3}-wlz-[1-9][0-9]?)?"
)
"""A region, an availability zone, a local zone or a wavelength zone; the region is the group."""

_ZONE_ID: Final = re.compile(
    r"(usg|af|ap|ca|cn|eu|il|me|mx|sa|us)(ne|nw|se|sw|n|s|e|w|c)([1-9][0-9]?)-"
    r"(?:[a-z]{3}[1-9][0-9]?-|wl[1-9][0-9]?-)?[a-z]{2,3}[1-9][0-9]?"
)
"""A zone id, such as `use1-az4`: area, direction and number of its region, abbreviated."""

_DIRECTIONS: Final = {
    "n": "north",
    "s": "south",
    "e": "east",
    "w": "west",
    "c": "central",
    "ne": "northeast",
    "nw": "northwest",
    "se": "southeast",
    "sw": "southwest",
}
_GLOBAL: Final = re.compile(r"(?:aws(?:-[a-z]+)*-)?global")
"""`global`, or a partition's own name for it, such as `aws-cn-global`."""

_LONGEST: Final = 64


def region_code(name: str) -> str | None:
    """The region that a region or zone name means, or `global`; None where it is neither."""
    name = name.strip().lower()
    if len(name) > _LONGEST:
        return None
    if match := _REGION.fullmatch(name):
        return match[1]
    if match := _ZONE_ID.fullmatch(name):
        area = "us-gov" if match[1] == "usg" else match[1]
        return f"{area}-{_DIRECTIONS[match[2]]}-{match[3]}"
    return "global" if _GLOBAL.fullmatch(name) else None


def find(names: Iterable[str]) -> Places:
    """The region references for names of regions and zones, and the names that are neither."""
    named = tuple(names)
    return places("aws", map(region_code, named), named)
