"""Weighted records of Route 53: which share of a name's traffic leads where.

Source: docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from crosswind.adopting.found import Mark, Share
from crosswind_aws.adopt.asking import Asker
from crosswind_aws.adopt.endpoints import dns

MOST_ZONES: Final = 200
"""Hosted zones whose records are read."""


def read(asker: Asker, region: str) -> Iterator[Share]:
    """The weighted records of an account; `region` is any of its partition."""
    zones = asker.pages("route53", "ListHostedZones", "HostedZones", region, most=MOST_ZONES)
    for zone in zones:
        number = str(zone["Id"]).rpartition("/")[2]
        for one in asker.pages(
            "route53", "ListResourceRecordSets", "ResourceRecordSets", region, HostedZoneId=number
        ):
            if "Weight" in one and "SetIdentifier" in one:
                yield _share(one)


def _share(record: Mapping[str, Any]) -> Share:
    alias = (record.get("AliasTarget") or {}).get("DNSName")
    values = [str(one["Value"]) for one in record.get("ResourceRecords") or ()]
    targets = [str(alias)] if alias else values
    leads = len(targets) == 1 and (alias or record["Type"] == "CNAME")
    return Share(
        name=f"{dns(str(record['Name']))} {record['Type']}",
        identifier=str(record["SetIdentifier"]),
        weight=float(record["Weight"]),
        mark=Mark("", "dns", dns(targets[0])) if leads else None,
        to=", ".join(map(dns, targets[:2])) or "nothing",
    )
