"""What a region is called, and what folds to it."""

from __future__ import annotations

import pytest

from crosswind_aws.signals import regions as aws
from crosswind_azure.signals import regions as azure
from crosswind_gcp.signals import regions as gcp

AWS = [
    *("us-east-1", "us-west-2", "af-south-1", "ap-southeast-7", "ap-northeast-3", "ca-west-1"),
    *("eu-central-2", "il-central-1", "me-central-1", "mx-central-1", "sa-east-1"),
    *("cn-northwest-1", "us-gov-west-1", "us-iso-east-1", "us-isob-west-1", "us-isof-south-1"),
    *("eu-isoe-west-1", "eusc-de-east-1"),
]
GCP = [
    *("africa-south1", "asia-northeast3", "asia-south2", "australia-southeast1", "europe-west12"),
    *("europe-central2", "me-central2", "northamerica-northeast2", "northamerica-south1"),
    *("southamerica-west1", "us-central1", "us-east5", "us-south1"),
]
NO_REGIONS = ["", " ", "multiple", "atlantis-1", "x" * 100, "us-east-1 and more", "us_east_1", "é"]


@pytest.mark.parametrize("region", AWS)
def test_a_region_of_any_aws_partition_is_known_with_its_zones(region: str) -> None:
    assert aws.region_code(region) == region
    assert aws.region_code(f" {region.upper()} ") == region
    assert aws.region_code(f"{region}a") == region


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("use1-az4", "us-east-1"),
        ("usw2-az1", "us-west-2"),
        ("apne1-az1", "ap-northeast-1"),
        ("apse2-az3", "ap-southeast-2"),
        ("aps1-az1", "ap-south-1"),
        ("ape1-az2", "ap-east-1"),
        ("euc1-az1", "eu-central-1"),
        ("cnnw1-az1", "cn-northwest-1"),
        ("usgw1-az1", "us-gov-west-1"),
        ("usw2-lax1-az1", "us-west-2"),
        ("use1-wl1-bos1", "us-east-1"),
        ("us-west-2-lax-1a", "us-west-2"),
        ("us-east-1-wl1-bos-wlz-1", "us-east-1"),
    ],
)
def test_an_aws_zone_by_name_or_by_id_folds_to_its_region(zone: str, region: str) -> None:
    assert aws.region_code(zone) == region


@pytest.mark.parametrize("name", ["global", "GLOBAL", "aws-global", "aws-cn-global"])
def test_a_global_aws_service_is_global(name: str) -> None:
    assert aws.region_code(name) == "global"


@pytest.mark.parametrize("region", GCP)
def test_a_google_region_is_known_with_its_zones(region: str) -> None:
    assert gcp.region_code(region) == region
    assert gcp.region_code(f"{region.upper()}-B") == region
    assert gcp.region_code(f"{region}-ai1a") == region


@pytest.mark.parametrize("name", ["us", "eu", "asia", "global"])
def test_a_google_multi_region_stays_what_it_is(name: str) -> None:
    assert gcp.region_code(name.upper()) == name


@pytest.mark.parametrize("name", azure.DISPLAY_NAMES)
def test_an_azure_region_is_known_by_its_name_its_code_and_its_zones(name: str) -> None:
    code = name.lower().replace(" ", "")

    for spelling in (name, name.upper(), code, f"{code}-az1", f"{code}-3", f" {name} "):
        assert azure.region_code(spelling) == code


def test_azure_names_are_listed_once() -> None:
    assert len(set(azure.DISPLAY_NAMES)) == len(azure.DISPLAY_NAMES)


def test_a_global_azure_service_is_global() -> None:
    assert azure.region_code("Global") == "global"


@pytest.mark.parametrize("name", [*NO_REGIONS, "eastus2", "us-central1", "use1", "us-east-0"])
def test_what_is_no_aws_region_is_none(name: str) -> None:
    assert aws.region_code(name) is None


@pytest.mark.parametrize("name", [*NO_REGIONS, "eastus2", "us-east-1", "us-central1-", "aws:us"])
def test_what_is_no_google_region_is_none(name: str) -> None:
    assert gcp.region_code(name) is None


@pytest.mark.parametrize("name", [*NO_REGIONS, "us-east-1", "us-central1", "east us 9", "-1"])
def test_what_is_no_azure_region_is_none(name: str) -> None:
    assert azure.region_code(name) is None


def test_names_are_sorted_into_references_and_the_rest_each_once() -> None:
    found = aws.find(["us-east-1a", "nowhere", "us-east-1", "", "nowhere", "eu-west-1"])

    assert found.regions == ("aws/us-east-1", "aws/eu-west-1")
    assert found.unread == ("nowhere",)
