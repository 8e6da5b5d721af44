"""What is known to be broken: the least plans that show it, until they no longer do.

The storms leave these out (see `Director.unburied`), so that they can show something else.
"""

from __future__ import annotations

import pytest

from integration.proof.director import Director
from integration.proof.plans import Deed, Plan
from integration.proof.promises import kept
from integration.proof.scenarios import SCENARIOS


def play(name: str, *deeds: Deed) -> None:
    (scenario,) = [one for one in SCENARIOS if one.name == name]
    director = Director(scenario, Plan(deeds))
    director.unburied = frozenset()
    director.play()
    kept(director)


@pytest.mark.xfail(strict=True, reason="burial does not take the event's role in its flight")
def test_an_event_of_a_flight_that_was_buried_is_not_worked_when_it_comes_again() -> None:
    play("ward", Deed(0, "give-up", 1), Deed(9, "again", 1))


@pytest.mark.xfail(strict=True, reason="a buried event of a flight was never admitted to it")
def test_a_buried_event_of_a_flight_is_admitted_to_it_when_it_is_redriven() -> None:
    play("broken flight", Deed(23, "give-up"), Deed(0, "early"), Deed(0, "redrive"))
