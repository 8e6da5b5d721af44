"""Whatever happens at whichever call, alone, every promise is kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.proof.director import Director
from integration.proof.plans import CALLS, DEEP, PAUSES, SKEWS, STALLS, Deed, Deeds, Plan
from integration.proof.promises import kept
from integration.proof.scenarios import SCENARIOS, Scenario

ROTATED: tuple[Deeds, ...] = ("killed", "lost", "late", "unanswered", "throttled", "stall")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: str(one.name))
def test_nothing_goes_wrong(scenario: Scenario) -> None:
    for skews in SKEWS:
        play(scenario, Plan(skews=skews))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: str(one.name))
def test_one_thing_goes_wrong_at_each_call(scenario: Scenario) -> None:
    calls = play(scenario, Plan()).calls
    for deed in everything(calls) if DEEP else some(calls):
        play(scenario, Plan((deed,)))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: str(one.name))
def test_two_workers_have_the_same_letter_and_take_turns_at_each_call(scenario: Scenario) -> None:
    """The first event is delivered twice, and the first worker waits while the other works."""
    calls = play(scenario, Plan()).calls
    for gap in range(0, calls, 1 if DEEP else 3):
        play(scenario, Plan((Deed(0, "again"), Deed(gap, "switch"))))


def some(calls: int) -> Iterator[Deed]:
    """Three things at each call, or at every second of many, so that neighbours see all of them."""
    for gap in range(0, calls, 1 + calls // 100):
        yield Deed(gap, "killed-after")
        yield Deed(gap, "switch", gap)
        kind = ROTATED[gap % len(ROTATED)]
        # Three in a row, as the engine asks three times before it gives up on a store.
        yield Deed(gap, kind, gap, times=1 if kind in PAUSES else 3)


def everything(calls: int) -> Iterator[Deed]:
    """At each call everything."""
    for gap in range(calls):
        for kind in CALLS:
            for times in (1, 3, 9):
                yield Deed(gap, kind, 0, times)
        for pick in range(len(STALLS)):
            yield Deed(gap, "stall", pick)
            yield Deed(gap, "switch", pick)
            yield Deed(gap, "again", pick)
            yield Deed(gap, "early", pick)


def play(scenario: Scenario, plan: Plan) -> Director:
    """Play it, and hold what is left against the promises."""
    director = Director(scenario, plan)
    director.play()
    kept(director)
    return director
