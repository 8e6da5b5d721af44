"""The failover chain in storms: whichever chains race, no safety rule is ever broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import given

from crosswind.actions import Performer
from crosswind.chains.failover import failover_app
from crosswind.chains.incidents.performer import IncidentPerformer
from crosswind.engine.settings import Settings
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.register import RegisterPerformer
from crosswind.testing import FaultyStore
from crosswind_events import RegionRecovered, RegionUnhealthy
from crosswind_events.catalogue.failover import FailoverCompleted, FailoverConfirmed
from crosswind_events.catalogue.recovery import RecoveryConfirmed
from integration.proof.actors import Actor
from integration.proof.careless import Careless
from integration.proof.director import Director
from integration.proof.plans import DEEP, START, Deed, Plan, examples, plans
from integration.proof.promises import kept
from integration.proof.safety import obeyed, safe
from integration.proof.scenarios import Said, Scenario
from integration.proof.sky import Sky, Watched

EAST: Final = "aws/us-east-1"
CENTRAL: Final = "gcp/us-central1"
EUROPE: Final = "azure/westeurope"
NORTH: Final = "azure/northeurope"

SETTINGS: Final = Settings(
    lease=10.0, skew=1.0, attempts=4, backoff=0.5, backoff_limit=4.0, queue_check=3.0, wait=2.0
)


def placement(weight: float, replicas: int, quota: int) -> dict[str, Any]:
    return {"weight": weight, "replicas": replicas, "quota": quota}


def workload(**changes: Any) -> dict[str, Any]:
    return {
        "rate": 100,
        "per_replica": 10,
        "floor": 0.8,
        "regions": {
            EAST: placement(0.5, 5, 12),
            CENTRAL: placement(0.5, 5, 12),
            EUROPE: placement(0.0, 0, 12),
            NORTH: placement(0.0, 1, 4),
        },
        "shift": {"steps": 2, "pause": 4, "window": 4},
    } | changes


FLEET: Final = Fleet.model_validate(
    {
        "name": "shop",
        "regions": {
            EAST: {"jurisdiction": "US", "failing_domains": ["grid:pjm"], "quota": 20},
            CENTRAL: {"jurisdiction": "US", "quota": 20},
            EUROPE: {"jurisdiction": "NL", "quota": 20},
            NORTH: {"jurisdiction": "IE", "quota": 20},
        },
        "workloads": {"chat": workload(), "search": workload(rate=80, tier="critical")},
        "failover": {
            "soak": 20,
            "window": 60,
            "capacity_timeout": 30,
            "failback_steps": 2,
            "failback_pause": 4,
        },
        "modes": {"default": "act"},
    }
)


def world(outages: Mapping[str, tuple[float, float]]) -> Any:
    """Makes the performers of one worker: a sky for all, the register through its own store."""
    times = {name: (START + begun, START + over) for name, (begun, over) in outages.items()}

    def performers(director: Director, actor: Actor) -> Sequence[Performer]:
        sky = director.worlds.setdefault("sky", Sky(FLEET, lambda: director.now, times))
        store = FaultyStore(director.store, actor)
        clock = director.clock(actor)
        register = RegisterPerformer(store, FLEET, clock=clock, pause=lambda seconds: None)
        incidents = IncidentPerformer(store, FLEET.name, clock)
        return [Watched(one, director.watch) for one in (sky, register, incidents)]

    return performers


def said(number: int, data: type[Any], evidence: str, region: str, after: float = 0.0) -> Said:
    """One piece of evidence about a region."""
    body = data(region=region, evidence=evidence, reason="r")
    return Said(body, str(number), f"//{evidence}.example.com", after=after)


def leave(region: str, first: int, after: float = 0.0) -> tuple[Said, Said]:
    """Enough evidence that a region fails."""
    return (
        said(first, RegionUnhealthy, "probe", region, after),
        said(first + 1, RegionUnhealthy, "telemetry", region, after + 0.01),
    )


def insist(region: str, first: int) -> tuple[Said, ...]:
    """Enough evidence that a region fails though its probes are answered."""
    return (*leave(region, first), said(first + 2, RegionUnhealthy, "provider", region, 0.02))


def come_back(region: str, first: int, after: float) -> tuple[Said, Said]:
    """Enough evidence that it is well again."""
    return (
        said(first, RegionRecovered, "probe", region, after),
        said(first + 1, RegionRecovered, "telemetry", region, after + 0.01),
    )


def scenario(name: str, outages: Mapping[str, tuple[float, float]], *events: Said) -> Scenario:
    return Scenario(
        name,
        lambda version: failover_app(None),
        events,
        FLEET,
        SETTINGS,
        world(outages),
        drops=("has said",),
        varying=(FailoverConfirmed.event_type, RecoveryConfirmed.event_type),
        promises=(safe, obeyed),
    )


SCENARIOS: Final = (
    scenario("one region is left", {EAST: (-9.0, 1e9)}, *leave(EAST, 1)),
    scenario(
        "two regions are left at once",
        {},  # their endpoints still answer, so that only the register knows
        *insist(EAST, 1),
        *insist(CENTRAL, 4),
    ),
    scenario(
        "one region comes back while another is left",
        {EAST: (-9.0, 85.0), CENTRAL: (108.0, 1e9)},
        *leave(EAST, 1),
        *come_back(EAST, 3, 90.0),
        *leave(CENTRAL, 5, 112.0),
    ),
)


def play(scenario: Scenario, plan: Plan) -> Director:
    director = Director(scenario, plan)
    director.play()
    kept(director)
    return director


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: str(one.name))
def test_when_nothing_goes_wrong(scenario: Scenario) -> None:
    director = play(scenario, Plan())
    ended = [
        message
        for message in director.post.published
        if message.attributes["type"] == FailoverCompleted.event_type
    ]
    assert ended, "the scenario shows nothing if no region is left"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: str(one.name))
def test_in_a_storm(scenario: Scenario) -> None:
    @examples(usual=14, deep=4_000)
    @given(plans(most=16))
    def storm(plan: Plan) -> None:
        play(scenario, plan)

    storm()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: str(one.name))
def test_workers_take_turns(scenario: Scenario) -> None:
    """Two switches, so that one chain observes, the other acts, and the first one goes on."""
    calls = play(scenario, Plan()).calls
    for gap in range(0, calls, 5 if DEEP else max(5, calls // 12)):
        play(scenario, Plan((Deed(gap, "switch", gap), Deed(7, "switch", 1))))
        play(scenario, Plan((Deed(gap, "killed-after"),)))


def found(scenario: Scenario, **made: Any) -> str:
    """What comes to light when something is broken on purpose.

    One worker is about to have a plan accepted, another takes whatever is due and goes on.
    """
    benign = play(scenario, Plan())
    moments = [
        number
        for number, call in enumerate(benign.met)
        if (call.method == "write" and call.about.startswith("fleet:shop workload:"))
        or call.about.startswith("register.accept")
    ]
    for gap, pick in product(moments, range(6)):
        director = Director(scenario, Plan((Deed(gap, "switch", pick),)), **made)
        director.play()
        faults = [*safe(director), *obeyed(director)]
        if faults:
            return faults[0]
    return ""


def test_a_register_that_loses_updates_is_found_out() -> None:
    said = found(SCENARIOS[1], store=lambda witness: Careless(witness, "fleet:"))
    assert "was followed by" in said


def test_a_register_that_checks_no_rule_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planners look before; what has changed since is for the register alone to see."""
    monkeypatch.setattr("crosswind.fleet.acceptance.violations", lambda *args, **how: ())
    assert "leads" in found(SCENARIOS[1])
