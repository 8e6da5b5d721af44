"""Applying a declaration: the register and the world converge to it, and failovers stay."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.chains.apply import chain as bounds
from crosswind.chains.apply import rounds
from crosswind.fleet.declaration import Fleet
from crosswind.testing import FaultPlan, On
from crosswind_events.catalogue.approval import ApprovalRequested
from crosswind_events.catalogue.fleet import ApplyFailed, FleetApplied, WorkloadConverged
from crosswind_events.catalogue.incident import IncidentOpened
from unit.chains.fleets import CENTRAL, EAST, EUROPE, OHIO, fleet, placement, workload
from unit.convergence.town import Town


def shifted(**changes: Any) -> Fleet:
    """The same fleet with a larger share, and more replicas, in the centre."""
    regions = {
        EAST: placement(0.2, 2, 10),
        CENTRAL: placement(0.8, 8, 10),
        EUROPE: placement(0.0, 0, 10),
    }
    return fleet(workloads={"chat": workload(regions=regions, **changes)})


def applied(declared: Fleet | None = None, **more: Any) -> Town:
    """A town to which its first declaration was applied."""
    town = Town(declared or fleet(), **more)
    town.apply()
    return town


def test_what_is_there_at_first_becomes_what_is_intended() -> None:
    town = Town(fleet())
    town.world.tamper({EAST: 0.5, CENTRAL: 0.5})
    town.world.epochs["chat"] = 7
    assert town.stored() is None
    chain = town.apply()
    assert town.outcome(chain) == "applied"
    state = town.intended()
    assert (state.epoch, state.weights) == (7, {EAST: 0.5, CENTRAL: 0.5})
    assert state.capacity == {EAST: 5, CENTRAL: 5, EUROPE: 0}
    assert town.world.steps == [], "nothing had to move"
    assert town.one(WorkloadConverged).outcome == "unchanged"


def test_what_differs_at_first_is_brought_to_the_declaration_from_where_it_is() -> None:
    town = Town(fleet())
    town.world.tamper({EAST: 1.0})
    town.apply()
    assert town.shares() == {EAST: 0.5, CENTRAL: 0.5}
    assert [step.weights[EAST] for step in town.world.steps] == [0.75, 0.5]


def test_a_change_of_the_file_changes_nothing_until_it_is_applied() -> None:
    town = applied()
    town.declare(shifted())
    town.compare()
    assert town.world.steps == []
    assert town.shares() == {EAST: 0.5, CENTRAL: 0.5}


def test_shares_move_in_the_declared_steps_each_under_a_new_epoch() -> None:
    town = applied()
    town.declare(shifted())
    chain = town.apply()
    assert town.outcome(chain) == "applied"
    assert [(step.weights[CENTRAL], step.epoch) for step in town.world.steps] == [
        (0.65, 2),
        (0.8, 3),
    ]
    assert [step.moved for step in town.world.steps] == [0.15, 0.15]
    assert town.intended().moving is None
    assert town.intended().weights == {EAST: 0.2, CENTRAL: 0.8, EUROPE: 0.0}


def test_replicas_come_before_traffic_and_go_after_it() -> None:
    town = applied()
    town.declare(shifted())
    seen: list[tuple[int, int]] = []
    town.world.on_step = lambda step: seen.append(
        (town.world.replicas["chat", CENTRAL], town.world.replicas["chat", EAST])
    )
    town.apply()
    assert seen == [(8, 5), (8, 5)]
    assert town.world.replicas["chat", EAST] == 2
    assert town.intended().capacity == {EAST: 2, CENTRAL: 8, EUROPE: 0}


def test_a_region_that_was_added_gets_its_replicas_and_one_that_was_removed_loses_them() -> None:
    town = applied()
    regions = {CENTRAL: placement(0.5, 5, 10), OHIO: placement(0.5, 5, 10)}
    town.declare(fleet(workloads={"chat": workload(regions=regions)}))
    assert town.outcome(town.apply()) == "applied"
    assert town.shares() == {CENTRAL: 0.5, OHIO: 0.5}
    assert town.world.replicas["chat", OHIO] == 5
    assert town.world.replicas["chat", EAST] == 0
    assert town.intended().capacity == {EAST: 0, CENTRAL: 5, EUROPE: 0, OHIO: 5}


def test_what_was_applied_is_history() -> None:
    town = applied()
    town.declare(shifted())
    chain = town.apply()
    first, second = town.history()
    assert (first.number, first.digest, first.previous) == (1, fleet().digest, None)
    assert (second.number, second.digest, second.previous) == (
        2,
        shifted().digest,
        fleet().digest,
    )
    assert (second.by, second.chain, second.outcome) == ("ada", chain, "applied")
    assert second.counts == {"applied": 1}
    assert second.changes == ("as the test says",)


def test_applying_twice_changes_nothing_more() -> None:
    town = applied()
    town.declare(shifted())
    town.apply()
    epoch = town.intended().epoch
    town.apply()
    assert town.intended().epoch == epoch
    assert town.said(WorkloadConverged)[-1].data.outcome == "unchanged"


def test_what_the_world_lacks_is_asserted_again_by_the_way() -> None:
    town = applied()
    town.world.tamper({EAST: 1.0})
    town.world.lose(CENTRAL, 1)
    town.apply()
    assert town.shares() == {EAST: 0.5, CENTRAL: 0.5}
    assert town.world.replicas["chat", CENTRAL] == 5
    assert town.intended().epoch == 0, "nothing else is intended than before"


# -- failovers stay -------------------------------------------------------------------------------


def test_traffic_stays_where_a_failover_has_put_it() -> None:
    town = applied()
    town.evacuate(EAST, {EAST: 0.0, CENTRAL: 1.0})
    town.declare(shifted())
    chain = town.apply()
    assert town.outcome(chain) == "applied"
    assert town.shares() == {CENTRAL: 1.0}
    assert town.intended().capacity[CENTRAL] == 10, "what the failover added is not taken away"
    done = town.said(WorkloadConverged)[-1].data
    assert done.outcome == "held"
    assert "aws/us-east-1 is evacuated" in done.because
    assert town.said(FleetApplied)[-1].data.counts == {"held": 1}


def test_what_soaks_stays_too() -> None:
    town = applied()
    town.evacuate(EAST, {EAST: 0.0, CENTRAL: 1.0})
    town.mark("soaking")
    town.declare(shifted())
    town.apply()
    assert town.shares() == {CENTRAL: 1.0}


def test_replicas_are_added_where_regions_serve_during_a_failover() -> None:
    town = applied()
    town.evacuate(EAST, {EAST: 0.0, CENTRAL: 1.0})
    regions = {
        EAST: placement(0.5, 5, 10),
        CENTRAL: placement(0.5, 5, 10),
        EUROPE: placement(0.0, 4, 10),
    }
    town.declare(fleet(workloads={"chat": workload(regions=regions)}))
    town.apply()
    assert town.world.replicas["chat", EUROPE] == 4
    assert town.shares() == {CENTRAL: 1.0}
    assert town.said(WorkloadConverged)[-1].data.outcome == "held"


def test_a_plan_under_way_is_not_disturbed() -> None:
    town = applied()
    town.evacuate(EAST, {EAST: 0.0, CENTRAL: 1.0}, steps=0)
    epoch = town.intended().epoch
    town.declare(shifted())
    town.apply()
    assert town.intended().epoch == epoch
    done = town.said(WorkloadConverged)[-1].data
    assert (done.outcome, done.because) == ("held", "failover leave-2 is under way (step 0 of 0)")


def test_a_failover_that_begins_in_the_middle_goes_before() -> None:
    town = applied()
    town.declare(shifted(shift={"steps": 4, "pause": 10, "window": 10}))
    chain = town.apply(passing=12.0)
    assert len(town.world.steps) == 2
    town.evacuate(CENTRAL, {EAST: 1.0, CENTRAL: 0.0})
    town.pass_time(200)
    assert town.outcome(chain) == "applied"
    assert town.shares() == {EAST: 1.0}
    assert town.said(WorkloadConverged)[-1].data.outcome == "held"


def test_after_the_way_back_a_declaration_is_applied_in_full() -> None:
    town = applied()
    town.evacuate(EAST, {EAST: 0.0, CENTRAL: 1.0})
    town.declare(shifted())
    town.apply()
    town.mark("serving")
    town.apply()
    assert town.shares() == {EAST: 0.2, CENTRAL: 0.8}
    assert town.said(WorkloadConverged)[-1].data.outcome == "applied"


# -- what goes wrong is taken back ----------------------------------------------------------------


def test_where_less_is_granted_than_needed_everything_is_taken_back() -> None:
    town = applied()
    town.world.most[CENTRAL] = 6
    town.declare(shifted())
    chain = town.apply()
    assert town.outcome(chain) == "failed"
    assert town.world.steps[-1].weights == {EAST: 0.5, CENTRAL: 0.5, EUROPE: 0.0}
    assert town.world.replicas["chat", CENTRAL] == 5
    assert town.intended().capacity == {EAST: 5, CENTRAL: 5, EUROPE: 0}
    assert town.intended().moving is None
    said = town.said(WorkloadConverged)[-1].data.because
    assert said == (
        "gcp/us-central1 grants 6 of 8 replicas (the region is short of machines); taken back"
    )
    assert town.history()[-1].outcome == "failed"
    assert town.one(IncidentOpened).incident == "apply:shop"


@pytest.mark.parametrize("passing", [5.0, 15.0])
def test_a_step_that_harms_is_taken_back_also_the_last_one(passing: float) -> None:
    town = applied()
    town.declare(shifted())
    chain = town.apply(passing=passing)
    town.world.errors[CENTRAL] = 0.5
    town.pass_time(200)
    assert town.outcome(chain) == "failed"
    assert town.shares() == {EAST: 0.5, CENTRAL: 0.5}
    assert town.intended().weights == {EAST: 0.5, CENTRAL: 0.5, EUROPE: 0.0}
    assert "gcp/us-central1 fails 50.0% of its requests" in town.one(ApplyFailed).reasons[0]


def test_a_region_that_no_longer_answers_turns_it_around_at_once() -> None:
    town = applied()
    town.declare(shifted())
    chain = town.apply(passing=1.0)
    town.world.fail(CENTRAL)
    town.pass_time(60)
    assert town.outcome(chain) == "failed"
    assert town.intended().weights[EAST] == 0.5


def test_a_world_that_does_not_answer_at_all_fails_the_workload_and_says_so() -> None:
    town = applied()
    town.world.mute.add("chat")
    town.declare(shifted())
    chain = town.apply()
    assert town.outcome(chain) == "failed"
    assert "given up: NotReachable" in town.one(ApplyFailed).reasons[0]


def test_a_declaration_that_breaks_a_rule_of_the_one_in_force_is_refused_by_the_register() -> None:
    town = applied(shifted())
    narrow = {CENTRAL: placement(1.0, 10, 10)}
    town.declare(fleet(workloads={"chat": workload(regions=narrow)}))
    town.apply()
    chain = town.apply(digest=shifted().digest, rollback=True)
    assert town.outcome(chain) == "failed"
    reasons = town.one(ApplyFailed).reasons
    assert "placement: chat is not declared in aws/us-east-1" in reasons[0]


def test_a_workload_that_those_who_work_do_not_know_fails() -> None:
    town = applied()
    town.declare(fleet(workloads={"chat": workload(), "search": workload()}))
    town.engine.runtime.declared(None)
    digest = town.fleet.digest
    town.declare(fleet())
    chain = town.apply("search", digest=digest)
    assert town.outcome(chain) == "failed"
    assert "deploy the file first" in town.one(ApplyFailed).reasons[0]


# -- people ---------------------------------------------------------------------------------------


def two(**changes: Any) -> Fleet:
    regions = shifted().model_dump(mode="json")["workloads"]["chat"]["regions"]
    both = {"chat": workload(regions=regions), "search": workload(regions=regions)}
    return fleet(workloads=both, **changes)


def plain(**changes: Any) -> Fleet:
    return fleet(workloads={"chat": workload(), "search": workload()}, **changes)


def test_one_grant_covers_all_workloads() -> None:
    asking = {"default": "act", "kinds": {"register.*": "propose"}}
    town = Town(plain())
    town.apply()
    town.declare(two(modes=asking))
    chain = town.apply(passing=10.0)
    (proposal,) = town.answer(chain)
    assert proposal.action == "register.apply"
    assert "as the test says" in town.one(ApprovalRequested).summary
    town.pass_time(200)
    assert town.outcome(chain) == "applied"
    assert town.shares() == town.shares("search") == {EAST: 0.2, CENTRAL: 0.8}
    assert len(town.said(ApprovalRequested)) == 1


def test_what_is_granted_of_one_workload_says_nothing_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds, "ROUND", 1)
    asking = {"kinds": {"register.accept": "propose"}}
    modes = {"default": "act", "workloads": {"chat": asking, "search": asking}}
    town = Town(plain())
    town.apply()
    town.declare(two(modes=modes))
    chain = town.apply("chat", "search", passing=10.0)
    (first,) = town.answer(chain)
    town.pass_time(60)
    (second,) = town.answer(chain)
    assert (first.args["workload"], second.args["workload"]) == ("chat", "search")


def test_what_a_person_rejects_is_not_applied() -> None:
    town = Town(fleet())
    town.apply()
    town.declare(fleet(modes={"default": "propose"}, workloads=two().model_dump()["workloads"]))
    chain = town.apply(passing=10.0)
    town.answer(chain, "rejected")
    assert town.outcome(chain) == "failed"
    assert town.shares() == {EAST: 0.5, CENTRAL: 0.5}
    assert len(town.history()) == 1
    assert town.one(IncidentOpened).severity == "minor"


def test_within_a_freeze_window_a_person_is_asked() -> None:
    window = {"name": "sale", "begins": "2027-01-15T00:00:00Z", "ends": "2027-01-16T00:00:00Z"}
    town = Town(fleet())
    town.apply()
    town.declare(fleet(freezes=[window], workloads={"chat": workload(floor=0.5)}))
    chain = town.apply(passing=10.0)
    (proposal,) = town.answer(chain)
    assert proposal.why == "freeze sale until 2027-01-16 00:00 UTC"
    assert town.outcome(chain) == "applied"


def test_what_is_only_observed_is_played_to_its_end_and_changes_nothing() -> None:
    town = applied()
    before = town.intended()
    town.declare(shifted().model_copy(update={"modes": fleet(modes={}).modes}))
    chain = town.apply()
    assert town.outcome(chain) == "applied"
    assert town.said(FleetApplied)[-1].extensions["simulated"] is True
    assert town.intended() == before
    assert town.shares() == {EAST: 0.5, CENTRAL: 0.5}
    assert len(town.history()) == 1


def test_who_has_not_seen_what_was_applied_since_is_refused() -> None:
    town = applied()
    town.declare(shifted())
    chain = town.apply(previous=None)
    assert town.outcome(chain) == "failed"
    assert "was applied last, not none; look again" in town.one(ApplyFailed).because


def test_a_declaration_that_is_not_kept_cannot_be_applied() -> None:
    town = applied()
    chain = town.apply(digest="0" * 64)
    assert town.outcome(chain) == "failed"
    assert "is not kept in the store" in town.one(ApplyFailed).because


def test_an_earlier_declaration_is_applied_again_through_the_same_path() -> None:
    town = applied()
    town.declare(shifted())
    town.apply()
    town.apply(digest=fleet().digest, rollback=True)
    assert town.shares() == {EAST: 0.5, CENTRAL: 0.5}
    last = town.history()[-1]
    assert (last.digest, last.rollback, last.outcome) == (fleet().digest, True, "applied")


# -- many workloads -------------------------------------------------------------------------------


def crowd(number: int, **changes: Any) -> Fleet:
    small = {
        "rate": 1, "per_replica": 10, "shift": {"steps": 1, "pause": 0},
        "regions": {EAST: placement(1, 1, 4), CENTRAL: placement(0, 1, 4)},
    }  # fmt: skip
    return fleet(workloads={f"w{n:03}": workload(**(small | changes)) for n in range(number)})


def test_a_large_fleet_converges_in_rounds() -> None:
    town = Town(crowd(95))
    chain = town.apply()
    assert town.outcome(chain) == "applied"
    assert town.one(FleetApplied).counts == {"unchanged": 95}
    assert all(town.stored(name) is not None for name in town.fleet.workloads)


def test_after_a_failure_no_further_round_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town(crowd(12))
    monkeypatch.setattr(rounds, "ROUND", 5)
    town.world.mute.add("w003")
    chain = town.apply(*sorted(town.fleet.workloads))
    failed = town.one(ApplyFailed)
    assert failed.counts == {"failed": 1, "unchanged": 4}
    assert failed.because.endswith("; no further workload was begun")
    assert town.outcome(chain) == "failed"
    assert town.stored("w005") is None


def test_what_does_not_fit_in_one_chain_goes_on_in_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds, "ROUND", 5)
    monkeypatch.setattr(rounds, "ROUNDS", 2)
    town = Town(crowd(12))
    town.apply(*sorted(town.fleet.workloads))
    assert [applied.data.counts for applied in town.said(FleetApplied)] == [
        {"unchanged": 10},
        {"unchanged": 2},
    ]
    assert [entry.number for entry in town.history()] == [1, 2]
    assert town.history()[1].changes == ("goes on where application 1 ended",)


def test_the_hops_of_one_chain_suffice_for_its_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "ROUND", 1)
    town = Town(crowd(bounds.ROUNDS))
    town.apply()
    elsewhere = {EAST: placement(0, 1, 4), CENTRAL: placement(1, 2, 4)}
    town.declare(crowd(bounds.ROUNDS, regions=elsewhere))
    chain = town.apply(*sorted(town.fleet.workloads))
    assert town.outcome(chain) == "applied"
    assert town.said(FleetApplied)[-1].data.counts == {"applied": bounds.ROUNDS}
    hops = [int(message.attributes.get("hop", 0)) for message in town.post.published]
    assert max(hops) <= town.settings.hops - 2


# -- whatever fails -------------------------------------------------------------------------------

FAULTS = ("lost", "unanswered", "late", "killed", "killed-after")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", ["perform", "answer", "read", "write", "publish"])
def test_whatever_call_fails_the_declaration_is_applied_once(call: Any, fault: Any) -> None:
    for nth in range(1, 12, 2):
        town = applied()
        town.declare(shifted())
        town.faults = FaultPlan(On(call, nth=nth, fault=fault))
        town.engine = town._engine()
        chain = town.apply(passing=600.0)
        assert town.outcome(chain) == "applied", (nth, town.said(ApplyFailed))
        assert town.shares() == {EAST: 0.2, CENTRAL: 0.8}
        assert len(town.history()) == 2
        assert town.history()[-1].outcome == "applied"
