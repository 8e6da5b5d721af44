"""Where nothing is declared there is a small fleet to look at, in which nothing is ever changed."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.actions import Call, Query
from crosswind.chains.failover import failover_app
from crosswind.chains.incidents.performer import IncidentPerformer
from crosswind.cli.demonstration import DeclaredWorld, demonstration_fleet
from crosswind.embedded.memory import MemoryStore
from crosswind.fleet.register import RegisterPerformer
from crosswind.operations.endpoints import EndpointStatus
from crosswind.operations.telemetry import MeasureOutage, ProbeEndpoint, ReadTelemetry
from crosswind.operations.traffic import CurrentWeights, SetWeights
from crosswind.testing import Stage
from crosswind_events import RegionUnhealthy

EAST = "aws/us-east-1"


def test_everything_in_it_is_only_observed() -> None:
    fleet = demonstration_fleet()
    kinds = {action.kind for handler in failover_app().handlers for action in handler.acts}
    assert kinds
    for workload in (None, *fleet.workloads):
        assert {fleet.mode_for(workload, kind) for kind in kinds} == {"observe"}


def test_the_world_is_as_it_is_declared_and_quiet() -> None:
    world = DeclaredWorld(demonstration_fleet())

    def ask(query: Query[Any]) -> Any:
        answer = world.answer(query, 1.0)
        assert isinstance(answer, query.returns)
        return answer

    states = ask(EndpointStatus(workload="search", regions=(EAST, "azure/westeurope"))).states
    assert states[EAST].ready == 1
    assert not states["azure/westeurope"].reachable
    assert ask(CurrentWeights(workload="chat")).weights[EAST] == 0.5
    assert ask(ReadTelemetry(workload="chat")).error_rate == 0.0
    assert ask(ProbeEndpoint(workload="chat", region=EAST)).healthy
    assert ask(MeasureOutage(workload="chat", since=0.0)).seconds is None


def test_it_does_nothing_and_answers_nothing_else() -> None:
    world = DeclaredWorld(demonstration_fleet())
    with pytest.raises(TypeError, match="nothing is done"):
        world.perform(SetWeights(workload="chat", weights={EAST: 1.0}, epoch=1), Call("k", 1.0))

    class Odd(Query[Any]):
        workload: str = "chat"

    with pytest.raises(TypeError, match="does not answer Odd"):
        world.answer(Odd.model_construct(), 1.0)


def test_a_failover_is_seen_to_its_end_in_it() -> None:
    fleet, store = demonstration_fleet(), MemoryStore()
    stage = Stage(
        failover_app(probe_every=None),
        fleet=fleet,
        store=store,
        performers=[
            RegisterPerformer(store, fleet),
            IncidentPerformer(store, fleet.name),
            DeclaredWorld(fleet),
        ],
    )
    stage.say(RegionUnhealthy(region=EAST, evidence="operator", reason="no answers"))
    head = stage.head()
    assert head is not None
    assert head.outcome == "completed"
    assert any(record.simulated for record in stage.records())
