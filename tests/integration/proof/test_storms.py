"""Whatever happens, in whichever order, as often as it likes: every promise is kept.

`CROSSWIND_PROOF=deep` plays many thousands of plans for each scenario instead of a few dozen.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.proof.director import Director
from integration.proof.plans import SKEWS, Deed, Plan, examples, plans
from integration.proof.promises import kept
from integration.proof.scenarios import SCENARIOS, Scenario


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: str(one.name))
def test_a_storm(scenario: Scenario) -> None:
    @examples(usual=22)
    @given(plans(scenario.deeds))
    def storm(plan: Plan) -> None:
        director = Director(scenario, plan)
        director.play()
        kept(director)

    storm()


@examples(usual=20, deep=200)
@given(st.sampled_from(SCENARIOS), plans())
def test_the_same_plan_plays_out_the_same_way(scenario: Scenario, plan: Plan) -> None:
    """Otherwise a plan that was found would be of no use."""
    stories = []
    for _ in range(2):
        director = Director(scenario, plan)
        director.play()
        stories.append(director.lines)
    assert stories[0] == stories[1]


FOUND = {
    "a target was taken from a chain that had not begun, and its event was dropped": (
        "calm",
        Plan((Deed(8, "killed-after"),)),
    ),
    "an event that waits for its target was delivered again, and the worker crashed": (
        "queue",
        Plan((Deed(0, "again", 1),)),
    ),
    "an event waited in its own chain although it had joined another": (
        "queue",
        Plan(
            (Deed(29, "killed"), Deed(0, "stall", 1), Deed(0, "wait", 1), Deed(5, "killed-after"))
        ),
    ),
    "a run suspended again and died, and the resume event before was forgotten": (
        "broken",
        Plan((Deed(0, "mend"), Deed(8, "early", 1), Deed(5, "killed-after"))),
    ),
    "a waiting run was marked as settled under the hands of the one who resumed it": (
        "bad fan",
        Plan((Deed(16, "unanswered"), Deed(23, "wait"), Deed(6, "lost", times=3))),
    ),
    "two open chains held one target": (
        "ward",
        Plan((Deed(10, "throttled"), Deed(16, "stall"))),
    ),
    "an event was refused by one worker and admitted by another": (
        "taken back",
        Plan((Deed(3, "stall"), Deed(3, "killed"), Deed(0, "early"))),
    ),
    "an action was counted in two windows, and refused when it had been taken": (
        "braked",
        Plan((Deed(23, "lost"),), SKEWS[1]),
    ),
    "a chain was not listed because the store was busy": (
        "valves",
        Plan((Deed(13, "throttled"),)),
    ),
    "a deadline that the bus gave up was parked, and its chain stayed open": (
        "endless",
        Plan((Deed(10, "give-up"),)),
    ),
    "a chain was not listed because the bus gave its first event up": (
        "broken",
        Plan((Deed(0, "killed"), Deed(0, "give-up"))),
    ),
    "an event that the bus had given up was worked when it came again": (
        "ward",
        Plan((Deed(0, "give-up", 1), Deed(9, "again", 1))),
    ),
    "an event that the bus had given up was redriven, and worked without its target": (
        "broken flight",
        Plan((Deed(23, "give-up"), Deed(0, "early"), Deed(0, "redrive"))),
    ),
    "the timer of a chain that was redriven twice at once was said in two ways": (
        "broken flight",
        Plan(
            (
                Deed(0, "throttled", times=3),
                Deed(0, "give-up", 1),
                Deed(0, "wait", 4),
                Deed(0, "throttled"),
                Deed(8, "redrive"),
                Deed(15, "redrive"),
            )
        ),
    ),
}
"""The least plans that have broken a promise once, and what it was. They prove nothing more than
the storms do, but at once."""


@pytest.mark.parametrize(("name", "plan"), FOUND.values(), ids=FOUND)
def test_what_was_found_once_does_not_come_back(name: str, plan: Plan) -> None:
    (scenario,) = [one for one in SCENARIOS if one.name == name]
    director = Director(scenario, plan)
    director.play()
    kept(director)
