"""The failover chain when others interfere and when the world does not hold what it promised."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.actions import Call
from crosswind.fleet.operations import AcceptPlan, AdvanceShift
from crosswind.operations.telemetry import Outage
from crosswind_events import RegionRecovered
from crosswind_events.catalogue.failover import (
    FailoverCompleted,
    FailoverConfirmed,
    FailoverFailed,
    FailoverPlanned,
    WorkloadSettled,
)
from crosswind_events.catalogue.incident import IncidentOpened, IncidentResolved
from crosswind_events.catalogue.recovery import FailbackFailed, RecoveryUnconfirmed
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, EUROPE, OHIO, fleet, workload
from unit.chains.test_brakes import PROPOSE, answer


def decree(drama: Drama, target: dict[str, float], plan: str = "by-hand") -> None:
    """A person's plan is accepted, stronger than any chain's."""
    accepted: Any = drama.register.perform(
        AcceptPlan(
            workload="chat",
            plan=plan,
            target_weights=target,
            capacity={region: 10 for region, weight in target.items() if weight},
            priority="break-glass",
            chain="a-person",
        ),
        Call(f"accept-{plan}", 5.0),
    )
    assert accepted.accepted, accepted.reason


def carry_out(drama: Drama, target: dict[str, float], plan: str = "by-hand") -> None:
    """The one step of a person's plan is taken."""
    advanced: Any = drama.register.perform(
        AdvanceShift(
            workload="chat",
            plan=plan,
            weights=target,
            step=1,
            of=1,
            relies_on_epoch=drama.workload().epoch,
        ),
        Call(f"advance-{plan}", 5.0),
    )
    assert advanced.applied, advanced.reason


ALL_EUROPE = {EAST: 0.0, CENTRAL: 0.0, EUROPE: 1.0}


def test_a_stronger_plan_is_waited_for() -> None:
    drama = Drama(fleet())
    decree(drama, {EAST: 0.5, CENTRAL: 0.5, EUROPE: 0.0})
    chain = drama.fail()
    drama.pass_time(3)
    assert not drama.said(FailoverPlanned)
    assert drama.outcome(chain) is None
    carry_out(drama, {EAST: 0.5, CENTRAL: 0.5, EUROPE: 0.0})
    drama.pass_time(60)
    assert drama.outcome(chain) == "completed"


def test_a_stronger_plan_that_does_not_end_fails_the_workload_and_is_named() -> None:
    drama = Drama(fleet())
    decree(drama, {EAST: 0.5, CENTRAL: 0.5, EUROPE: 0.0})
    chain = drama.fail()
    drama.pass_time(120)
    assert drama.outcome(chain) == "failed"
    assert "break-glass by-hand is under way" in drama.one(IncidentOpened).data.gathered["chat"]


def test_a_plan_that_is_overtaken_waits_until_the_other_has_moved_its_traffic() -> None:
    drama = Drama(fleet())
    chain = drama.fail()
    drama.pass_time(5)
    decree(drama, ALL_EUROPE)
    drama.pass_time(30)
    assert drama.outcome(chain) is None
    carry_out(drama, ALL_EUROPE)
    drama.pass_time(30)
    assert drama.outcome(chain) == "completed"
    assert "plan by-hand has done it" in drama.one(WorkloadSettled).data.because
    assert len(drama.cloud.steps) == 1


def test_a_way_back_that_is_overtaken_is_given_up() -> None:
    drama = Drama(fleet())
    drama.fail()
    drama.pass_time(60)
    chain = drama.recover()
    drama.pass_time(65)
    decree(drama, ALL_EUROPE)
    drama.pass_time(60)
    assert drama.outcome(chain) == "failed"
    assert "another plan is in force" in drama.one(IncidentOpened).data.gathered["chat"]


def test_a_workload_whose_branch_ends_in_a_dead_letter_counts_as_failed() -> None:
    drama = Drama(fleet(workloads={"chat": workload(), "search": workload()}))
    drama.cloud.mute.add("search")
    chain = drama.fail()
    drama.pass_time(120)
    assert drama.outcome(chain) == "failed"
    failed = drama.one(FailoverFailed).data
    assert failed.outcomes == {"chat": "moved", "search": "failed"}
    assert "given up: NotReachable" in drama.one(IncidentOpened).data.gathered["search"]


def test_what_no_region_grants_goes_unserved_as_far_as_the_floor_allows() -> None:
    drama = Drama(fleet(workloads={"chat": workload(floor=0.5)}))
    drama.cloud.broken |= {CENTRAL, EUROPE}
    chain = drama.fail()
    drama.pass_time(600)
    assert drama.outcome(chain) == "completed"
    assert drama.cloud.weights["chat"] == pytest.approx({EAST: 0.0, CENTRAL: 1.0, EUROPE: 0.0})
    assert len(drama.said(FailoverPlanned)) == 3
    assert "50.0% of the demand unserved" in drama.said(FailoverPlanned)[-1].data.because


def test_a_survivor_that_turns_bad_when_no_other_is_left_fails_with_an_incident() -> None:
    drama = Drama(fleet())
    drama.cloud.down[EUROPE] = drama.now
    drama.cloud.errors[CENTRAL] = 0.5
    chain = drama.fail()
    drama.pass_time(300)
    assert drama.outcome(chain) == "failed"
    assert "no safe plan" in drama.one(IncidentOpened).data.gathered["chat"]
    assert drama.workload().moving is None


def test_no_plan_is_made_after_the_deadline_of_the_fleet() -> None:
    drama = Drama(fleet(failover={"deadline": 100, "capacity_timeout": 90}))
    drama.cloud.pending |= {CENTRAL: 100, EUROPE: 100}
    chain = drama.fail()
    drama.pass_time(600)
    assert drama.outcome(chain) == "failed"
    assert "no plan is made 100 s after" in drama.one(IncidentOpened).data.gathered["chat"]


def test_evidence_that_is_young_when_the_time_is_over_extends_it_once() -> None:
    drama = Drama(fleet())
    chain = drama.hear()
    drama.pass_time(290)
    drama.hear(vantage="paris")
    drama.pass_time(20)
    assert drama.outcome(chain) is None
    drama.cloud.fail(EAST)
    drama.hear(evidence="telemetry")
    drama.pass_time(60)
    assert drama.outcome(chain) == "completed"


def test_it_is_extended_once_only() -> None:
    drama = Drama(fleet())
    chain = drama.hear()
    for _ in range(4):
        drama.pass_time(150)
        drama.hear()
    assert drama.outcome(chain) == "unconfirmed"


def test_a_recovery_is_extended_once_as_well() -> None:
    drama = Drama(fleet())
    drama.fail()
    drama.pass_time(60)
    chain = drama.hear(RegionRecovered, vantage="a")
    drama.pass_time(290)
    drama.hear(RegionRecovered, vantage="a")
    drama.pass_time(100)
    assert drama.outcome(chain) is None
    drama.pass_time(300)
    assert drama.outcome(chain) == "unconfirmed"
    assert "1 of 2 needed" in drama.said(RecoveryUnconfirmed)[-1].data.because


def test_a_soak_that_a_person_rejects_ends_with_an_incident() -> None:
    drama = Drama(fleet(modes=PROPOSE))
    drama.fail()
    answer(drama, "granted")
    drama.pass_time(60)
    drama.cloud.recover(EAST)
    drama.chain = drama.hear(RegionRecovered, vantage="a")
    drama.hear(RegionRecovered, vantage="b")
    answer(drama, "rejected")
    drama.pass_time(5)
    assert drama.outcome() == "failed"
    assert "rejected" in drama.one(FailbackFailed).data.because
    assert "could not be brought back" in drama.one(IncidentOpened).data.title
    assert drama.state() == "evacuated"


def test_a_region_without_workloads_needs_nothing() -> None:
    drama = Drama(fleet())
    chain = drama.hear(region=OHIO)
    assert drama.outcome(chain) == "nothing-to-do"
    assert not drama.said(FailoverConfirmed)


@pytest.mark.parametrize(
    ("outage", "seconds", "said"),
    [
        (Outage(began=None, ended=None, failed=0, counted=9), 0.0, "its callers saw no outage"),
        (Outage(began=None, ended=None, failed=0), 0.0, "its callers saw no outage"),
        (Outage(began=None, ended=None, failed=0, counted=0), None, "nobody measured what its"),
        (Outage(began=5.0, ended=None, failed=9), None, "so no recovery time was measured"),
    ],
)
def test_a_recovery_time_is_only_given_where_it_was_measured(
    outage: Outage, seconds: float | None, said: str
) -> None:
    drama = Drama(fleet())
    drama.cloud.measured = outage
    chain = drama.fail()
    drama.pass_time(120)
    assert drama.outcome(chain) == "completed"
    assert drama.one(FailoverCompleted).data.recovery_seconds == seconds
    assert said in drama.one(WorkloadSettled).data.because


def test_a_region_whose_callers_still_see_failures_when_it_was_left_is_an_incident() -> None:
    drama = Drama(fleet())
    drama.cloud.measured = Outage(began=5.0, ended=None, failed=9)
    chain = drama.fail()
    drama.pass_time(120)
    assert drama.outcome(chain) == "completed"
    assert drama.one(FailoverCompleted).data.outcomes == {"chat": "unrelieved"}
    opened = drama.one(IncidentOpened).data
    assert opened.title == f"{EAST} was left, and callers still see failures"
    assert "callers still see failures" in opened.gathered["chat"]
    assert not drama.said(IncidentResolved)
