"""Drift: the world is brought back to what the register intends, and nothing else is done."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.operations.traffic import SetWeights
from crosswind.records.identity import chain_id
from crosswind.testing import FaultPlan, On
from crosswind_events.catalogue.approval import ApprovalRequested
from crosswind_events.catalogue.drift import (
    DriftDetected,
    DriftDue,
    DriftGone,
    DriftReconciled,
    DriftSuspected,
    DriftUnresolved,
    ReplicaDrift,
)
from crosswind_events.catalogue.incident import IncidentOpened, IncidentResolved
from unit.chains.fleets import CENTRAL, EAST, EUROPE, fleet, workload
from unit.convergence.town import Town


def settled(**changes: Any) -> Town:
    """A town of which everything is recorded and as intended."""
    town = Town(fleet())
    town.apply()
    if changes:
        town.declare(fleet(**changes))
    return town


def chain_of(town: Town) -> str:
    """The chain of the drift that was detected last."""
    event = town.said(DriftDetected)[-1]
    return chain_id(event.source, event.id)


def test_where_all_is_as_intended_nothing_is_said() -> None:
    town = settled()
    town.compare()
    assert len(town.said(DriftDue)) == 1
    assert town.said(DriftSuspected) == []


def test_shares_changed_by_hand_are_asserted_again_under_the_present_epoch() -> None:
    town = settled()
    town.world.tamper({EAST: 0.9, CENTRAL: 0.1})
    town.compare()
    detected = town.one(DriftDetected)
    assert detected.because == "40.0% of its traffic goes elsewhere"
    assert (detected.intended[EAST], detected.actual[EAST]) == (0.5, 0.9)
    assert town.shares() == {EAST: 0.5, CENTRAL: 0.5}
    (step,) = town.world.steps
    assert (step.epoch, step.moved) == (town.intended().epoch, 0.4)
    assert town.outcome(chain_of(town)) == "reconciled"
    assert town.one(DriftReconciled).weights == town.intended().weights


def test_replicas_that_are_lost_or_left_over_are_asserted_again() -> None:
    town = settled()
    town.world.lose(EAST, 1)
    town.world.lose(CENTRAL, 9)
    town.compare()
    assert town.one(DriftDetected).replicas == {
        EAST: ReplicaDrift(intended=5, actual=1),
        CENTRAL: ReplicaDrift(intended=5, actual=9),
    }
    assert town.world.replicas["chat", EAST] == town.world.replicas["chat", CENTRAL] == 5
    assert [(one.region, one.removed) for one in town.world.scaled] == [(EAST, 0), (CENTRAL, 4)]


def test_what_the_register_does_not_hold_is_nobodys_intention() -> None:
    town = Town(fleet())
    town.world.tamper({EAST: 1.0})
    town.compare()
    assert town.said(DriftSuspected) == []


def test_a_change_of_the_file_is_no_drift() -> None:
    town = settled()
    regions = {EAST: {"weight": 1, "replicas": 10, "quota": 10},
               EUROPE: {"weight": 0, "replicas": 3, "quota": 10}}  # fmt: skip
    town.declare(fleet(workloads={"chat": workload(regions=regions)}))
    town.compare()
    assert town.said(DriftSuspected) == []


def test_what_is_put_right_between_the_two_looks_is_no_drift() -> None:
    town = settled()
    town.world.tamper({EAST: 1.0})
    town.tick()
    town.world.tamper({EAST: 0.5, CENTRAL: 0.5})
    town.pass_time(31)
    assert len(town.said(DriftSuspected)) == 1
    assert town.said(DriftDetected) == []


def test_a_step_that_lands_between_the_two_looks_is_no_drift() -> None:
    town = settled()
    town.world.tamper({EAST: 1.0})
    town.tick()
    town.evacuate(CENTRAL, {EAST: 1.0, CENTRAL: 0.0})
    town.world.tamper({EAST: 0.5, CENTRAL: 0.5})
    town.pass_time(31)
    assert town.said(DriftDetected) == [], "the register intends something else than before"


def test_while_a_plan_is_under_way_nothing_is_drift() -> None:
    town = settled()
    town.evacuate(EAST, {EAST: 0.0, CENTRAL: 1.0}, steps=0)
    town.world.tamper({EAST: 0.1, CENTRAL: 0.9})
    town.compare()
    assert town.said(DriftSuspected) == []


def test_a_failover_is_never_undone() -> None:
    town = settled()
    town.evacuate(EAST, {EAST: 0.0, CENTRAL: 1.0})
    town.world.lose(EAST, 0)
    town.compare()
    assert town.said(DriftSuspected) == [], "what a region that was left has does not matter"
    town.world.tamper({EAST: 0.5, CENTRAL: 0.5})
    town.compare()
    assert town.shares() == {CENTRAL: 1.0}, "a call that landed late is overruled"


def test_a_region_that_gives_no_answer_says_nothing() -> None:
    town = settled()
    town.world.fail(EAST)
    town.compare()
    assert town.said(DriftSuspected) == []


def test_a_plan_that_begins_after_the_second_look_is_left_alone() -> None:
    town = settled(modes={"default": "propose"})
    town.world.tamper({EAST: 1.0})
    town.compare()
    chain = chain_of(town)
    town.evacuate(EAST, {EAST: 0.0, CENTRAL: 1.0}, steps=0)
    town.answer(chain, "granted")
    town.pass_time(60)
    assert town.intended().moving is not None


def test_a_target_that_is_ahead_of_the_register_is_an_incident() -> None:
    town = settled()
    town.world.tamper({EAST: 1.0})
    town.world.epochs["chat"] = 12
    town.compare()
    assert town.outcome(chain_of(town)) == "unresolved"
    assert "the traffic's target holds epoch 12" in town.one(DriftUnresolved).because
    incident = town.one(IncidentOpened)
    assert (incident.incident, incident.workload) == ("drift:chat", "chat")


def test_the_same_drift_is_one_incident_and_over_when_it_is_over() -> None:
    town = settled()
    town.world.lose(EAST, 1)
    town.world.most[EAST] = 3
    town.compare()
    town.compare()
    assert len(town.said(DriftUnresolved)) == 2
    assert "aws/us-east-1 grants 3 of 5 replicas" in town.said(DriftUnresolved)[0].data.because
    assert len(town.world.told) == 1, "people are told once"
    town.world.most.clear()
    town.compare()
    assert town.one(IncidentResolved).incident == "drift:chat"
    assert town.world.replicas["chat", EAST] == 5


def test_drift_that_is_gone_by_itself_ends_its_incident() -> None:
    town = settled()
    town.world.lose(EAST, 1)
    town.world.most[EAST] = 3
    town.compare()
    town.world.most.clear()
    town.world.lose(EAST, 5)  # the rest has started after all
    town.compare()
    assert town.one(IncidentResolved).summary == "chat is as the register intends it again"
    town.compare()
    assert len(town.said(DriftDetected)) == 1
    town.one(IncidentResolved)


def test_what_is_asserted_last_is_the_newest() -> None:
    town = settled()
    town.world.tamper({EAST: 1.0})

    def overtake(step: SetWeights) -> None:
        town.world.on_step = lambda step: None
        town.evacuate(EAST, {EAST: 0.0, CENTRAL: 1.0})
        town.world.tamper(step.weights)  # the older call lands last

    town.world.on_step = overtake
    town.compare()
    assert town.shares() == {CENTRAL: 1.0}
    assert town.world.steps[-1].epoch == town.intended().epoch


def test_a_register_that_never_rests_is_left_to_a_person() -> None:
    town = settled()
    town.world.tamper({EAST: 1.0})

    def meddle(step: SetWeights) -> None:
        if step.weights.get(CENTRAL, 0.0) >= 0:
            town.world.on_step = lambda step: None
            share = 0.5 if town.intended().weights.get(EAST, 0.0) != 0.5 else 0.4
            town.evacuate(EUROPE, {EAST: share, CENTRAL: 1 - share})
            town.world.tamper({EAST: 1.0})
            town.world.on_step = meddle

    town.world.on_step = meddle
    town.compare()
    assert "has changed 4 times meanwhile" in town.one(DriftUnresolved).because


# -- people ---------------------------------------------------------------------------------------


def test_while_a_person_is_asked_nobody_asks_again() -> None:
    town = settled(modes={"default": "act", "kinds": {"traffic.*": "propose"}})
    town.world.tamper({EAST: 1.0})
    town.compare()
    town.compare()
    assert len(town.said(DriftDetected)) == 2
    assert len(town.said(ApprovalRequested)) == 1
    (event, _) = town.said(DriftDetected)
    town.answer(chain_id(event.source, event.id))
    town.pass_time(1)
    assert town.shares() == {EAST: 0.5, CENTRAL: 0.5}


def test_what_a_person_rejects_stays_as_it_is() -> None:
    town = settled(modes={"default": "act", "kinds": {"traffic.*": "propose"}})
    town.world.tamper({EAST: 1.0})
    town.compare()
    chain = chain_of(town)
    town.answer(chain, "rejected")
    assert town.outcome(chain) == "unresolved"
    assert town.shares() == {EAST: 1.0}
    assert town.one(IncidentOpened).incident == "drift:chat"


def test_what_is_only_observed_is_told_and_not_done() -> None:
    town = settled(modes={"default": "observe"})
    town.world.tamper({EAST: 1.0})
    town.compare()
    assert town.said(DriftReconciled)[0].extensions["simulated"] is True
    assert town.shares() == {EAST: 1.0}


def test_a_freeze_window_asks_a_person() -> None:
    window = {"name": "sale", "begins": "2027-01-15T00:00:00Z", "ends": "2027-01-16T00:00:00Z"}
    town = settled(freezes=[window])
    town.world.tamper({EAST: 1.0})
    town.compare()
    assert town.shares() == {EAST: 1.0}
    (proposal,) = town.answer(chain_of(town))
    assert proposal.why == "freeze sale until 2027-01-16 00:00 UTC"
    assert town.shares() == {EAST: 0.5, CENTRAL: 0.5}


def test_a_workload_that_is_no_longer_declared_is_nobodys() -> None:
    town = settled(modes={"default": "propose"})
    town.world.tamper({EAST: 1.0})
    town.tick()
    town.declare(fleet(workloads={"search": workload()}))
    town.pass_time(31)
    assert town.said(DriftDetected) == []


# -- whatever fails -------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["lost", "unanswered", "late", "killed", "killed-after"])
@pytest.mark.parametrize("call", ["perform", "answer", "read", "write", "publish"])
def test_whatever_call_fails_the_world_is_brought_back(call: Any, fault: Any) -> None:
    for nth in range(1, 8):
        town = settled()
        town.world.tamper({EAST: 1.0})
        town.world.lose(CENTRAL, 1)
        town.faults = FaultPlan(On(call, nth=nth, fault=fault))
        town.engine = town._engine()
        town.compare()
        town.pass_time(300)
        town.compare()
        assert town.shares() == {EAST: 0.5, CENTRAL: 0.5}, nth
        assert town.world.replicas["chat", CENTRAL] == 5
        assert not town.said(DriftUnresolved)


def test_replicas_that_take_long_are_waited_for() -> None:
    town = settled()
    town.world.lose(EAST, 1)
    town.world.pending[EAST] = 3
    town.compare()
    town.pass_time(60)
    assert town.outcome(chain_of(town)) == "reconciled"
    assert town.said(DriftGone) == []
