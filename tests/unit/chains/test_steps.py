"""The steps of a shift and the judgement on each."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.chains.failover.steps import Judgement, judge, moved, weights_at
from crosswind.fleet.rules import strays
from crosswind.fleet.state import Movement
from crosswind.operations.endpoints import EndpointState
from crosswind.operations.telemetry import RegionTelemetry, Telemetry
from crosswind_events.catalogue.failover import Plan, Sweep
from unit.chains.fleets import CENTRAL, EAST, EUROPE, NOW, fleet, workload

FLEET = fleet(workloads={"chat": workload(slo={"latency_ms": 100})})
SPEC = FLEET.workloads["chat"]


def plan(**changes: Any) -> Plan:
    """Half of the traffic leaves the east for the centre in two steps."""
    fields: dict[str, Any] = {
        "id": "p",
        "sweep": Sweep(purpose="failover", region=EAST, workloads=("chat",), began=NOW),
        "workload": "chat",
        "attempt": 1,
        "origin": {EAST: 0.5, CENTRAL: 0.5},
        "target": {EAST: 0.0, CENTRAL: 1.0},
        "replicas": {CENTRAL: 10},
        "ready": {CENTRAL: 5},
        "epoch": 1,
        "steps": 2,
        "pause": 10.0,
    }
    return Plan.model_validate(fields | changes)


def judged(
    step: int = 1,
    holds: int = 0,
    *,
    ready: int = 10,
    reachable: bool = True,
    errors: int = 0,
    requests: int = 100,
    p95: float | None = 50.0,
    of: Plan | None = None,
) -> Judgement:
    seen = RegionTelemetry(requests=requests, errors=errors, p50=20.0, p95=p95)
    return judge(
        of or plan(),
        step,
        holds,
        SPEC,
        FLEET.failover,
        Telemetry(seconds=10.0, regions={CENTRAL: seen}),
        {CENTRAL: EndpointState(region=CENTRAL, reachable=reachable, ready=ready)},
    )


def test_steps_lead_straight_from_origin_to_target() -> None:
    assert weights_at(plan(), 0) == {EAST: 0.5, CENTRAL: 0.5}
    assert weights_at(plan(), 1) == {EAST: 0.25, CENTRAL: 0.75}
    assert weights_at(plan(), 2) == {EAST: 0.0, CENTRAL: 1.0}


def test_what_moves_is_half_of_all_changes() -> None:
    assert moved({EAST: 0.5, CENTRAL: 0.5}, {EAST: 0.25, CENTRAL: 0.75}) == 0.25
    assert moved({EAST: 1.0}, {CENTRAL: 1.0}) == 1.0
    assert moved({EAST: 1.0}, {EAST: 1.0}) == 0.0


def test_a_well_survivor_lets_the_step_be_taken() -> None:
    assert judged().verdict == "go"


def test_a_survivor_that_does_not_answer_is_left_at_once() -> None:
    judgement = judged(reachable=False)
    assert judgement.verdict == "leave"
    assert judgement.regions == (CENTRAL,)


@pytest.mark.parametrize(("holds", "verdict"), [(0, "hold"), (2, "hold"), (3, "leave")])
def test_a_survivor_that_errs_is_given_three_pauses(holds: int, verdict: str) -> None:
    judgement = judged(holds=holds, errors=6)
    assert judgement.verdict == verdict
    assert "fails 6.0% of its requests, at most 5.0% may" in judgement.because


def test_errors_up_to_the_declared_rate_are_borne() -> None:
    assert judged(errors=5).verdict == "go"


def test_too_few_requests_say_nothing() -> None:
    assert judged(errors=19, requests=19).verdict == "go"


def test_a_step_waits_for_the_replicas_that_it_needs() -> None:
    assert judged(1, ready=7).verdict == "hold"
    assert judged(1, ready=8).verdict == "go"
    assert judged(2, ready=8).verdict == "hold"


def test_replicas_that_do_not_come_within_the_capacity_timeout_become_a_ceiling() -> None:
    assert judged(1, holds=29, ready=7).verdict == "hold"
    judgement = judged(1, holds=30, ready=7)
    assert judgement.verdict == "leave"
    assert judgement.ceilings == {CENTRAL: 7}


def test_a_plan_that_serves_a_part_only_waits_for_no_more_than_it_asked_for() -> None:
    assert judged(2, ready=6, of=plan(replicas={CENTRAL: 6})).verdict == "go"


def test_latency_alone_delays_a_step_and_never_turns_a_plan_around() -> None:
    assert judged(p95=150.0).verdict == "hold"
    judgement = judged(holds=3, p95=150.0)
    assert judgement.verdict == "go"
    assert "takes 150 ms" in judgement.because


SHARES = st.lists(st.integers(0, 1000), min_size=3, max_size=3).filter(any)


def shares(parts: list[int]) -> dict[str, float]:
    return {r: n / sum(parts) for r, n in zip((EAST, CENTRAL, EUROPE), parts, strict=True)}


@settings(max_examples=100, deadline=None)
@given(SHARES, SHARES, st.integers(1, 100))
def test_every_step_is_on_the_accepted_way_and_sums_to_one(
    begin: list[int], end: list[int], steps: int
) -> None:
    case = plan(origin=shares(begin), target=shares(end), steps=steps)
    movement = Movement(
        plan="p",
        owner="c",
        priority="failover",
        start=case.origin,
        target=case.target,
        planned={},
        until=0.0,
    )
    total = 0.0
    for step in range(1, steps + 1):
        weights = weights_at(case, step)
        assert sum(weights.values()) == pytest.approx(1.0, abs=1e-7)
        assert strays(movement, weights) == ()
        total += moved(weights_at(case, step - 1), weights)
    assert weights_at(case, steps) == case.target
    assert total == pytest.approx(moved(case.origin, case.target), abs=1e-6)
