"""Applying and reconciling at their edges: races, refusals, what is missing, what is kept."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.actions import Call
from crosswind.embedded.memory import MemoryStore
from crosswind.fleet import history
from crosswind.fleet.applications import (
    AdoptPlacement,
    ApplyDeclaration,
    ConcludeApply,
    ReadDeclaration,
    ReadIntention,
)
from crosswind.fleet.history import read_declaration
from crosswind.fleet.operations import ReadRegister
from crosswind.fleet.register import RegisterPerformer
from crosswind.records.identity import chain_id
from crosswind_events.catalogue.drift import (
    DriftDetected,
    DriftDue,
    DriftGone,
    DriftSuspected,
    DriftUnresolved,
)
from crosswind_events.catalogue.fleet import ApplyFailed, ApplyRequested, WorkloadConverged
from crosswind_events.catalogue.incident import IncidentOpened, IncidentResolved
from unit.chains.fleets import CENTRAL, EAST, EUROPE, fleet, workload
from unit.convergence.test_applying import applied, shifted
from unit.convergence.test_drifting import settled
from unit.convergence.town import Town


def ended(town: Town) -> Any:
    return town.said(WorkloadConverged)[-1].data


# -- applying -------------------------------------------------------------------------------------


def test_an_application_of_nothing_but_policy_ends_at_once_and_is_history() -> None:
    town = applied()
    before = town.fleet.digest
    town.declare(fleet(probes={"every": 31}))
    town.keep()
    asked = ApplyRequested(fleet="shop", digest=town.fleet.digest, previous=before, by="ada")
    assert town.outcome(town.say(asked, event_id="by hand")) == "applied"
    assert len(town.said(WorkloadConverged)) == 1, "that of the first application"
    assert town.history()[-1].digest == town.fleet.digest


def test_a_workload_that_the_declaration_does_not_hold_fails() -> None:
    town = applied()
    digest = town.fleet.digest
    town.declare(fleet(workloads={"chat": workload(), "search": workload()}))
    chain = town.apply("search", digest=digest, rollback=True)
    assert town.outcome(chain) == "failed"
    assert f"declaration {digest[:12]} does not hold it" in town.one(ApplyFailed).reasons[0]


def test_a_workload_that_a_person_rejects_fails_alone() -> None:
    asking = {"default": "act", "kinds": {"register.accept": "propose"}}
    town = applied()
    town.declare(shifted().model_copy(update={"modes": fleet(modes=asking).modes}))
    chain = town.apply(passing=10.0)
    town.answer(chain, "rejected")
    assert town.outcome(chain) == "failed"
    assert "rejected" in ended(town).because
    assert town.shares() == {EAST: 0.5, CENTRAL: 0.5}


def test_a_step_that_a_person_rejects_leaves_the_traffic_where_it_is() -> None:
    asking = {"default": "act", "kinds": {"traffic.*": "propose"}}
    town = applied()
    town.declare(shifted().model_copy(update={"modes": fleet(modes=asking).modes}))
    chain = town.apply(passing=1.0)
    town.answer(chain, "rejected")
    assert town.outcome(chain) == "failed"
    assert town.intended().moving is None, "weaker plans need not wait for it"


def test_a_register_that_changes_meanwhile_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    town = applied()
    town.declare(shifted())
    asked = RegisterPerformer.perform
    meddled: list[bool] = []

    def perform(self: RegisterPerformer, action: Any, call: Call) -> Any:
        if action.kind == "register.accept" and not meddled:
            meddled.append(True)
            town.evacuate(EUROPE, {EAST: 0.5, CENTRAL: 0.5})
            town.mark("serving", EUROPE)
        return asked(self, action, call)

    monkeypatch.setattr(RegisterPerformer, "perform", perform)
    chain = town.apply()
    assert town.outcome(chain) == "applied"
    assert town.shares() == {EAST: 0.2, CENTRAL: 0.8}


def test_who_records_a_workload_first_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town(fleet())
    asked = RegisterPerformer.perform

    def perform(self: RegisterPerformer, action: Any, call: Call) -> Any:
        if action.kind == "register.adopt":
            monkeypatch.setattr(RegisterPerformer, "perform", asked)
            town.evacuate(EAST, {EAST: 0.0, CENTRAL: 1.0})
        return asked(self, action, call)

    monkeypatch.setattr(RegisterPerformer, "perform", perform)
    chain = town.apply()
    assert town.outcome(chain) == "applied"
    assert ended(town).outcome == "held"
    assert town.shares() == {CENTRAL: 1.0}


def test_a_workload_that_gets_no_traffic_yet_begins_with_what_it_declares() -> None:
    town = Town(fleet())
    town.world.tamper({})
    town.apply()
    assert town.intended().weights[EAST] == 0.5
    assert town.shares() == {EAST: 0.5, CENTRAL: 0.5}


def test_a_target_that_is_ahead_fails_the_workload_and_the_next_time_is_well() -> None:
    town = applied()
    town.world.tamper({EAST: 1.0})
    town.world.epochs["chat"] = 12
    assert town.outcome(town.apply()) == "failed"
    assert "holds epoch 12" in ended(town).because
    assert town.one(IncidentOpened).incident == "apply:shop"
    town.world.epochs["chat"] = 0
    assert town.outcome(town.apply()) == "applied"
    assert town.one(IncidentResolved).incident == "apply:shop"


def test_a_target_that_is_ahead_in_the_middle_gives_the_plan_up() -> None:
    town = applied()
    town.declare(shifted())
    chain = town.apply(passing=5.0)
    town.world.epochs["chat"] = 99
    town.pass_time(100)
    assert town.outcome(chain) == "failed"
    assert "holds epoch 99 already" in ended(town).because
    assert town.intended().moving is None


def test_replicas_that_are_late_are_waited_for() -> None:
    town = applied()
    town.declare(shifted())
    chain = town.apply(passing=1.0)
    town.world.lose(CENTRAL, 5)
    town.pass_time(30)
    assert len(town.world.steps) == 1, "the second step needs eight replicas"
    town.world.lose(CENTRAL, 8)
    town.pass_time(60)
    assert town.outcome(chain) == "applied"


def test_replicas_that_never_come_turn_it_around() -> None:
    patience = {"capacity_timeout": 30}
    town = applied()
    town.declare(shifted().model_copy(update={"failover": fleet(failover=patience).failover}))
    chain = town.apply(passing=1.0)
    town.world.lose(CENTRAL, 5)
    town.pass_time(100)
    assert town.outcome(chain) == "failed"
    assert ended(town).because == f"{CENTRAL} has 5 of 8 replicas; taken back"


def test_a_few_errors_are_waited_out() -> None:
    town = applied()
    town.declare(shifted())
    chain = town.apply(passing=5.0)
    town.world.errors[CENTRAL] = 0.5
    town.pass_time(15)
    town.world.errors.clear()
    town.pass_time(100)
    assert town.outcome(chain) == "applied"


def test_what_another_plan_has_taken_over_is_not_taken_back() -> None:
    town = applied()
    town.declare(shifted())
    chain = town.apply(passing=5.0)
    town.evacuate(CENTRAL, {EAST: 1.0, CENTRAL: 0.0})
    town.world.errors[EAST] = 0.5
    town.pass_time(100)
    assert town.outcome(chain) == "failed"
    assert "not taken back: plan leave-" in ended(town).because
    assert town.shares() == {EAST: 1.0}


def test_what_cannot_be_taken_back_is_told() -> None:
    town = applied()
    town.declare(shifted())
    chain = town.apply(passing=5.0)
    town.world.errors[CENTRAL] = 0.5
    town.mark("evacuated", EAST)  # the way back leads there
    town.pass_time(100)
    assert town.outcome(chain) == "failed"
    assert "not taken back: " in ended(town).because
    assert "evacuated" in ended(town).because


def test_replicas_that_a_person_keeps_harm_nobody() -> None:
    asking = {"default": "act", "kinds": {"endpoint.*": "propose"}}
    regions = {
        EAST: {"weight": 0.5, "replicas": 5, "quota": 10},
        CENTRAL: {"weight": 0.5, "replicas": 5, "quota": 10},
        EUROPE: {"weight": 0.0, "replicas": 2, "quota": 10},
    }
    town = applied(fleet(workloads={"chat": workload(regions=regions)}))
    town.world.lose(EUROPE, 2)
    town.declare(fleet(modes=asking))
    chain = town.apply(passing=5.0)
    town.answer(chain, "rejected")
    town.pass_time(30)
    assert town.outcome(chain) == "applied"
    assert f"{EUROPE} keeps its replicas" in ended(town).because


def test_a_region_that_is_away_and_has_what_it_shall_have_is_not_asked() -> None:
    town = applied()
    town.world.fail(EUROPE)
    regions = {
        EAST: {"weight": 0.5, "replicas": 6, "quota": 10},
        CENTRAL: {"weight": 0.5, "replicas": 5, "quota": 10},
        EUROPE: {"weight": 0.0, "replicas": 0, "quota": 10},
    }
    town.declare(fleet(workloads={"chat": workload(regions=regions)}))
    assert town.outcome(town.apply()) == "applied"


def test_an_incident_that_a_person_keeps_open_stays_open() -> None:
    town = applied()
    town.world.mute.add("chat")
    town.apply()
    town.world.mute.clear()
    asking = {"default": "act", "kinds": {"incident.resolve": "propose"}}
    town.declare(fleet(modes=asking))
    chain = town.apply()
    town.answer(chain, "rejected")
    assert town.outcome(chain) == "applied"
    assert town.said(IncidentResolved) == []


# -- reconciling ----------------------------------------------------------------------------------


def test_what_is_no_longer_declared_when_it_is_to_be_reconciled_is_left() -> None:
    town = settled()
    town.declare(fleet(workloads={"search": workload()}))
    town.say(DriftDetected(workload="chat", epoch=0, actual_epoch=0, intended={}, because="seen"))
    assert town.one(DriftGone).because == "it is no longer declared"


def test_what_has_followed_by_itself_ends_the_incident() -> None:
    town = settled()
    town.world.lose(EAST, 1)
    town.world.most[EAST] = 3
    town.compare()
    assert len(town.said(DriftUnresolved)) == 1
    town.world.lose(EAST, 5)
    town.say(
        DriftDetected(workload="chat", epoch=0, actual_epoch=0, intended={}, because="seen"),
        event_id="by hand",
    )
    assert town.one(DriftGone).because == "all is as intended"
    assert town.one(IncidentResolved).incident == "drift:chat"


def test_an_incident_of_drift_that_a_person_keeps_open_stays_open() -> None:
    town = settled()
    town.world.lose(EAST, 1)
    town.world.most[EAST] = 3
    town.compare()
    asking = {"default": "act", "kinds": {"incident.resolve": "propose"}}
    town.declare(fleet(modes=asking))
    town.world.most.clear()
    town.compare()
    detected = town.said(DriftDetected)[-1]
    chain = chain_id(detected.source, detected.id)
    town.answer(chain, "rejected")
    assert town.outcome(chain) == "reconciled"
    assert town.said(IncidentResolved) == []


def test_a_workload_of_an_earlier_tick_that_is_gone_is_passed_over() -> None:
    town = settled()
    town.world.tamper({EAST: 1.0})
    town.say(DriftDue(workloads=("gone", "chat")), event_id="by hand")
    assert [one.data.workload for one in town.said(DriftSuspected)] == ["chat"]


# -- the register and its history -----------------------------------------------------------------


def desk() -> tuple[RegisterPerformer, MemoryStore]:
    store = MemoryStore()
    return RegisterPerformer(store, fleet(), clock=lambda: 5.0, pause=lambda seconds: None), store


def test_an_application_is_one_entry_however_often_it_is_asked_for() -> None:
    town = applied()
    action = ApplyDeclaration(
        digest=town.fleet.digest, previous=town.fleet.digest, plan="p", by="ada"
    )
    answers = {town.register.perform(action, Call("one", 1.0)) for _ in range(3)}
    assert len(answers) == 1
    assert len(town.history()) == 2


def test_an_outcome_is_noted_only_of_the_application_that_it_is_of() -> None:
    town = applied()
    wrong = ConcludeApply(number=1, plan="another", outcome="failed")
    missing = ConcludeApply(number=9, plan="another", outcome="failed")
    for key, action in (("one", wrong), ("two", missing)):
        said: Any = town.register.perform(action, Call(key, 1.0))
        assert said.noted is False
    assert town.history()[0].outcome == "applied"


def test_what_is_adopted_is_reserved_and_never_overwrites() -> None:
    performer, _ = desk()
    adopt = AdoptPlacement(workload="chat", weights={EAST: 1.0}, capacity={EAST: 7}, epoch=3)
    first: Any = performer.perform(adopt, Call("one", 1.0))
    second: Any = performer.perform(adopt, Call("two", 1.0))
    assert (first.adopted, second.adopted, second.epoch) == (True, False, 3)
    intention = performer.answer(ReadIntention(workload="chat"), 1.0)
    assert (intention.recorded, intention.unrecorded) == (True, (EUROPE, CENTRAL))
    view = performer.answer(ReadRegister(workload="chat"), 1.0)
    assert view.regions[EAST].reserved == {"chat": 7}


def test_before_anything_is_recorded_what_is_declared_is_told_as_such() -> None:
    performer, _ = desk()
    intention = performer.answer(ReadIntention(workload="chat"), 1.0)
    assert not intention.recorded
    assert intention.workload.weights[EAST] == 0.5


def test_declarations_are_read_page_by_page_and_unknown_ones_are_said_to_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "PAGE", 2)
    many = fleet(workloads={f"w{n}": workload() for n in range(5)})
    town = Town(many)
    town.apply()
    pages = []
    after = ""
    while names := [*town.register.answer(
        ReadDeclaration(digest=many.digest, after=after), 1.0
    ).workloads]:  # fmt: skip
        pages.append(names)
        after = names[-1]
    assert pages == [["w0", "w1"], ["w2", "w3"], ["w4"]]
    assert not town.register.answer(ReadDeclaration(digest="0" * 64), 1.0).known
    assert read_declaration(town.store, "shop", "0" * 64) is None
    assert read_declaration(town.store, "shop", many.digest) == many


def test_only_the_last_few_declarations_are_remembered() -> None:
    town = applied()
    for every in range(31, 38):
        town.declare(fleet(probes={"every": every}))
        assert town.outcome(town.apply()) == "applied"
    for entry in town.history():
        assert town.register.answer(ReadDeclaration(digest=entry.digest), 1.0).known


def test_actions_say_in_a_line_what_they_do() -> None:
    digest = "ab" * 32
    applying = ApplyDeclaration(digest=digest, plan="p", by="ada", changes=("one", "two"))
    assert applying.summary() == "apply declaration abababababab: one; two"
    back = ApplyDeclaration(digest=digest, plan="p", by="ada", rollback=True)
    assert back.summary() == "return to declaration abababababab: as it was"
    assert back.question() == {
        "digest": digest, "previous": None, "by": "ada", "rollback": True, "changes": [],
    }  # fmt: skip
    ending = ConcludeApply(number=3, plan="p", outcome="failed")
    assert ending.summary() == "note that application 3 ended: failed"
    adopting = AdoptPlacement(workload="chat", weights={EAST: 1.0}, epoch=0)
    assert adopting.summary() == "take what chat has as what is intended"
    assert adopting.assumed().adopted
