"""Where traffic goes when a region is left, and what is never planned."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.chains.failover.plan import Proposal, Situation, propose, replicas_for
from crosswind.fleet.quantities import TOLERANCE
from crosswind.fleet.rules import violations
from crosswind_events.catalogue.failover import Alternative
from unit.chains.fleets import (
    CENTRAL,
    EAST,
    EUROPE,
    OHIO,
    document,
    fleet,
    placement,
    register,
    situation,
    workload,
)


def chat(**changes: Any) -> Any:
    return fleet(workloads={"chat": workload(**changes)})


def rejected(proposal: Proposal, name: str) -> str:
    (found,) = [one for one in proposal.decision.alternatives if one.name == name]
    return found.because


def test_the_share_of_the_failed_region_goes_to_those_that_are_left() -> None:
    chosen = propose(situation(chat())).chosen
    assert chosen is not None
    assert chosen.weights.get(EAST, 0.0) == 0.0
    assert sum(chosen.weights.values()) == pytest.approx(1.0)
    assert chosen.unserved == 0.0


def test_every_survivor_gets_the_replicas_that_its_share_needs() -> None:
    found = chat()
    chosen = propose(situation(found)).chosen
    assert chosen is not None
    for region, weight in chosen.weights.items():
        if weight > 0:
            assert chosen.replicas[region] >= replicas_for(found.workloads["chat"], weight)


def test_among_plans_that_serve_all_the_cheapest_is_chosen() -> None:
    chosen = propose(situation(chat())).chosen
    assert chosen is not None
    assert chosen.weights == {CENTRAL: 1.0, EUROPE: 0.0}
    assert chosen.cost_delta == 5 * 2.0


def test_serving_everyone_goes_before_being_cheap() -> None:
    small = chat(
        floor=0.5,
        regions={
            EAST: placement(0.5, 5, 10),
            CENTRAL: placement(0.5, 5, 6),
            EUROPE: placement(0.0, 0, 10),
        },
    )
    chosen = propose(situation(small)).chosen
    assert chosen is not None
    assert chosen.unserved == 0.0
    assert chosen.weights[EUROPE] > 0


def test_a_region_slower_than_the_objective_is_avoided_while_others_have_room() -> None:
    dear = document()["regions"] | {EUROPE: {"jurisdiction": "NL", "latency_ms": {"us": 110}}}
    found = fleet(regions=dear, workloads={"chat": workload(slo={"latency_ms": 80})})
    proposal = propose(situation(found))
    assert proposal.chosen is not None
    assert proposal.chosen.weights[EUROPE] == 0.0
    assert "would harm" in rejected(proposal, f"all that moves to {EUROPE}")


def test_a_region_without_capacity_takes_only_what_it_can_serve() -> None:
    proposal = propose(situation(chat(), ceilings={CENTRAL: 7}))
    assert proposal.chosen is not None
    assert proposal.chosen.replicas[CENTRAL] <= 7
    assert proposal.chosen.weights[EUROPE] >= 0.3 - 1e-6


def test_a_division_that_no_person_would_think_of_is_found() -> None:
    regions = document()["regions"] | {
        CENTRAL: {"jurisdiction": "US", "egress": 1.0},
        EUROPE: {"jurisdiction": "NL", "egress": 0.1, "price": 50.0},
    }
    spec = workload(gb_per_request=0.001, max_egress_usd_per_hour=250.0)
    proposal = propose(situation(fleet(regions=regions, workloads={"chat": spec})))
    assert proposal.chosen is not None
    assert proposal.chosen.name == "as it is best divided"
    # One more replica where sending is dear, and four where running is.
    assert proposal.chosen.egress <= 250.0
    assert proposal.chosen.replicas == {CENTRAL: 6, EUROPE: 4}
    assert "dearer than as it is best divided" in rejected(proposal, f"all that moves to {EUROPE}")


def test_replicas_that_have_to_start_are_damage_while_they_do() -> None:
    ready = {CENTRAL: 5, EUROPE: 5}
    found = chat(start_up=900)
    proposal = propose(situation(found, ready=ready, view=None))
    assert proposal.chosen is not None
    # Europe is dearer, and serves already.
    assert proposal.chosen.weights[EUROPE] == pytest.approx(0.5)
    assert proposal.chosen.delayed == 0.0
    assert "would harm 12.5% of the demand" in rejected(proposal, f"all that moves to {CENTRAL}")


def test_a_spread_is_wished_and_costs_what_it_costs() -> None:
    proposal = propose(situation(chat(spread={"max_share": 0.7})))
    assert proposal.chosen is not None
    assert proposal.chosen.weights[CENTRAL] == pytest.approx(0.7)
    assert proposal.chosen.crowded == 0.0
    assert "beyond its spread" in rejected(proposal, f"all that moves to {CENTRAL}")


def test_a_spread_gives_way_before_anyone_is_harmed() -> None:
    proposal = propose(situation(chat(spread={"max_share": 0.7}), silent=(EUROPE,)))
    assert proposal.chosen is not None
    assert proposal.chosen.weights[CENTRAL] == 1.0
    assert proposal.chosen.crowded == pytest.approx(0.3)


def test_gpus_that_others_hold_are_not_there() -> None:
    regions = document()["regions"] | {
        CENTRAL: {"jurisdiction": "US", "price": 2.0, "gpus": {"h100": 64}}
    }
    found = fleet(regions=regions, workloads={"chat": workload(gpu="h100", gpus_per_replica=8)})
    chosen = propose(situation(found)).chosen
    assert chosen is not None
    assert chosen.replicas[CENTRAL] == 8


def test_a_decision_fits_in_a_journal_however_many_regions_there_are() -> None:
    names = [f"aws/r-{number}" for number in range(60)]
    regions = {name: {"jurisdiction": "US"} for name in (EAST, *names)}
    placements = {name: placement(0.0, 0, 10) for name in names} | {EAST: placement(1.0, 10, 10)}
    found = fleet(regions=regions, workloads={"chat": workload(regions=placements)})
    proposal = propose(situation(found))
    assert proposal.chosen is not None
    assert len(proposal.decision.model_dump_json()) < 60_000
    assert proposal.decision.alternatives[0].because.startswith("chosen")


def test_a_quota_shared_with_other_workloads_is_respected() -> None:
    regions = document()["regions"] | {CENTRAL: {"jurisdiction": "US", "price": 2.0, "quota": 12}}
    found = fleet(regions=regions)
    view = register(found, others={CENTRAL: 4})
    chosen = propose(situation(found, view)).chosen
    assert chosen is not None
    assert chosen.replicas[CENTRAL] <= 8


def test_a_region_of_another_jurisdiction_is_not_used() -> None:
    regions = {
        EAST: placement(0.5, 5, 10),
        CENTRAL: placement(0.5, 5, 10),
        OHIO: placement(0.0, 0, 10),
    }
    found = chat(residency=["US"], regions=regions)
    foreign = found.model_copy(
        update={
            "regions": {
                **found.regions,
                CENTRAL: found.regions[CENTRAL].model_copy(update={"jurisdiction": "CA"}),
            }
        }
    )
    proposal = propose(situation(foreign))
    assert proposal.chosen is None
    assert "residency" in rejected(proposal, f"all that moves to {CENTRAL}")


def test_a_region_that_shares_the_failing_domain_gets_nothing_more() -> None:
    regions = {
        EAST: placement(0.5, 5, 10),
        OHIO: placement(0.5, 5, 10),
        CENTRAL: placement(0.0, 0, 10),
    }
    proposal = propose(situation(chat(regions=regions)))
    assert proposal.chosen is not None
    assert proposal.chosen.weights == {OHIO: 0.5, CENTRAL: 0.5}
    assert "shares grid:pjm" in rejected(proposal, f"all that moves to {OHIO}")


def test_an_evacuated_region_is_not_used_and_is_left_as_well() -> None:
    found = chat()
    view = register(found, states={CENTRAL: "evacuated"})
    chosen = propose(situation(found, view)).chosen
    assert chosen is not None
    assert chosen.weights == {EUROPE: 1.0}


def test_a_region_that_soaks_is_used_only_where_nothing_else_serves_as_well() -> None:
    found = chat()
    soaking = register(found, states={CENTRAL: "soaking"})
    proposal = propose(situation(found, soaking))
    assert proposal.chosen is not None
    assert proposal.chosen.weights == {CENTRAL: 0.5, EUROPE: 0.5}
    assert "still soak" in rejected(proposal, f"all that moves to {CENTRAL}")
    alone = propose(situation(found, soaking, silent=(EUROPE,)))
    assert alone.chosen is not None
    assert alone.chosen.weights[CENTRAL] == 1.0


def test_within_a_chain_nothing_goes_to_the_failing_domain_of_a_region_found_unfit() -> None:
    regions = {
        EAST: placement(0.5, 5, 10),
        CENTRAL: placement(0.5, 5, 10),
        OHIO: placement(0.0, 0, 10),
        EUROPE: placement(0.0, 0, 10),
    }
    declared = document()["regions"] | {
        EAST: {"jurisdiction": "US"},
        CENTRAL: {"jurisdiction": "US", "failing_domains": ["grid:miso"]},
        OHIO: {"jurisdiction": "US", "failing_domains": ["grid:miso"]},
    }
    found = fleet(regions=declared, workloads={"chat": workload(regions=regions)})
    proposal = propose(situation(found, excluded=(CENTRAL,)))
    assert proposal.chosen is not None
    assert proposal.chosen.weights == {EUROPE: 1.0}
    assert "shares grid:miso with gcp/us-central1, which was found unfit" in (
        rejected(proposal, f"all that moves to {OHIO}")
    )


def test_an_excluded_region_is_left_as_well() -> None:
    chosen = propose(situation(chat(), excluded=(CENTRAL,))).chosen
    assert chosen is not None
    assert chosen.weights == {EUROPE: 1.0}


def test_a_region_that_does_not_answer_is_left_as_well() -> None:
    proposal = propose(situation(chat(), silent=(CENTRAL,)))
    assert proposal.chosen is not None
    assert proposal.chosen.weights == {EUROPE: 1.0}
    assert "does not answer" in rejected(proposal, f"all that moves to {CENTRAL}")


def test_an_egress_budget_is_kept() -> None:
    regions = document()["regions"] | {
        CENTRAL: {"jurisdiction": "US", "egress": 1.0},
        EUROPE: {"jurisdiction": "NL", "egress": 0.1, "price": 50.0},
    }
    found = fleet(
        regions=regions,
        workloads={"chat": workload(gb_per_request=0.001, max_egress_usd_per_hour=200.0)},
    )
    proposal = propose(situation(found))
    assert proposal.chosen is not None
    assert proposal.chosen.egress <= 200.0
    assert "egress" in rejected(proposal, f"all that moves to {CENTRAL}")


def test_a_plan_below_the_floor_is_no_plan() -> None:
    regions = {EAST: placement(0.5, 5, 10), CENTRAL: placement(0.5, 5, 6)}
    proposal = propose(situation(chat(regions=regions)))
    assert proposal.chosen is None
    assert proposal.decision.chosen is None
    assert "floor" in proposal.decision.because


def test_a_floor_below_the_demand_lets_a_part_go_unserved() -> None:
    regions = {EAST: placement(0.5, 5, 10), CENTRAL: placement(0.5, 5, 6)}
    proposal = propose(situation(chat(regions=regions, floor=0.5)))
    assert proposal.chosen is not None
    assert proposal.chosen.unserved == pytest.approx(0.4)
    assert "40.0% of the demand unserved" in proposal.decision.because


def test_a_workload_that_is_nowhere_else_has_no_plan() -> None:
    proposal = propose(situation(chat(regions={EAST: placement(1.0, 10, 10)})))
    assert proposal.chosen is None
    assert "declared in no region but" in proposal.decision.because


def test_every_alternative_says_why_it_was_chosen_or_not() -> None:
    decision = propose(situation(chat())).decision
    assert len(decision.alternatives) >= 3
    for one in decision.alternatives:
        verb = "chosen" if one.name == decision.chosen else "rejected"
        assert one.because.startswith(verb)


REGIONS = [EAST, OHIO, CENTRAL, EUROPE]


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Fleets, registers and worlds of every kind, most of them in trouble."""
    chosen = draw(st.lists(st.sampled_from(REGIONS[1:]), unique=True, max_size=3))
    used = [EAST, *chosen]
    parts = [draw(st.integers(0, 4)) for _ in used]
    parts[0] += 0 if sum(parts) else 1
    placements = {}
    for region, part in zip(used, parts, strict=True):
        weight = part / sum(parts)
        replicas = -(-int(weight * 100) // 10) + draw(st.integers(0, 2)) + 1
        placements[region] = placement(weight, replicas, replicas + draw(st.integers(0, 8)))
    regions = {
        region: {
            "jurisdiction": draw(st.sampled_from(["US", "NL"])),
            "failing_domains": draw(st.sampled_from([[], ["grid:a"], ["grid:b"]])),
            "price": draw(st.integers(0, 5)) * 1.0,
            "egress": draw(st.integers(0, 3)) * 0.1,
            "latency_ms": draw(st.sampled_from([{}, {"us": 20}, {"us": 200}])),
            "quota": draw(st.sampled_from([None, 40])),
        }
        for region in REGIONS
    }
    found = fleet(
        regions=regions,
        workloads={
            "chat": workload(
                regions=placements,
                floor=draw(st.sampled_from([0.0, 0.5, 1.0])),
                slo={"latency_ms": draw(st.sampled_from([None, 100.0]))},
                gb_per_request=draw(st.sampled_from([0.0, 0.001])),
            )
        },
    )
    spec = found.workloads["chat"]
    residency = draw(st.sampled_from([(), ("US",), ("EU",)]))
    budget = draw(st.sampled_from([None, 50.0]))
    spec = spec.model_copy(update={"residency": residency, "max_egress_usd_per_hour": budget})
    found = found.model_copy(update={"workloads": {"chat": spec}})
    states = {
        region: draw(st.sampled_from(["serving", "serving", "evacuated", "soaking"]))
        for region in REGIONS[1:]
    }
    view = register(
        found, states=states, others={region: draw(st.integers(0, 30)) for region in REGIONS}
    )
    return situation(
        found,
        view,
        silent=tuple(draw(st.lists(st.sampled_from(REGIONS), unique=True, max_size=1))),
        ready={region: draw(st.integers(0, 12)) for region in used},
        excluded=tuple(draw(st.lists(st.sampled_from(REGIONS[1:]), unique=True, max_size=1))),
        ceilings=draw(st.dictionaries(st.sampled_from(REGIONS), st.integers(0, 12), max_size=2)),
    )


@settings(max_examples=100, deadline=None)
@given(situations())
def test_a_plan_never_breaks_a_rule_and_never_uses_an_unfit_region(case: Situation) -> None:
    chosen = propose(case).chosen
    if chosen is None:
        return
    now = case.register.workload
    capacity = {**now.capacity, **chosen.replicas}
    assert not violations(case.fleet, "chat", now, case.intended, chosen.weights, capacity)
    assert sum(chosen.weights.values()) == pytest.approx(1.0, abs=TOLERANCE)
    for region, weight in chosen.weights.items():
        if weight <= 0:
            continue
        assert region not in case.leaving
        assert case.endpoints[region].reachable
        if weight > now.weights.get(region, 0.0) + TOLERANCE:
            assert chosen.replicas[region] <= max(case.most(region), now.capacity.get(region, 0))
            assert case.register.regions[region].state != "evacuated"


def _cost(one: Alternative) -> tuple[float, float, float]:
    harmed = one.unserved + one.slow / 2 + one.delayed
    return round(harmed, 6), round(one.untrusted + one.crowded, 6), one.cost_delta


@settings(max_examples=100, deadline=None)
@given(situations())
def test_a_plan_is_never_worse_by_its_own_rule_than_one_it_rejects(case: Situation) -> None:
    proposal = propose(case)
    safe = [one for one in proposal.decision.alternatives if not one.breaks]
    assert (proposal.chosen is None) == (not safe)
    for one in safe:
        assert proposal.chosen is not None
        assert _cost(proposal.chosen) <= _cost(one)


@settings(max_examples=100, deadline=None)
@given(situations())
def test_every_alternative_is_explained_and_a_refusal_names_the_rules(case: Situation) -> None:
    decision = propose(case).decision
    assert decision.because
    assert all(one.because != "to be judged" for one in decision.alternatives)
    if decision.chosen is None:
        assert decision.because.startswith("no safe plan")
        assert all(one.because.startswith("rejected: it breaks") for one in decision.alternatives)


@settings(max_examples=50, deadline=None)
@given(situations())
def test_the_same_situation_gives_the_same_plan(case: Situation) -> None:
    assert propose(case) == propose(case)
