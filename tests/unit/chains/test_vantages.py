"""A vantage whose own network is broken sees every region fail, and is not believed."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.chains.failover.vantages import LOOKED_AT, others
from crosswind_events import RegionUnhealthy
from crosswind_events.catalogue.failover import (
    FailoverCompleted,
    FailoverConfirmed,
    FailoverUnconfirmed,
)
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, EUROPE, OHIO, fleet, placement, workload

WARM = {
    EAST: placement(0.5, 5, 10),
    CENTRAL: placement(0.5, 5, 10),
    EUROPE: placement(0.0, 1, 10),
}
"""Europe stands by with a replica, so that it answers."""


def probing(vantages: tuple[str, ...] = ("home", "away"), **changes: Any) -> Drama:
    policy = {"soak": 60, "failback_steps": 2, "failback_pause": 10, "window": 60}
    changes = {"workloads": {"chat": workload(regions=WARM)}} | changes
    return Drama(
        fleet(**{"probes": {"every": 5, "vantages": vantages}, "failover": policy, **changes})
    )


def probed(drama: Drama) -> list[Any]:
    return [e.data for e in drama.said(RegionUnhealthy) if e.data.evidence == "probe"]


@pytest.mark.parametrize(
    ("down", "blind", "believed", "left"),
    [
        # regions down, vantages whose network is broken, whose words count, regions that are left
        ((EAST,), (), {("home", EAST), ("away", EAST)}, {EAST}),
        ((), ("home",), set(), set()),
        ((), ("home", "away"), set(), set()),
        # The region is down as well: the sound vantage and the traffic see it.
        ((EAST,), ("home",), {("away", EAST)}, {EAST}),
        # Both vantages see nothing: the traffic alone does not suffice.
        ((EAST,), ("home", "away"), set(), set()),
        # All are down: nobody can tell that from a broken vantage, and there is nowhere to go.
        ((EAST, CENTRAL, EUROPE), (), set(), set()),
    ],
    ids=[
        "one region down",
        "one vantage blind",
        "all vantages blind",
        "a region down, a vantage blind",
        "a region down, all vantages blind",
        "all regions down",
    ],
)
def test_who_is_believed_and_what_is_left(
    down: tuple[str, ...],
    blind: tuple[str, ...],
    believed: set[tuple[str, str]],
    left: set[str],
) -> None:
    drama = probing()
    drama.cloud.blind.update(blind)
    for region in down:
        drama.cloud.fail(region)
    drama.watch(90)
    words = [data for data in probed(drama) if data.region in (EAST, CENTRAL, EUROPE)]
    counted = {
        (data.vantage, data.region)
        for data in words
        if data.measured.get("others_failed", 0.0) < data.measured["others"]
    }
    assert counted == believed
    evacuated = {region for region in drama.fleet.regions if drama.state(region) == "evacuated"}
    assert evacuated == left


def test_a_vantage_that_is_not_believed_says_so_in_the_trace_of_each_region() -> None:
    drama = probing()
    drama.cloud.blind.add("home")
    drama.watch(120)
    ended = {event.data.region: event.data for event in drama.said(FailoverUnconfirmed)}
    assert set(ended) == {EAST, CENTRAL, EUROPE}
    last = ended[EAST].pieces[-1]
    assert (last.weight, last.vantage) == (0.0, "home")
    assert (
        last.because
        == "vantage home is not believed: it saw each of 2 other region(s) fail as well"
    )
    assert ended[EAST].weighing.total == 0.0


def test_a_vantage_that_is_blind_stops_asking() -> None:
    drama = probing(
        ("home",), workloads={f"w{n:02}": workload(rate=1, regions=WARM) for n in range(30)}
    )
    drama.cloud.blind.add("home")
    drama.round()
    in_the_east = [query for _, query in drama.cloud.probes if query.region == EAST]
    # Once for the round of its own, and once for each of those of the others, who look at it.
    assert len(in_the_east) <= 3
    assert len(probed(drama)) == 3


def test_one_other_region_that_answers_is_enough_to_be_believed() -> None:
    drama = probing(("home",))
    drama.cloud.fail(EAST)
    drama.cloud.fail(EUROPE)
    drama.round()
    words = {data.region: data.measured for data in probed(drama)}
    for region in (EAST, EUROPE):
        assert (words[region]["others"], words[region]["others_failed"]) == (2.0, 1.0)


def test_a_region_that_was_left_proves_nothing_about_a_vantage() -> None:
    drama = probing()
    drama.cloud.fail(EAST)
    drama.watch(60)
    assert drama.state() == "evacuated"
    drama.cloud.fail(CENTRAL)
    drama.cloud.weights["chat"] = {EUROPE: 1.0}
    drama.round()
    (word,) = (data for data in probed(drama) if data.region == CENTRAL and data.vantage == "home")
    assert (word.measured["others"], word.measured["others_failed"]) == (1.0, 0.0)


def test_where_there_is_no_other_region_a_vantage_is_believed_and_alone_suffices_not() -> None:
    drama = probing(("home",), workloads={"chat": workload(regions={EAST: placement(1.0, 10, 10)})})
    drama.cloud.blind.add("home")
    drama.watch(90)
    assert "others" not in probed(drama)[0].measured
    assert not drama.said(FailoverConfirmed)


def test_a_vantage_that_went_blind_since_is_found_out_before_anything_is_moved() -> None:
    drama = probing(("home",))
    drama.cloud.lag = None  # so that the traffic says nothing
    drama.cloud.fail(EAST)
    drama.round()
    drama.pass_time(10)
    drama.cloud.recover(EAST)
    drama.cloud.blind.add("home")
    drama.hear(evidence="provider", source="//health.example.com")
    assert not drama.said(FailoverConfirmed)
    drama.pass_time(200)
    pieces = drama.one(FailoverUnconfirmed).data.pieces
    assert pieces[0].because == ("vantage home is not believed: from it 2 other region(s) fail now")


def test_others_on_other_clouds_and_in_other_domains_are_asked_first() -> None:
    placed = {EAST: 1.0, OHIO: 0.0, CENTRAL: 0.0, EUROPE: 0.0}
    wide = fleet(
        workloads={
            "chat": workload(
                regions={region: placement(weight, 10, 10) for region, weight in placed.items()}
            )
        }
    )
    assert list(others(wide, EAST, "chat")) == [EUROPE, CENTRAL, OHIO]


def test_elsewhere_the_same_workload_is_asked_for_where_it_is() -> None:
    both = fleet(
        workloads={
            "chat": workload(),
            "search": workload(regions={OHIO: placement(1.0, 10, 10)}),
        }
    )
    assert others(both, EAST, "chat") == {EUROPE: "chat", CENTRAL: "chat", OHIO: "search"}


def test_of_very_many_regions_only_a_few_are_asked() -> None:
    names = [f"gcp/region-{number}" for number in range(20)]
    placed = {name: placement(1.0 if name == names[0] else 0.0, 10, 10) for name in names}
    drama = probing(
        ("home",),
        regions={name: {"jurisdiction": "US"} for name in names},
        workloads={"chat": workload(regions=placed)},
    )
    drama.cloud.blind.add("home")
    drama.round()
    assert {data.measured["others"] for data in probed(drama)} == {float(LOOKED_AT)}


def test_a_provider_wide_outage_is_not_taken_for_a_broken_vantage() -> None:
    placed = {EAST: 0.4, OHIO: 0.4, CENTRAL: 0.2, EUROPE: 0.0}
    drama = probing(
        workloads={
            "chat": workload(
                regions={region: placement(weight, 10, 20) for region, weight in placed.items()}
            )
        }
    )
    drama.cloud.fail(EAST)
    drama.cloud.fail(OHIO)
    drama.watch(90)
    assert {event.data.region for event in drama.said(FailoverCompleted)} == {EAST, OHIO}
