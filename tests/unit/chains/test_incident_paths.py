"""Every way in which a built-in chain can fail opens an incident: one for each trouble, told once.

The incident has the name of what the chain holds, so that the next chain about the same region
can resolve it, and holds references to what led to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from crosswind.actions import Call
from crosswind.chains.failover import failover_app
from crosswind.chains.incidents import kept
from crosswind.chains.incidents.kept import Kept
from crosswind.chains.incidents.operations import OpenIncident
from crosswind.gate.brakes import BrakeLever
from crosswind.journal.listing import list_chains
from crosswind.testing import FaultPlan, On
from crosswind_events import RegionRecovered
from crosswind_events.catalogue.deadletter import DeadLettered
from crosswind_events.catalogue.incident import IncidentOpened, IncidentResolved
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, EUROPE, fleet, placement, workload
from unit.chains.test_brakes import PROPOSE, answer

WELL = {"completed", "recovered", "nothing-to-do", "unconfirmed"}
"""Outcomes of chains that did what they are for, or had nothing to do."""

NAME = f"region:{EAST}"


def no_region_left() -> Drama:
    drama = Drama(fleet(workloads={"chat": workload(regions={EAST: placement(1.0, 10, 10)})}))
    drama.fail()
    drama.pass_time(60)
    return drama


def plan_rejected() -> Drama:
    drama = Drama(fleet(modes=PROPOSE))
    drama.fail()
    answer(drama, "rejected")
    drama.pass_time(60)
    return drama


def approval_expired() -> Drama:
    drama = Drama(fleet(modes=PROPOSE))
    drama.fail()
    drama.pass_time(3_700)
    return drama


def step_rejected() -> Drama:
    drama = Drama(fleet(modes={"default": "act", "kinds": {"traffic.*": "propose"}}))
    drama.fail()
    drama.pass_time(60)
    answer(drama, "rejected")
    drama.pass_time(60)
    return drama


def capacity_refused() -> Drama:
    drama = Drama(fleet())
    drama.cloud.most |= {CENTRAL: 0, EUROPE: 0}
    drama.fail()
    drama.pass_time(300)
    return drama


def deadline_passed() -> Drama:
    drama = Drama(fleet(failover={"deadline": 100, "capacity_timeout": 90}))
    drama.cloud.pending |= {CENTRAL: 1_000, EUROPE: 1_000}
    drama.fail()
    drama.pass_time(900)
    return drama


def branch_lost() -> Drama:
    drama = Drama(fleet())
    drama.cloud.mute.add("chat")
    drama.fail()
    drama.pass_time(120)
    return drama


def first_event_dead_lettered() -> Drama:
    faults = FaultPlan(On("answer", about="register.read-regions", times=9_999))
    drama = Drama(fleet(), faults=faults)
    drama.fail()
    drama.pass_time(120)
    return drama


def end_dead_lettered() -> Drama:
    drama = Drama(fleet(), faults=FaultPlan(On("answer", about="incident.list", times=9_999)))
    drama.fail()
    drama.pass_time(300)
    return drama


def stalled() -> Drama:
    drama = Drama(fleet())
    lever = BrakeLever(drama.engine.ledger, "shop", drama.clock)
    lever.freeze("ann@example.com", "the grid is unsure", None, "chat")
    drama.fail()
    drama.now += 86_390  # nobody worked for a day, and all is due at once
    drama.pass_time(60)
    lever.thaw()
    return drama


def left() -> Drama:
    drama = Drama(fleet())
    drama.fail()
    drama.pass_time(100)
    return drama


def soak_refused() -> Drama:
    drama = Drama(fleet(modes={"default": "act", "kinds": {"register.mark": "propose"}}))
    drama.fail()
    drama.pass_time(100)
    drama.chain = drama.recover()
    answer(drama, "rejected")
    drama.pass_time(60)
    return drama


def relapsed() -> Drama:
    drama = left()
    drama.recover()
    drama.cloud.errors[EAST] = 0.5
    drama.pass_time(300)
    return drama


def failback_failed() -> Drama:
    drama = left()
    drama.cloud.mute.add("chat")
    drama.recover()
    drama.pass_time(300)
    return drama


class Path(NamedTuple):
    """How a chain is made to fail, how it ends then, and how grave that is."""

    play: Callable[[], Drama]
    outcome: str
    severity: str


PATHS = (
    Path(no_region_left, "no-safe-plan", "critical"),
    Path(plan_rejected, "failed", "critical"),
    Path(approval_expired, "failed", "critical"),
    Path(step_rejected, "failed", "critical"),
    Path(capacity_refused, "failed", "critical"),
    Path(deadline_passed, "failed", "critical"),
    Path(branch_lost, "failed", "critical"),
    Path(first_event_dead_lettered, "failed", "major"),
    Path(end_dead_lettered, "failed", "major"),
    Path(stalled, "stalled", "major"),
    Path(soak_refused, "failed", "major"),
    Path(relapsed, "relapsed", "major"),
    Path(failback_failed, "failed", "critical"),
)


@pytest.fixture(scope="module", params=PATHS, ids=lambda path: path.play.__name__)
def path(request: pytest.FixtureRequest) -> tuple[Path, Drama]:
    return request.param, request.param.play()


def opened(drama: Drama) -> list[Kept]:
    return list(kept.current(drama.store, "shop"))


def bad(drama: Drama) -> dict[str, str]:
    """The chains that failed, with their outcomes."""
    found = {}
    for listed in list_chains(drama.engine.ledger, drama.now):
        outcome = drama.outcome(listed.chain)
        if outcome is not None and outcome not in WELL:
            found[listed.chain] = outcome
    return found


def test_a_failing_path_opens_the_incident_of_its_region(path: tuple[Path, Drama]) -> None:
    expected, drama = path
    (chain,) = bad(drama)
    assert bad(drama)[chain] == expected.outcome
    (incident,) = opened(drama)
    assert incident.name == NAME
    assert incident.region == EAST
    assert incident.severity == expected.severity
    assert {told.chain for told in incident.told} == {chain}


def test_people_are_told_once(path: tuple[Path, Drama]) -> None:
    _, drama = path
    assert len(drama.cloud.told) == 1
    assert f"crosswind incident show {NAME}" in drama.cloud.told[0].text


def test_the_incident_names_the_chain_and_the_evidence_that_led_to_it(
    path: tuple[Path, Drama],
) -> None:
    _, drama = path
    (incident,) = opened(drama)
    findings = incident.told[0].findings
    assert findings.chain == incident.told[0].chain
    assert {heard.region for heard in findings.evidence} == {EAST}
    assert all(heard.event.startswith("heard-") for heard in findings.evidence)


def test_the_incident_names_the_plans_and_why_they_came_to_nothing() -> None:
    (incident,) = opened(capacity_refused())
    assert [plan.attempt for plan in incident.told[0].findings.plans] == [1, 2]
    (incident,) = opened(plan_rejected())
    assert incident.told[0].findings.refused == ("register.accept was rejected by ada@example.com",)
    (incident,) = opened(branch_lost())
    assert "NotReachable" in incident.told[0].findings.gave_up[0]


def test_a_stall_says_what_was_waited_for() -> None:
    drama = stalled()
    (incident,) = opened(drama)
    assert "frozen by ann@example.com" in incident.told[0].findings.waits[0]
    assert "waits: " in drama.cloud.told[0].text


def test_the_incident_of_a_chain_that_stalled_or_died_is_resolved_when_the_region_is_left() -> None:
    for path in (stalled, end_dead_lettered):
        drama = path()
        assert opened(drama)[0].open
        drama.faults = FaultPlan()
        drama.engine = drama._engine()
        drama.pass_time(600)
        if drama.state() == "evacuated":
            drama.recover()
        else:
            drama.fail()
        drama.pass_time(300)
        assert not opened(drama)[0].open, path.__name__
        assert drama.said(IncidentResolved)


def test_a_handler_that_always_fails_is_one_incident_however_many_chains_it_ends() -> None:
    drama = Drama(fleet(), faults=FaultPlan(On("answer", about="telemetry.probe", times=99_999)))
    drama.watch(120)
    assert len(bad(drama)) > 5
    (incident,) = opened(drama)
    assert incident.name == "handler:crosswind.chains.failover.probes:probe"
    assert len(drama.cloud.told) == 1


def test_what_tells_of_incidents_does_not_tell_that_it_cannot() -> None:
    drama = Drama(fleet(), faults=FaultPlan(On("perform", about="incident.open", times=99_999)))
    drama.cloud.most |= {CENTRAL: 0, EUROPE: 0}
    drama.fail()
    drama.pass_time(900)
    assert len(drama.said(IncidentOpened)) == 1
    (dead,) = drama.said(DeadLettered)
    assert dead.data.handler == "crosswind.chains.incidents.app:tell"


def test_what_fails_after_a_chain_has_ended_well_is_no_incident() -> None:
    faults = FaultPlan(On("perform", about="incident.resolve", times=99_999))
    drama = Drama(fleet(), faults=faults)
    chain = drama.fail()
    drama.pass_time(300)
    assert drama.outcome(chain) == "completed"
    resolved = IncidentResolved(incident=NAME, summary="it is over")
    open_it = OpenIncident(incident=NAME, title="t", severity="major")
    drama.incidents.perform(open_it, Call("1", 5.0))
    drama.say(resolved, event_id="by-hand")
    drama.pass_time(300)
    assert [dead.data.handler for dead in drama.said(DeadLettered)] == [
        "crosswind.chains.incidents.app:close"
    ]
    assert not drama.said(IncidentOpened)


def test_a_person_may_say_that_an_incident_is_over() -> None:
    drama = no_region_left()
    assert opened(drama)[0].open
    said = IncidentResolved(incident=NAME, by="ann@example.com", summary="a region was added")
    drama.say(said, event_id="by-hand")
    (incident,) = opened(drama)
    assert (incident.by, incident.because) == ("ann@example.com", "a region was added")
    assert not incident.open


def test_an_incident_that_grows_graver_is_told_again() -> None:
    drama = relapsed()
    assert len(drama.cloud.told) == 1
    drama.cloud.most |= {CENTRAL: 0, EUROPE: 0}
    drama.cloud.errors.clear()
    drama.pass_time(400)
    drama.recover()
    drama.cloud.mute.add("chat")
    drama.pass_time(300)
    assert [notice.title.split(":")[0] for notice in drama.cloud.told] == [
        "major",
        "raised to critical",
    ]
    assert len(opened(drama)) == 1


def test_a_chain_that_did_what_it_is_for_opens_none() -> None:
    drama = left()
    drama.recover()
    drama.pass_time(300)
    chain = drama.hear(RegionRecovered)
    drama.pass_time(400)
    assert drama.outcome(chain) == "nothing-to-do"
    assert not drama.said(IncidentOpened)


def test_every_handler_that_may_end_a_chain_badly_may_open_an_incident() -> None:
    """In all of the built-in chains: whatever outcome is not known here to be well is not."""
    well = {None, *WELL, "reconciled", "applied"}
    ending = {
        handler.name: {emits.data for emits in handler.emits}
        for handler in failover_app().handlers
        if any(emits.data.ends not in well for emits in handler.emits)
    }
    assert ending
    assert [name for name, emits in ending.items() if IncidentOpened not in emits] == []
