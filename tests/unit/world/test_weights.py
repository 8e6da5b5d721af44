"""Shares of traffic: smooth weighted round robin."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.world.weights import Rotation, faults_of

REGIONS = ("aws/us-east-1", "azure/eastus2", "gcp/us-central1")


@st.composite
def shares(draw: st.DrawFn) -> dict[str, float]:
    parts = draw(st.lists(st.integers(0, 1000), min_size=1, max_size=8).filter(sum))
    return {f"aws/region-{index}": part / sum(parts) for index, part in enumerate(parts)}


@given(shares(), st.integers(1, 300))
def test_every_region_stays_within_two_picks_of_its_share(
    weights: dict[str, float], picks: int
) -> None:
    rotation = Rotation(weights)
    counted: Counter[str] = Counter()
    for number in range(1, picks + 1):
        counted[rotation.pick()] += 1
        assert all(abs(counted[region] - share * number) < 2 for region, share in weights.items())


def test_a_whole_round_gives_each_region_exactly_its_share() -> None:
    rotation = Rotation({"aws/us-east-1": 0.5, "azure/eastus2": 0.3, "gcp/us-central1": 0.2})
    counted = Counter(rotation.pick() for _ in range(1000))
    assert counted == {"aws/us-east-1": 500, "azure/eastus2": 300, "gcp/us-central1": 200}


def test_picks_are_spread_and_do_not_come_in_bursts() -> None:
    rotation = Rotation({"aws/us-east-1": 0.5, "gcp/us-central1": 0.5})
    picks = [rotation.pick() for _ in range(100)]
    assert all(one != next_ for one, next_ in pairwise(picks))


def test_the_order_of_the_weights_does_not_change_the_picks() -> None:
    weights = {"gcp/us-central1": 0.25, "aws/us-east-1": 0.5, "azure/eastus2": 0.25}
    one, other = Rotation(weights), Rotation(dict(sorted(weights.items())))
    assert [one.pick() for _ in range(50)] == [other.pick() for _ in range(50)]


def test_a_region_without_a_share_is_never_picked() -> None:
    rotation = Rotation({"aws/us-east-1": 0.0, "gcp/us-central1": 1.0})
    assert {rotation.pick() for _ in range(100)} == {"gcp/us-central1"}


def test_a_rotation_needs_a_region_with_a_share() -> None:
    with pytest.raises(ValueError, match="no region has a share"):
        Rotation({"aws/us-east-1": 0.0})


def test_good_shares_have_no_faults() -> None:
    assert faults_of({"aws/us-east-1": 1 / 3, "azure/eastus2": 2 / 3}, REGIONS) == []


def test_every_fault_of_the_shares_is_listed() -> None:
    faults = faults_of(
        {"aws/us-east-1": -0.5, "azure/eastus2": float("nan"), "gcp/nowhere": 0.5}, REGIONS
    )
    assert len(faults) == 4
    assert "gcp/nowhere is not a region of this proxy" in faults[0]
    assert "aws/us-east-1 must lie between 0 and 1, not -0.5" in faults[1]
    assert "azure/eastus2 must lie between 0 and 1, not nan" in faults[2]
    assert "must sum to 1" in faults[3]
