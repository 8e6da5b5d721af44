"""Whose law holds in the regions of AWS.

Source: the tables of docs.aws.amazon.com/global-infrastructure/latest/regions/, which name the
country ("geography") of each.
"""

from __future__ import annotations

from typing import Final

_COUNTRIES: Final[dict[str, str]] = {
    "af-south-1": "ZA",
    "ap-east-1": "HK",
    "ap-east-2": "TW",
    "ap-northeast-1": "JP",
    "ap-northeast-2": "KR",
    "ap-northeast-3": "JP",
    "ap-south-1": "IN",
    "ap-south-2": "IN",
    "ap-southeast-1": "SG",
    "ap-southeast-2": "AU",
    "ap-southeast-3": "ID",
    "ap-southeast-4": "AU",
    "ap-southeast-5": "MY",
    "ap-southeast-6": "NZ",
    "ap-southeast-7": "TH",
    "eu-central-1": "DE",
    "eu-central-2": "CH",
    "eu-north-1": "SE",
    "eu-south-1": "IT",
    "eu-south-2": "ES",
    "eu-west-1": "IE",
    "eu-west-2": "GB",
    "eu-west-3": "FR",
    "eusc-de-east-1": "DE",
    "il-central-1": "IL",
    "me-central-1": "AE",
    "me-south-1": "BH",
    "mx-central-1": "MX",
    "sa-east-1": "BR",
}
_AREAS: Final = {"ca": "CA", "cn": "CN", "us": "US"}


def country(region: str) -> str | None:
    """ISO 3166-1 alpha-2 code of a region's country; None where it is not known here."""
    return _COUNTRIES.get(region) or _AREAS.get(region.partition("-")[0])
