"""Azure regions: what they are called, and where in a payload the region of a resource can stand.

A code is the display name in lower case without blanks, so one list gives both. Azure's names have
no form by which a region could be recognised, hence the list; what is not in it is no region.

Neither the common alert schema nor Resource Health has a field for the region. It is read where the
payload has it nevertheless: in a dimension or a custom property of that name, or in a resource id
of the form `/providers/.../locations/<region>/...`.

Sources: learn.microsoft.com/azure/reliability/regions-list and the pages of the sovereign clouds;
learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema (custom properties, dimensions).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from crosswind.signals import Fields, Places, places

DISPLAY_NAMES: Final = (
    # Americas
    *("East US", "East US 2", "East US 3", "Central US", "North Central US", "South Central US"),
    *("West Central US", "West US", "West US 2", "West US 3", "Southeast US"),
    *("Canada Central", "Canada East", "Mexico Central"),
    *("Brazil South", "Brazil Southeast", "Chile Central"),
    # Europe
    *("North Europe", "West Europe", "UK South", "UK West", "France Central", "France South"),
    *("Germany West Central", "Germany North", "Switzerland North", "Switzerland West"),
    *("Norway East", "Norway West", "Sweden Central", "Sweden South", "Denmark East"),
    *("Poland Central", "Italy North", "Spain Central", "Austria East", "Belgium Central"),
    # Asia Pacific
    *("East Asia", "Southeast Asia", "Japan East", "Japan West", "Korea Central", "Korea South"),
    *("Central India", "South India", "West India", "Jio India Central", "Jio India West"),
    *("India South Central", "Indonesia Central", "Malaysia West", "Malaysia South"),
    *("Taiwan North", "Taiwan Northwest", "New Zealand North", "Australia East"),
    *("Australia Southeast", "Australia Central", "Australia Central 2"),
    # Middle East and Africa
    *("UAE North", "UAE Central", "Qatar Central", "Israel Central", "Israel Northwest"),
    *("Saudi Arabia East", "South Africa North", "South Africa West"),
    # Azure Government and Azure operated by 21Vianet
    *("US Gov Virginia", "US Gov Texas", "US Gov Arizona", "US DoD East", "US DoD Central"),
    *("China East", "China East 2", "China East 3"),
    *("China North", "China North 2", "China North 3"),
    # Early updates and staging
    *("Central US EUAP", "East US 2 EUAP", "East US STG", "South Central US STG"),
)
"""Every region as Azure spells it for people."""

_CODES: Final = frozenset(name.lower().replace(" ", "") for name in DISPLAY_NAMES)
_ZONE: Final = re.compile(r"-(?:az)?[1-9]$")
_LONGEST: Final = 64

_SUBSCRIPTION: Final = re.compile(r"/subscriptions/([^/]{1,64})(?:/|$)", re.IGNORECASE)
_LOCATION: Final = re.compile(r"/providers/[^/]+/locations/([^/]{1,64})(?:/|$)", re.IGNORECASE)
_NAMES: Final = ("region", "location", "resourceRegion", "resourceLocation")


def region_code(name: str) -> str | None:
    """The region that a display name, code or zone means, or `global`; None where it is neither."""
    if len(name) > _LONGEST:
        return None
    code = "".join(name.lower().split())
    if code == "global":
        return code
    code = _ZONE.sub("", code)
    return code if code in _CODES else None


def find(names: Iterable[str]) -> Places:
    """The region references for names of regions and zones, and the names that are neither."""
    named = tuple(names)
    return places("azure", map(region_code, named), named)


def subscription(resource: str) -> str | None:
    """The subscription of a resource; None where its id names none."""
    match = _SUBSCRIPTION.match(resource)
    return match[1] if match else None


def in_resource(resource: str) -> list[str]:
    """The location in a resource id, if it has one."""
    return _LOCATION.findall(resource)


def in_properties(properties: Fields | None) -> list[str]:
    """What the properties of a resource or an alert rule say its region is."""
    if properties is None:
        return []
    return [text for name in _NAMES if (text := properties.text(name))]


def in_dimensions(dimensions: list[Fields]) -> list[str]:
    """What the dimensions of a metric say its region is."""
    names = {name.lower() for name in _NAMES}
    return [
        text
        for dimension in dimensions
        if dimension.word("name") in names and (text := dimension.text("value"))
    ]
