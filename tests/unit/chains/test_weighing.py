"""What a single word counts for: decay, staleness, and observers that are not believed."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.chains.failover.evidence import failing, recovered
from crosswind.fleet.declaration import Fleet
from crosswind_events import RegionRecovered
from crosswind_events.catalogue.failover import Piece
from unit.chains.fleets import EAST, NOW, fleet, heard


def piece(event: Any, policy: Fleet | None = None) -> Piece:
    (found,) = failing([event], EAST, policy or fleet(), NOW).pieces
    return found


def fading(half_life: float = 60.0, **failover: Any) -> Fleet:
    return fleet(failover={"half_life": half_life, **failover})


@pytest.mark.parametrize(
    ("ago", "weight"),
    [(0, 1.0), (30, 1.0), (90, 0.5), (150, 0.25), (300, 0.5**4.5), (301, 0.0)],
)
def test_after_one_round_of_probes_a_weight_halves_with_each_half_life(
    ago: float, weight: float
) -> None:
    assert piece(heard(ago=ago), fading()).weight == pytest.approx(weight)


def test_a_piece_says_what_it_would_weigh_fresh_and_how_old_it_is() -> None:
    faded = piece(heard(ago=90), fading())
    assert (faded.full, faded.age) == (1.0, 90.0)
    assert faded.because == "policy gives probe evidence 1; 90 s old, halved every 60 s"


def test_what_has_faded_to_a_hundredth_counts_for_nothing() -> None:
    faded = piece(heard(ago=100), fading(10.0))
    assert faded.weight == 0.0
    assert "has faded" in faded.because


def test_without_a_half_life_a_piece_counts_in_full_until_the_window_ends() -> None:
    assert piece(heard(ago=300)).weight == 1.0
    assert piece(heard(ago=300.001)).weight == 0.0


def test_two_fresh_words_suffice_also_where_weights_fade() -> None:
    events = [heard(ago=25), heard(evidence="telemetry", id="2", ago=3)]
    assert failing(events, EAST, fading(), NOW).reached


def test_a_notice_that_has_faded_does_not_suffice_beside_a_fresh_probe() -> None:
    events = [heard(evidence="provider", ago=200), heard(id="2")]
    assert failing(events, EAST, fleet(), NOW).reached
    assert not failing(events, EAST, fading(), NOW).reached
    assert failing(events, EAST, fading(quorum=1.1), NOW).reached


def test_evidence_of_recovery_fades_as_well() -> None:
    events = [heard(RegionRecovered, vantage=v, id=v, ago=90) for v in ("a", "b")]
    assert recovered(events, EAST, fading(), NOW).total == pytest.approx(1.0)


def test_a_word_is_as_old_as_what_it_measured() -> None:
    late = piece(heard(evidence="telemetry", ago=10, measured={"age": 80.0}), fading())
    assert late.age == 90.0
    assert late.weight == pytest.approx(0.5)
    assert "it was measured 80 s before it was said" in late.because


def test_a_word_that_repeats_what_was_measured_long_ago_counts_for_nothing() -> None:
    stale = piece(heard(evidence="telemetry", ago=1, measured={"age": 300.0}))
    assert stale.weight == 0.0
    assert stale.because.startswith("is 301 s old")


@pytest.mark.parametrize(("age", "weight"), [(-5.0, 1.0), (0.0, 1.0), (1e300, 0.0)])
def test_what_is_said_to_be_measured_in_the_future_was_measured_now(
    age: float, weight: float
) -> None:
    assert piece(heard(measured={"age": age})).weight == weight


def test_a_word_from_a_clock_that_is_ahead_is_fresh() -> None:
    ahead = piece(heard(ago=-20), fading())
    assert (ahead.weight, ahead.age) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("others", "failed", "believed"),
    [
        (0, 0, True),
        (1, 0, True),
        (3, 2, True),
        (1, 1, False),
        (3, 3, False),
        (3, 4, False),
    ],
)
def test_a_vantage_that_sees_no_other_region_either_is_not_believed(
    others: int, failed: int, believed: bool
) -> None:
    measured = {"others": float(others), "others_failed": float(failed)}
    seen = piece(heard(vantage="home", measured=measured))
    assert (seen.weight > 0) is believed
    assert ("vantage home is not believed" in seen.because) is not believed


def test_telemetry_that_sees_every_region_fail_alike_says_nothing_of_one() -> None:
    measured = {"others": 2.0, "others_failed": 2.0}
    seen = piece(heard(evidence="telemetry", measured=measured))
    assert seen.weight == 0.0
    assert "it is no matter of this one" in seen.because


def test_a_blind_word_takes_the_place_of_what_its_vantage_saw_before() -> None:
    blind = heard(id="2", vantage="home", measured={"others": 3.0, "others_failed": 3.0})
    events = [heard(ago=30, vantage="home"), blind, heard(evidence="provider", id="3")]
    assert failing(events, EAST, fleet(), NOW).total == 1.0


def test_a_word_of_a_workload_outlives_one_of_the_whole_region_that_has_faded() -> None:
    events = [heard(ago=120), heard(ago=5, id="2", workload="chat")]
    assert failing(events, EAST, fading(), NOW).total == 1.0
    old = [heard(ago=310), heard(ago=5, id="2", workload="chat")]
    assert failing(old, EAST, fleet(), NOW).total == 1.0


@pytest.mark.parametrize(
    ("measured", "weight", "why"),
    [
        ({}, 1.0, "policy gives telemetry evidence 1"),
        ({"error_rate": 0.5}, 1.0, "policy gives telemetry evidence 1"),
        ({"error_rate": 0.5, "error_limit": 0.05}, 1.0, "50.0% fail, 5.0% may: 1"),
        ({"error_rate": 0.01, "error_limit": 0.05}, 0.0, "1.0% fail, 5.0% may: 0"),
        ({"slow_share": 0.9, "slow_limit": 0.5}, 1.0, "90.0% are slow, 50.0% may: 1"),
        (
            {"burn.3600.300": 20.0},
            1.0,
            "burns 20 times its budget over 1 h and 5 min, more than 14.4 times: 1",
        ),
        (
            {"burn.3600.300": 14.4},
            0.0,
            "burns 14.4 times its budget over 1 h and 5 min, not more than 14.4 times: 0",
        ),
        (
            {"burn.3600.300": 9.0, "burn.21600.1800": 7.0},
            0.5,
            "burns 7 times its budget over 6 h and 30 min, more than 6 times: 0.5",
        ),
        (
            {"burn.259200.21600": 2.0},
            0.0,
            "burns 2 times its budget over 3 d and 6 h, more than 1 times: 0",
        ),
        ({"burn.60.10": 99.0}, 0.0, "it measured nothing that the policy looks at: 0"),
    ],
)
def test_telemetry_weighs_what_the_policy_gives_the_speed_at_which_the_budget_is_spent(
    measured: dict[str, float], weight: float, why: str
) -> None:
    seen = piece(heard(evidence="telemetry", measured=measured))
    assert (seen.weight, seen.because) == (weight, why)


def test_a_word_of_the_past_is_weighed_by_the_burn_rates_of_todays_policy() -> None:
    event = heard(evidence="telemetry", measured={"burn.3600.300": 20.0})
    strict = fleet(failover={"burn": [{"long": "1h", "short": "5m", "factor": 30}]})
    assert piece(event).weight == 1.0
    assert piece(event, strict).weight == 0.0
