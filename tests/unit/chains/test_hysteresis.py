"""Before a region is left it is looked at once more, also by those who had not spoken."""

from __future__ import annotations

from typing import Any

from crosswind_events import RegionRecovered, RegionUnhealthy
from crosswind_events.catalogue.failover import (
    EvidenceContradicted,
    FailoverConfirmed,
    FailoverUnconfirmed,
)
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, OHIO, fleet, workload


def watching(*vantages: str, **changes: Any) -> Drama:
    policy = {"every": 30, "vantages": list(vantages) or ["home"]}
    return Drama(fleet(probes=policy, **changes))


def rumours(drama: Drama, **more: Any) -> None:
    """Two observers of another house say that the region fails."""
    drama.hear(evidence="provider", source="//health.example.com", **more)
    drama.hear(vantage="elsewhere", **more)


def test_what_others_say_of_a_region_that_is_down_is_believed() -> None:
    drama = watching("home", "away")
    drama.cloud.fail(EAST)
    rumours(drama)
    assert drama.one(FailoverConfirmed)


def test_a_vantage_of_ours_that_is_answered_contradicts_a_rumour() -> None:
    drama = watching("home")
    rumours(drama)
    assert not drama.said(FailoverConfirmed)
    said = drama.one(EvidenceContradicted).data
    assert said.because.startswith("0 of 2 needed")
    assert said.because.endswith("2 taken off it by 2 fresh word(s) that all is well")
    assert [(p.kind, p.against) for p in said.pieces if p.against] == [
        ("probe", 1.0),
        ("telemetry", 1.0),
    ]


def test_what_another_observer_says_contradicts_like_a_look_of_ours() -> None:
    drama = watching("home")
    drama.cloud.fail(EAST)
    drama.hear(vantage="elsewhere")
    drama.hear(RegionRecovered, vantage="far")
    drama.hear(evidence="provider")
    assert drama.one(EvidenceContradicted).data.because.startswith("1 of 2 needed")
    assert not drama.said(FailoverConfirmed)
    drama.pass_time(60)
    drama.hear(evidence="provider")
    drama.hear(vantage="elsewhere")
    assert drama.one(FailoverConfirmed), "it is not fresh any more"


def test_that_it_was_contradicted_is_said_once() -> None:
    drama = watching("home")
    rumours(drama)
    drama.pass_time(10)
    rumours(drama)
    assert len([run for run in drama.records() if "hear_unhealthy" in run.handler]) == 4
    assert len(drama.said(EvidenceContradicted)) == 1


def test_a_chain_that_was_contradicted_says_so_in_the_end() -> None:
    drama = watching("home")
    rumours(drama)
    drama.pass_time(700)
    ended = drama.one(FailoverUnconfirmed).data
    assert not ended.weighing.reached
    assert "taken off it by 2 fresh word(s) that all is well" in ended.because


def test_its_word_stands_in_the_table_of_what_was_believed() -> None:
    drama = watching("home")
    drama.cloud.lag = None
    rumours(drama)
    drama.hear(vantage="farther")
    confirmed = drama.one(FailoverConfirmed).data
    (look,) = (piece for piece in confirmed.pieces if piece.source == "//crosswind/look")
    assert (look.kind, look.vantage, look.says, look.against) == ("probe", "home", "recovered", 1.0)
    assert (confirmed.weighing.total, confirmed.weighing.against) == (2.0, 1.0)


def test_real_traffic_that_is_answered_contradicts_a_rumour() -> None:
    drama = watching("home")
    drama.cloud.blind.add("home")  # so that only the traffic speaks
    drama.hear(evidence="provider", source="//health.example.com")
    drama.pass_time(20)
    drama.hear(vantage="elsewhere")
    assert not drama.said(FailoverConfirmed)


def test_only_traffic_that_came_since_the_last_word_can_contradict_it() -> None:
    drama = watching("home")
    drama.cloud.blind.add("home")
    drama.hear(evidence="provider", source="//health.example.com")
    drama.pass_time(20)
    drama.hear(vantage="elsewhere")
    assert [query.seconds for query in drama.cloud.read] == [1.0]


def test_a_look_that_finds_nothing_out_says_nothing() -> None:
    drama = watching("home")
    drama.cloud.blind.add("home")
    drama.cloud.lag = None
    rumours(drama)
    assert drama.one(FailoverConfirmed)


def test_nobody_is_asked_where_contradiction_weighs_nothing() -> None:
    drama = watching("home", "away", failover={"contradiction": 0})
    rumours(drama)
    assert drama.one(FailoverConfirmed)
    assert not drama.cloud.probes


def test_a_person_is_believed_without_another_look() -> None:
    drama = watching("home", "away")
    drama.hear(evidence="operator")
    assert drama.one(FailoverConfirmed)
    assert not drama.cloud.probes


def test_at_most_two_vantages_that_were_silent_are_asked() -> None:
    drama = watching("a", "b", "c", "d")
    drama.cloud.fail(EAST)
    rumours(drama)
    assert [query.vantage for _, query in drama.cloud.probes] == ["a", "b"]


def test_a_contradiction_about_one_workload_leaves_the_others_what_they_are() -> None:
    drama = watching("home", workloads={"chat": workload(), "search": workload()})
    drama.cloud.lag = None
    drama.hear(vantage="x", workload="chat")
    drama.hear(vantage="y", workload="chat")
    assert not drama.said(FailoverConfirmed)
    drama.hear(vantage="x", workload="search")
    drama.hear(vantage="y", workload="search")
    drama.hear(vantage="z", workload="search")
    assert drama.one(FailoverConfirmed).data.sweep.workloads == ("search",)


def test_a_rumour_about_the_whole_region_is_contradicted_as_a_whole() -> None:
    drama = watching("home", workloads={"chat": workload(), "search": workload()})
    drama.cloud.lag = None
    rumours(drama)
    assert not drama.said(FailoverConfirmed)


def test_a_probe_of_ours_that_is_old_is_sent_again() -> None:
    drama = watching("home")
    drama.hear(vantage="home")
    drama.pass_time(31)
    drama.hear(evidence="telemetry")
    assert not drama.said(FailoverConfirmed)
    because = [piece.because for piece in drama.one(EvidenceContradicted).data.pieces]
    assert because == [
        "a fresh probe from home was answered",
        "policy gives telemetry evidence 1",
    ]


def test_evidence_about_one_region_raises_nothing_in_another_of_its_failing_domain() -> None:
    placed = {
        EAST: {"weight": 0.5, "replicas": 5, "quota": 10},
        OHIO: {"weight": 0.2, "replicas": 5, "quota": 10},
        CENTRAL: {"weight": 0.3, "replicas": 5, "quota": 20},
    }
    drama = watching("home", workloads={"chat": workload(regions=placed)})
    drama.fail()
    said = drama.one(FailoverConfirmed).data.because
    assert said.endswith(
        f"it shares a failing domain with {OHIO} (grid:pjm), which is serving, "
        "of which this says nothing"
    )
    drama.pass_time(120)
    assert {event.data.region for event in drama.said(RegionUnhealthy)} == {EAST}
    assert drama.state(OHIO) == "serving"
