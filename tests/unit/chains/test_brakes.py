"""The failover chain under its brakes: approval, refusal, limits, stronger plans."""

from __future__ import annotations

import pytest

from crosswind.engine.approvals import Approvals
from crosswind_events import RegionRecovered
from crosswind_events.catalogue.approval import ApprovalRequested
from crosswind_events.catalogue.failover import FailoverCompleted, FailoverFailed, FailoverPlanned
from crosswind_events.catalogue.incident import IncidentOpened
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, fleet, workload

PROPOSE = {"default": "propose", "kinds": {"incident.*": "act", "notify.*": "act"}}


def answer(drama: Drama, outcome: str) -> int:
    """Answer everything that waits for a person; returns how much it was."""
    approvals = Approvals(drama.app, drama.engine.runtime, drama.post)
    waiting = approvals.waiting(drama.chain)
    for proposal in waiting:
        approvals.answer(drama.chain, proposal.approval, outcome, "ada@example.com")  # type: ignore[arg-type]  # a literal of the test
    drama.play()
    return len(waiting)


def test_a_plan_waits_for_approval_and_its_steps_are_covered_by_it() -> None:
    drama = Drama(fleet(modes=PROPOSE))
    chain = drama.fail()
    drama.pass_time(30)
    assert drama.state() == "serving"
    assert not drama.said(FailoverPlanned)
    assert answer(drama, "granted") == 1
    drama.pass_time(60)
    assert drama.outcome(chain) == "completed"
    assert drama.cloud.weights["chat"][EAST] == 0.0
    assert len(drama.said(ApprovalRequested)) == 1


def test_a_rejected_plan_fails_the_chain_with_an_incident() -> None:
    drama = Drama(fleet(modes=PROPOSE))
    chain = drama.fail()
    assert answer(drama, "rejected") == 1
    drama.pass_time(10)
    assert drama.outcome(chain) == "failed"
    assert drama.one(FailoverFailed).data.outcomes == {"chat": "failed"}
    assert "rejected by ada@example.com" in drama.one(IncidentOpened).data.gathered["chat"]
    assert drama.state() == "serving"
    assert len(drama.cloud.told) == 1


def test_an_approval_that_nobody_gives_in_time_fails_the_chain() -> None:
    drama = Drama(fleet(modes=PROPOSE))
    chain = drama.fail()
    drama.pass_time(3700)
    assert drama.outcome(chain) == "failed"
    assert "expired" in drama.one(IncidentOpened).data.gathered["chat"]


def test_nothing_moves_when_all_evidence_was_taken_back_while_a_person_was_asked() -> None:
    drama = Drama(fleet(modes=PROPOSE))
    chain = drama.fail()
    drama.pass_time(10)
    drama.cloud.recover(EAST)
    drama.hear(RegionRecovered)
    drama.hear(RegionRecovered, evidence="telemetry")
    answer(drama, "granted")
    drama.pass_time(30)
    assert drama.outcome(chain) == "nothing-to-do"
    assert not drama.cloud.steps
    assert drama.state() == "serving"


def test_beyond_a_limit_a_person_is_asked() -> None:
    limits = [{"limit": "traffic-share", "per": 3600, "most": 0.3}]
    drama = Drama(fleet(limits=limits))
    chain = drama.fail()
    drama.pass_time(60)
    assert drama.cloud.weights["chat"][EAST] == 0.25
    assert answer(drama, "granted") == 1
    drama.pass_time(60)
    assert drama.outcome(chain) == "completed"


@pytest.mark.parametrize("stop", [1, 2])
def test_a_rejected_step_fails_the_workload_and_says_which_step(stop: int) -> None:
    limits = [{"limit": "traffic-share", "per": 3600, "most": 0.3 if stop == 2 else 0.1}]
    drama = Drama(fleet(limits=limits))
    chain = drama.fail()
    drama.pass_time(60)
    answer(drama, "rejected")
    drama.pass_time(10)
    assert drama.outcome(chain) == "failed"
    assert f"step {stop} of 2" in drama.one(IncidentOpened).data.gathered["chat"]


def test_one_workload_that_fails_does_not_keep_the_others_from_moving() -> None:
    modes = {"default": "act", "workloads": {"search": {"default": "propose"}}}
    drama = Drama(fleet(modes=modes, workloads={"chat": workload(), "search": workload()}))
    chain = drama.fail()
    drama.pass_time(60)
    assert drama.cloud.weights["chat"][EAST] == 0.0
    assert answer(drama, "rejected") == 1
    drama.pass_time(30)
    assert drama.outcome(chain) == "failed"
    assert drama.one(FailoverFailed).data.outcomes == {"chat": "moved", "search": "failed"}
    assert not drama.said(FailoverCompleted)


def test_capacity_that_a_person_refuses_is_planned_around() -> None:
    modes = {"default": "act", "kinds": {"endpoint.scale": "propose"}}
    drama = Drama(fleet(modes=modes))
    chain = drama.fail()
    rounds = 0
    while drama.outcome(chain) is None and rounds < 10:
        answer(drama, "rejected" if rounds == 0 else "granted")
        drama.pass_time(30)
        rounds += 1
    assert drama.outcome(chain) == "completed"
    assert drama.cloud.weights["chat"][CENTRAL] == pytest.approx(0.5)


def test_the_way_back_asks_for_the_soak_and_the_plan_and_for_nothing_more() -> None:
    drama = Drama(fleet(modes=PROPOSE))
    drama.fail()
    answer(drama, "granted")
    drama.pass_time(60)
    assert drama.state() == "evacuated"
    drama.cloud.recover(EAST)
    drama.chain = drama.hear(RegionRecovered, vantage="a")
    drama.hear(RegionRecovered, vantage="b")
    before = len(drama.said(ApprovalRequested))
    assert answer(drama, "granted") == 1
    assert drama.state() == "soaking"
    drama.pass_time(65)
    assert answer(drama, "granted") == 1
    drama.pass_time(60)
    assert drama.outcome() == "recovered"
    assert drama.state() == "serving"
    assert len(drama.said(ApprovalRequested)) - before <= 1
