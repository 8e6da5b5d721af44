"""Listing chains: which there are, how they stand, and finding one by the beginning of its id."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crosswind import App, Flight
from crosswind.engine.settings import Settings
from crosswind.journal.listing import (
    AmbiguousChain,
    NoSuchChain,
    Summary,
    find_chain,
    latest,
    list_chains,
    summarize,
)
from crosswind.testing import Stage
from crosswind_events import Event
from crosswind_events.catalogue.schedule import Tick
from unit.journal.plays import Asked, Measured, Plant, fleet, measuring, waiting

DAY = 86_400.0


def summaries(stage: Stage, since: float = 36 * DAY) -> list[Summary]:
    ledger = stage.engine.ledger
    return [
        summarize(ledger, listed, stage.app, stage.now)
        for listed in list_chains(ledger, stage.now, since)
    ]


def test_chains_are_listed_newest_first_over_the_days() -> None:
    stage = Stage(waiting())
    chains = []
    for number in range(4):
        chains.append(stage.say(Asked(), event_id=str(number)))
        stage.pass_time(DAY)
    assert [s.chain for s in summaries(stage)] == chains[::-1]
    assert [s.chain for s in summaries(stage, 2.5 * DAY)] == chains[:1:-1]
    assert latest(stage.engine.ledger, stage.now) == chains[-1]


def test_an_open_chain_says_what_it_waits_for() -> None:
    stage = Stage(waiting())
    stage.say(Asked(seconds=30.0))
    (summary,) = summaries(stage)
    assert summary.state == "open"
    assert summary.waits == "com.example.look.v1 in 30 s"


def test_a_chain_that_waits_for_a_person_says_so() -> None:
    stage = Stage(measuring(), fleet=fleet("propose"), performers=[Plant()])
    stage.say(Asked())
    (summary,) = summaries(stage)
    assert summary.waits == "approval of valve.set"


def test_a_chain_in_which_nothing_can_end_it_is_idle() -> None:
    app = App("play")

    @app.on(name="hear")
    def hear(event: Event[Asked]) -> Measured:
        return Measured(level=1)

    stage = Stage(app)
    stage.say(Asked())
    (summary,) = summaries(stage)
    assert summary.state == "idle"


def test_a_chain_that_was_only_observed_says_so() -> None:
    stage = Stage(measuring(), fleet=fleet("observe"), performers=[Plant()])
    stage.say(Asked())
    (summary,) = summaries(stage)
    assert (summary.state, summary.outcome) == ("closed", "completed")


def test_failed_runs_are_counted() -> None:
    app = App("play")

    @app.on(name="aside", aside=True)
    def aside(event: Event[Asked]) -> Measured:
        raise ValueError

    stage = Stage(app, settings=Settings(attempts=1))
    stage.say(Asked())
    (summary,) = summaries(stage)
    assert (summary.state, summary.failed) == ("idle", 1)
    assert summary.waits == "1 failed run(s), to be redriven"


def test_an_event_whose_target_is_held_is_queued() -> None:
    app = App("play")
    flight = Flight("tank", key=lambda event: str(event.data.tank), second="queue")

    @app.on(name="hear", flight=flight, deadline=600.0)
    def hear(event: Event[Asked]) -> Measured:
        return Measured(level=1)

    stage = Stage(app)
    stage.say(Asked(), event_id="1")
    second = stage.say(Asked(), event_id="2")
    states = {summary.chain: summary for summary in summaries(stage)}
    assert states[second].state == "queued"
    assert "is held by chain" in states[second].waits


def test_an_event_that_joined_is_listed_with_the_chain_it_joined() -> None:
    app = App("play")
    flight = Flight("tank", key=lambda event: str(event.data.tank))

    @app.on(name="hear", flight=flight, deadline=600.0)
    def hear(event: Event[Asked]) -> Measured:
        return Measured(level=1)

    stage = Stage(app)
    chain = stage.say(Asked(), event_id="1")
    stage.say(Asked(), event_id="2")
    (summary,) = summaries(stage)
    assert summary.chain == chain
    assert summary.target == "a"


def test_a_first_event_that_was_dropped_is_listed_with_the_reason() -> None:
    stage = Stage(waiting())
    stage.say(Asked(), extensions={"expirytime": "2020-01-01T00:00:00Z"})
    (summary,) = summaries(stage)
    assert summary.state == "dropped"
    assert summary.waits == "it expired at 2020-01-01T00:00:00Z"


def test_a_chain_is_found_by_what_is_enough_of_its_id() -> None:
    stage = Stage(waiting())
    chains = {stage.say(Asked(), event_id=str(n)) for n in range(40)}
    ledger = stage.engine.ledger
    for chain in chains:
        assert find_chain(ledger, chain, stage.now) == chain
        assert find_chain(ledger, chain[:13].upper(), stage.now) == chain
    with pytest.raises(AmbiguousChain, match="give more of it"):
        find_chain(ledger, min(chains)[0], stage.now)


@pytest.mark.parametrize("given", ["", "xyz", "0" * 36, "../..", "f" * 40, "00000000-0000"])
def test_what_is_no_chain_is_not_found(given: str) -> None:
    with pytest.raises(NoSuchChain):
        find_chain(Stage(waiting()).engine.ledger, given, 1_800_000_000.0)


def test_chains_of_ticks_do_not_hide_the_others() -> None:
    app = waiting()

    @app.on(name="tick")
    def tick(event: Event[Tick]) -> None:
        """Nothing is worth saying."""

    stage = Stage(app)
    ledger = stage.engine.ledger

    def ticked(number: int) -> str:
        due = datetime.fromtimestamp(stage.now, UTC)
        return stage.say(Tick(schedule="probe", due=due), event_id=f"tick {number}")

    first = ticked(0)
    assert latest(ledger, stage.now) == first, "where there is no other"
    chain = stage.say(Asked())
    for number in range(1, 4):
        stage.pass_time(DAY)
        ticked(number)
    assert latest(ledger, stage.now) == chain
    listed = list_chains(ledger, stage.now, ticks=False)
    assert [one.chain for one in listed] == [chain]
    assert len(list_chains(ledger, stage.now)) == 5


def test_where_nothing_is_recorded_there_is_no_latest() -> None:
    with pytest.raises(NoSuchChain):
        latest(Stage(waiting()).engine.ledger, 1_800_000_000.0)
