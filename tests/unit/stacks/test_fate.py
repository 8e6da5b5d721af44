"""Whether a failover shares the fate of the region that it is to leave."""

from __future__ import annotations

import pytest

from crosswind.fleet.declaration import Fleet
from crosswind.fleet.load import parse_fleet
from crosswind.stacks.fate import shared_fate

KINDS = ("traffic.set-weights", "endpoint.scale")


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return parse_fleet(
        """
        name: main
        regions:
          aws/us-east-1: {jurisdiction: US, failing_domains: [grid:pjm]}
          aws/us-east-2: {jurisdiction: US, failing_domains: [grid:pjm]}
          aws/us-west-2: {jurisdiction: US, failing_domains: [grid:wecc]}
          gcp/us-central1: {jurisdiction: US}
        workloads:
          chat:
            rate: 20
            per_replica: 20
            floor: 0.5
            regions:
              aws/us-east-1: {weight: 0.5, replicas: 1, quota: 2}
              gcp/us-central1: {weight: 0.5, replicas: 1, quota: 2}
        """
    )


def test_a_failover_is_not_hosted_in_a_region_that_it_leaves(fleet: Fleet) -> None:
    refused = shared_fate(KINDS, fleet, "aws/us-east-1")
    assert refused is not None
    assert "leaves aws/us-east-1 when it fails (chat)" in refused
    assert "--share-fate" in refused


def test_nor_in_one_that_fails_together_with_such_a_region(fleet: Fleet) -> None:
    refused = shared_fate(KINDS, fleet, "aws/us-east-2")
    assert refused is not None
    assert "aws/us-east-2 fails together with aws/us-east-1 (grid:pjm)" in refused


@pytest.mark.parametrize("place", ["aws/us-west-2", "aws/eu-west-1"])
def test_a_region_in_which_the_fleet_has_nothing_is_a_good_host(fleet: Fleet, place: str) -> None:
    assert shared_fate(KINDS, fleet, place) is None


def test_an_app_that_moves_no_traffic_may_be_anywhere(fleet: Fleet) -> None:
    assert shared_fate(("notify.send",), fleet, "aws/us-east-1") is None


def test_without_a_fleet_nothing_is_moved() -> None:
    assert shared_fate(KINDS, None, "aws/us-east-1") is None
