"""How near to its declared placement a workload can be brought."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.chains.failover.failback import at_rest, restore
from crosswind.fleet.rules import violations
from crosswind.fleet.state import RegionState
from unit.chains.fleets import CENTRAL, EAST, EUROPE, fleet, register, situation

AWAY = {EAST: 0.0, CENTRAL: 1.0, EUROPE: 0.0}
FLEET = fleet()


def away(**changes: Any) -> Any:
    view = register(
        FLEET,
        weights=changes.pop("weights", AWAY),
        capacity={CENTRAL: 10},
        states={EAST: "soaking"} | changes.pop("states", {}),
    )
    return situation(FLEET, view, **changes)


def test_a_workload_comes_back_as_it_is_declared() -> None:
    chosen = restore(away()).chosen
    assert chosen is not None
    assert chosen.weights == FLEET.workloads["chat"].weights
    assert chosen.replicas == FLEET.workloads["chat"].replicas


def test_the_replicas_that_the_failover_added_are_given_back() -> None:
    chosen = restore(away()).chosen
    assert chosen is not None
    assert chosen.replicas[CENTRAL] == 5
    assert chosen.cost_delta == -10.0


def test_with_less_capacity_it_comes_back_in_part() -> None:
    proposal = restore(away(ceilings={EAST: 2}))
    assert proposal.chosen is not None
    assert proposal.chosen.name == "as far as capacity reaches"
    assert proposal.chosen.weights == pytest.approx({EAST: 0.2, CENTRAL: 0.8, EUROPE: 0.0})
    declared = next(one for one in proposal.decision.alternatives if one.name == "as declared")
    assert "floor" in declared.because


def test_a_region_that_does_not_answer_gets_nothing_back() -> None:
    proposal = restore(away(silent=(EAST,)))
    assert proposal.chosen is not None
    assert proposal.chosen.name == "stay as it is"


def test_the_share_of_an_evacuated_region_is_divided_among_the_others() -> None:
    case = away(weights={EAST: 0.0, CENTRAL: 0.0, EUROPE: 1.0}, states={CENTRAL: "evacuated"})
    chosen = restore(case).chosen
    assert chosen is not None
    assert chosen.weights == pytest.approx({EAST: 1.0, CENTRAL: 0.0, EUROPE: 0.0})


def test_a_workload_as_declared_is_at_rest() -> None:
    case = situation(FLEET, register(FLEET, states={EAST: "soaking"}))
    chosen = restore(case).chosen
    assert chosen is not None
    assert at_rest(case, chosen)


def test_for_a_sliver_of_its_traffic_a_workload_is_not_moved_once_more() -> None:
    near = {EAST: 0.496, CENTRAL: 0.504, EUROPE: 0.0}
    case = situation(FLEET, register(FLEET, weights=near, states={EAST: "soaking"}))
    chosen = restore(case).chosen
    assert chosen is not None
    assert chosen.name == "as declared"
    assert at_rest(case, chosen)
    farther = {EAST: 0.49, CENTRAL: 0.51, EUROPE: 0.0}
    case = situation(FLEET, register(FLEET, weights=farther, states={EAST: "soaking"}))
    chosen = restore(case).chosen
    assert chosen is not None
    assert not at_rest(case, chosen)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 10), min_size=3, max_size=3).filter(any),
    st.sampled_from(["serving", "evacuated", "soaking"]),
    st.sampled_from(["serving", "evacuated", "soaking"]),
    st.dictionaries(st.sampled_from([EAST, CENTRAL, EUROPE]), st.integers(0, 10)),
    st.lists(st.sampled_from([EAST, CENTRAL, EUROPE]), max_size=1).map(tuple),
)
def test_the_way_back_never_breaks_a_rule_nor_fills_an_evacuated_region(
    parts: list[int],
    central: str,
    europe: str,
    ceilings: dict[str, int],
    silent: tuple[str, ...],
) -> None:
    weights = {r: n / sum(parts) for r, n in zip((EAST, CENTRAL, EUROPE), parts, strict=True)}
    case = away(
        weights=weights,
        states={CENTRAL: central, EUROPE: europe},
        ceilings=ceilings,
        silent=silent,
    )
    proposal = restore(case)
    assert all(one.because != "to be judged" for one in proposal.decision.alternatives)
    if proposal.chosen is None:
        assert proposal.decision.because.startswith("no safe way back")
        return
    now = case.register.workload
    states = {**case.register.regions, EAST: RegionState(state="soaking")}
    capacity = {**now.capacity, **proposal.chosen.replicas}
    assert not violations(FLEET, "chat", now, states, proposal.chosen.weights, capacity)
    for region, weight in proposal.chosen.weights.items():
        if weight > now.weights.get(region, 0.0) + 1e-6:
            assert states[region].state != "evacuated"
            assert region not in silent
