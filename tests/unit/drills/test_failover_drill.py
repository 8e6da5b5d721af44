"""One outage of one region, played on a simulated world of one's own fleet."""

from __future__ import annotations

import json

import pytest

from crosswind.drills import FailoverDrill, acting
from crosswind.drills.pages import drilled_page
from crosswind.errors import DeclarationError
from unit.sim.fleets import A, trio

ACT = "modes: {default: act}"
OBSERVED = trio(ACT, "modes: {default: observe}")
ASKED = trio(
    ACT,
    "modes: {default: act, kinds: {register.accept: propose}, "
    'approvers: [{who: "*@ops.example.com"}]}',
)


def test_a_region_that_fails_is_left_and_returned_to() -> None:
    found = FailoverDrill(trio(), A, 1200).play()
    assert (found.verdict, found.passed, found.restored) == ("left", True, True)
    assert found.outage.recovery is not None
    assert found.outage.recovery < 600
    assert found.back is not None
    assert found.back > 1200
    assert found.report.total().failed < sum(one.failed for one in found.report.untouched.values())


def test_an_outage_does_not_wait_for_a_probe() -> None:
    begins = {FailoverDrill(trio(), A, seed=seed).begins for seed in range(20)}
    assert len(begins) == 20
    assert all(600 <= one < 600 + trio().probes.every for one in begins)


def test_the_steps_are_told_in_order_and_counted_from_the_outage() -> None:
    steps = FailoverDrill(trio(), A, 1200).play().steps
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert steps[0].at == 0
    assert steps[0].what == f"{A}: outage begins"
    told = [step.what for step in steps]
    order = ("the evidence suffices", "requests go", "is over: completed", "the way back begins")
    first = [next(i for i, what in enumerate(told) if words in what) for words in order]
    assert first == sorted(first)


def test_a_fleet_that_only_observes_leaves_nothing_and_does_not_pass() -> None:
    found = FailoverDrill(OBSERVED, A, 900).play()
    assert (found.verdict, found.passed) == ("not-left", False)
    assert found.report.added_usd == pytest.approx(0)
    assert not found.violations


def test_as_if_everything_might_be_done_the_same_fleet_passes() -> None:
    assert FailoverDrill(acting(OBSERVED), A, 900).play().passed


def test_who_must_approve_is_told_and_answers_after_the_assumed_time() -> None:
    found = FailoverDrill(ASKED, A, 1800, answer_after=120).play()
    asked = next(step for step in found.steps if step.what.startswith("proposed to a person"))
    granted = next(step for step in found.steps if step.what == "the proposal is granted")
    assert asked.why == "may be approved by *@ops.example.com; assumed to take 2 min"
    assert granted.why == "by person@ops.example.com"
    assert granted.at - asked.at == pytest.approx(120, abs=2)
    assert all(one.outcome == "granted" for one in found.proposals)


def test_a_slow_region_without_an_objective_on_latency_is_seen_by_nobody() -> None:
    fleet = trio("    slo: {availability: 0.999, latency_ms: 800}\n", "")
    found = FailoverDrill(fleet, A, 300, kind="slow").play()
    assert (found.verdict, found.passed) == ("unseen", True)


def test_the_same_seed_tells_the_same() -> None:
    once, again = (FailoverDrill(trio(), A, 900, seed=3).play() for _ in range(2))
    assert once.as_json() == again.as_json()
    assert list(drilled_page(once)) == list(drilled_page(again))


def test_it_goes_to_json() -> None:
    document = json.loads(json.dumps(FailoverDrill(trio(), A, 900).play().as_json()))
    assert document["verdict"] == "left"
    assert document["steps"][0] == {"at": 0.0, "what": f"{A}: outage begins", "why": ""}


def test_a_region_that_the_fleet_does_not_have_is_refused_with_those_that_it_has() -> None:
    with pytest.raises(DeclarationError, match="no region aws/nowhere-1; it has aws/us-east-1"):
        FailoverDrill(trio(), "aws/nowhere-1")
    with pytest.raises(DeclarationError, match="no time"):
        FailoverDrill(trio(), A, 0)
