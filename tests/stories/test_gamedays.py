"""A thousand simulated days of overlapping faults, with fixed seeds: no rule of safety is broken.

Every day is played on the real engine with the built-in chain, and every write of the register,
every call and every order is held against the rules. That takes about a minute of one core;
`CROSSWIND_GAMEDAYS=100` plays fewer of them.
"""

from __future__ import annotations

import os
from typing import Final

import pytest

from crosswind.drills import GameDay, Played, Season
from crosswind.fleet.declaration import Fleet
from stories.telling import declared
from unit.sim.fleets import trio

DAYS: Final = float(os.environ.get("CROSSWIND_GAMEDAYS", "1000"))
SEEDS: Final = range(1, 11)

ASKED = ("modes: {default: act}", "modes: {default: act, kinds: {register.accept: propose}}")


def played(
    fleet: Fleet, seed: int, days: float, intensity: float = 1.0, unanswered: float = 0.0
) -> Played:
    play = GameDay(fleet, seed, days, intensity, unanswered=unanswered).play()
    assert not play.broken, "\n".join(map(str, play.violations[:20]))
    return play


@pytest.mark.parametrize("seed", SEEDS)
def test_no_rule_is_broken_in_a_thousand_days(seed: int) -> None:
    play = played(trio(), seed, DAYS / len(SEEDS))
    assert play.checked > play.report.days  # it was no quiet time
    season = Season((play,))
    assert season.untouched.lost > season.steered.lost


@pytest.mark.parametrize("seed", [21, 22])
def test_no_rule_is_broken_where_people_are_asked_and_a_third_never_answers(seed: int) -> None:
    play = played(trio(*ASKED), seed, 5, intensity=4.0, unanswered=0.33)
    assert any(one.unanswered for one in play.proposals)


@pytest.mark.parametrize("seed", [31, 32])
def test_no_rule_is_broken_where_regions_hang_on_one_grid(seed: int) -> None:
    played(Fleet.model_validate(declared()), seed, 5, intensity=2.0)


def test_no_replicas_are_asked_for_in_a_region_that_another_chain_has_just_left() -> None:
    played(trio(), 7, 1, intensity=25.0)
