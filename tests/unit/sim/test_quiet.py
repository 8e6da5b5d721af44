"""Rounds that say nothing are left out, and nothing is missed by that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from crosswind.app import App
from crosswind.chains.failover import failover_app
from crosswind.chains.incidents.operations import OpenIncidents
from crosswind.context import Context
from crosswind.sim import Fault, Nature, World, decided, digest, random_faults
from crosswind_events import Event
from crosswind_events.catalogue.incident import IncidentOpened
from crosswind_events.catalogue.probe import ProbeDue
from unit.sim.fleets import A, B, C, trio
from unit.sim.plays import OUTAGE, Play

DAY_OF_ROUNDS = 86_400 // 30 + 86_400 // 300


def both(*faults: Fault, until: float, **how: Any) -> tuple[Play, Play]:
    """The same, with rounds left out and with every round worked."""
    quick, whole = Play(*faults, **how), Play(*faults, skip=False, **how)
    reports = [play.run(until).to_dict() for play in (quick, whole)]
    assert reports[0] == reports[1]
    assert decided(quick.simulation) == decided(whole.simulation)
    assert digest(quick.simulation) == digest(whole.simulation)
    return quick, whole


def test_a_quiet_month_is_not_worked_at_all() -> None:
    play = Play()
    play.run(30 * 86_400 + 1)
    assert play.simulation.delivered == 0
    assert play.simulation.quiet.skipped >= 30 * DAY_OF_ROUNDS


def test_an_outage_and_the_way_back_are_the_same_to_the_last_byte() -> None:
    quick, whole = both(OUTAGE, until=3600)
    assert quick.outcomes == ["completed", "recovered"]
    assert quick.simulation.delivered * 4 < whole.simulation.delivered


@pytest.mark.parametrize("offset", [0.2, 1.7, 3.1, 4.9])
def test_a_fault_that_begins_while_a_round_is_under_way_is_seen_by_it(offset: float) -> None:
    quick, _ = both(Fault("outage", 120 + offset, 400, region=A), until=240)
    assert quick.simulation.quiet.made_up > 0


def test_a_region_that_gives_way_under_the_load_of_another_is_seen() -> None:
    # Nobody may add replicas: what moves to B is too much for it.
    both(OUTAGE, Fault("stockout", 0, 5000, size=0), until=900)


@pytest.mark.parametrize("seed", range(4))
def test_random_days_are_the_same_with_and_without(seed: int) -> None:
    faults = random_faults(trio(), seed, 0.03, intensity=[60, 150][seed % 2])
    nature = Nature(
        duplicates=0.05, start_up=10, message_median=0.1, telemetry_lag=20.0 * (seed // 2)
    )
    both(*faults, until=2_600, seed=seed, nature=nature)


def test_telemetry_that_is_late_or_wrong_speaks_as_if_it_were_right() -> None:
    both(
        Fault("brown-out", 95, 130, region=A, size=0.4),
        Fault("late-telemetry", 100, 900, region=A, size=200),
        Fault("wrong-telemetry", 1000, 1200, region=B, size=0.3),
        until=1500,
    )


def test_drift_that_is_found_in_the_moment_of_a_round_of_probes_is_put_right() -> None:
    plays = [Play(OUTAGE, skip=skip) for skip in (True, False)]
    for play in plays:
        simulation, world = play.simulation, play.simulation.world

        def meddle(world: World = world) -> None:
            world.order_weights("chat", {A: 0.4, B: 0.4, C: 0.2}, world.epochs["chat"])

        simulation.at(4199, meddle)
        simulation.run(5000)
        assert world.steered.weights["chat"] == {A: 0.5, B: 0.3, C: 0.2}
        assert play.outcomes == ["completed", "recovered", "reconciled"]
    assert digest(plays[0].simulation) == digest(plays[1].simulation)


def test_rounds_that_somebody_else_listens_to_are_worked() -> None:
    own = App("own")

    @own.on()
    def listen(event: Event[ProbeDue], ctx: Context) -> Iterator[IncidentOpened]:
        yield from ()

    app = failover_app(30.0, None)
    app.include(own)
    play = Play(app=app)
    play.run(121)
    assert play.simulation.quiet.skipped == 0
    assert play.simulation.delivered > 0


def test_an_app_without_probes_has_nothing_to_leave_out() -> None:
    play = Play(OUTAGE, app=failover_app(None, None))
    play.run(3600)
    assert play.simulation.quiet.skipped == play.simulation.delivered == 0


def test_an_incident_is_known_to_be_open_from_its_first_word_to_its_last() -> None:
    play = Play(OUTAGE, Fault("outage", 2400, 3000, region=A))  # it relapses on its way back
    known: list[bool] = []
    for moment in range(60, 4081, 60):
        play.run(moment)
        asked = play.simulation.incidents.answer(OpenIncidents(prefix=f"region:{A}"), 1.0)
        known.append(play.simulation.troubled.of(f"region:{A}"))
        assert known[-1] == bool(asked.incidents)
    assert (known[0], any(known), known[-1]) == (False, True, False)
