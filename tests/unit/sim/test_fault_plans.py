"""Plans of faults are data: checked, kept as JSON, and drawn from a seed."""

from __future__ import annotations

import re
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from crosswind.sim import (
    HABITS,
    KINDS,
    SIZES,
    Fault,
    Faults,
    Habit,
    InvalidFaults,
    Kind,
    random_faults,
)
from crosswind.sim.conditions import spells
from unit.sim.fleets import A, B, trio

NEEDS: dict[Kind, dict[str, str]] = {
    "notice": {"region": A},
    "alarm": {"region": A, "name": "chat-5xx"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_size_within_its_bounds_and_says_what_that_means(kind: Kind) -> None:
    size = SIZES[kind]
    fault = Fault(kind, 0, 1, **NEEDS.get(kind, {}))  # type: ignore[arg-type]  # texts only
    assert fault.size == size.default
    assert size.default is None or size.low <= size.default <= size.high
    assert size.meaning


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "outrage"}, "there is no fault 'outrage'"),
        ({"ends": 5.0}, "not after it begins"),
        ({"begins": -1.0}, "which is no time"),
        ({"ends": float("inf")}, "which is no time"),
        ({"region": A, "cloud": "aws"}, "region and cloud; give one"),
        ({"size": 0.5}, "outage has no size"),
        ({"kind": "brown-out", "size": 1.5}, "it goes from 0 to 1"),
        ({"kind": "surge", "region": A}, "surge has no place"),
        ({"kind": "alarm", "region": A}, "give name="),
        ({"kind": "notice"}, "give region="),
        ({"vantage": "us"}, "concerns no probe"),
        ({"action": "traffic.*"}, "concerns no action"),
        ({"every": 0.0}, "period"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidFaults, match=said):
        Fault(**{"kind": "outage", "begins": 10.0, "ends": 20.0, **fields})  # type: ignore[arg-type]


def test_a_fault_is_refused_with_all_that_is_wrong_with_it() -> None:
    with pytest.raises(InvalidFaults) as refused:
        Fault("surge", 10, 5, region=A, cloud="aws", size=-1)
    for said in ("not after", "give one", "has no place", "from 0 to 1000"):
        assert said in str(refused.value)


def test_a_plan_that_names_what_the_fleet_does_not_know_is_refused() -> None:
    plan = Faults(
        [
            Fault("outage", 0, 1, region="aws/us-west-2"),
            Fault("crash", 0, 1, region=A, workload="chap"),
            Fault("false-alarm", 0, 1, region=A, vantage="moon"),
            Fault("outage", 0, 1, domain="grid:none"),
        ]
    )
    with pytest.raises(InvalidFaults) as refused:
        plan.check(trio())
    assert str(refused.value).count("no such region") == 2
    assert "no such workload" in str(refused.value)
    assert "moon is no vantage" in str(refused.value)


def test_a_plan_is_in_the_order_in_which_its_faults_begin() -> None:
    late, early = Fault("outage", 50, 60, region=A), Fault("outage", 5, 60, region=B)
    assert list(Faults([late, early])) == [early, late]
    assert Faults([late]) + Faults([early]) == Faults([early, late])


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.5, 20))
def test_a_plan_goes_to_json_and_back(seed: int, days: float) -> None:
    plan = random_faults(trio(), seed, days, intensity=3)
    assert Faults.from_json(plan.to_json()) == plan


def test_what_is_no_plan_is_refused_as_json() -> None:
    with pytest.raises(ValidationError):
        Faults.from_json('[{"kind": "outage", "begins": 1}]')
    with pytest.raises(ValidationError):
        Faults.from_json('[{"kind": "outage", "begins": 3, "ends": 1}]')


def test_a_failing_domain_and_a_cloud_are_places_of_several_regions() -> None:
    fleet = trio("[grid:miso]", "[grid:pjm]")
    assert Fault("outage", 0, 1, domain="grid:pjm").regions(fleet) == (A, B)
    assert Fault("outage", 0, 1, cloud="gcp").regions(fleet) == (B,)
    assert len(Fault("outage", 0, 1).regions(fleet)) == 3


def test_a_region_that_flaps_is_down_for_its_share_of_each_period() -> None:
    fault = Fault("flapping", 100, 350, region=A, every=100, size=0.3)
    assert list(spells(fault)) == [(100, 130), (200, 230), (300, 330)]


def test_the_same_seed_draws_the_same_plan() -> None:
    assert random_faults(trio(), 5, 30) == random_faults(trio(), 5, 30)
    assert random_faults(trio(), 5, 30) != random_faults(trio(), 6, 30)


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_every_plan_that_is_drawn_fits_its_fleet(seed: int) -> None:
    random_faults(trio(), seed, 20, intensity=5).check(trio())


def test_one_habit_less_changes_nothing_of_the_others() -> None:
    habits = [Habit("outage", 0.5, 600, 1.0), Habit("slow", 0.5, 600, 1.0, 2, 5)]
    both = random_faults(trio(), 3, 30, 2.0, habits)
    alone = random_faults(trio(), 3, 30, 1.0, habits[:1])
    assert [one for one in both if one.kind == "outage"] == [
        one for one in alone if one.kind == "outage"
    ]


def test_intensity_is_the_number_of_faults_in_a_day() -> None:
    plan = random_faults(trio(), 1, 400, intensity=2.0)
    own = [fault for fault in plan if fault.kind not in ("notice", "alarm")]
    assert 700 < len(own) < 900


def test_most_faults_are_over_in_minutes_and_some_take_hours() -> None:
    lasted = [fault.seconds for fault in random_faults(trio(), 1, 400) if fault.kind == "outage"]
    assert 5 * 60 < median(lasted) < 30 * 60
    assert max(lasted) > 3 * 3600


def test_faults_overlap_and_every_kind_comes_up() -> None:
    plan = list(random_faults(trio(), 2, 2_000))
    assert any(one.ends > other.begins for one, other in pairwise(plan))
    drawn = {fault.kind for fault in plan}
    assert {habit.kind for habit in HABITS} | {"alarm"} == drawn


def test_a_fault_reads_as_a_sentence() -> None:
    fault = Fault("brown-out", 60, 90, region=A, workload="chat", size=0.25)
    assert str(fault) == "brown-out 0.25 of chat in aws/us-east-1, 60 to 90 s"
    assert asdict(fault)["size"] == 0.25


def test_every_kind_is_described_with_its_default() -> None:
    page = Path(__file__).parents[3] / "docs" / "simulation.md"
    table = page.read_text().partition("sim-faults: begin")[2].partition("sim-faults: end")[0]
    rows = re.findall(r"^\| `([a-z-]+)` \| .+ \|([^|]*)\|([^|]*)\|$", table, re.MULTILINE)
    described = {kind: float(value) if value.strip() else None for kind, _, value in rows}
    assert described == {kind: size.default for kind, size in SIZES.items()}
