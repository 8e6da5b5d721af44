"""Days of random faults under one seed, many of them together, and two policies side by side."""

from __future__ import annotations

import json
import pickle
from functools import cache

import pytest

from crosswind.drills import Comparison, GameDay, Played, Season
from crosswind.drills.pages import comparison_page, season_page
from crosswind.errors import DeclarationError
from crosswind.sim import Fault, Faults, Violation
from unit.sim.fleets import A, trio

ACT = "modes: {default: act}"
OBSERVED = trio(ACT, "modes: {default: observe}")
ASKED = trio(ACT, "modes: {default: act, kinds: {register.accept: propose}}")
OUTAGE = Faults([Fault("outage", 3600, 7200, region=A)])


@cache
def play(seed: int = 5) -> Played:
    return GameDay(trio(), seed, 2, intensity=3).play()


def test_the_same_seed_leads_to_the_same() -> None:
    assert GameDay(trio(), 5, 2, intensity=3).play().as_json() == play().as_json()
    assert play(6).as_json() != play().as_json()


def test_its_faults_lead_to_the_same() -> None:
    faults = Faults.from_json(play().faults.to_json())
    again = GameDay(trio(), 5, 2, intensity=99, faults=faults).play()
    assert again.as_json() == play().as_json()


def test_it_says_how_far_it_has_come() -> None:
    told: list[float] = []
    GameDay(trio(), 1, 0.25, faults=Faults()).play(told.append)
    assert told[-1] == 0.25
    assert told == sorted(told)


def test_it_goes_to_another_process_and_back() -> None:
    game = pickle.loads(pickle.dumps(GameDay(trio(), 5, 0.25, faults=OUTAGE)))
    played = game.play()
    assert pickle.loads(pickle.dumps(played)).as_json() == played.as_json()


def test_proposals_that_nobody_answers_are_counted() -> None:
    played = GameDay(ASKED, 1, 0.5, faults=OUTAGE, unanswered=1.0).play()
    assert played.proposals
    season = Season((played,))
    assert season.unanswered == season.proposals
    assert season.missed == 1
    assert any("not answered" in line for line in season_page(season, "asked"))


@pytest.mark.parametrize(
    "wrong", [{"days": 0}, {"days": 20_000}, {"intensity": -1}, {"unanswered": 2}]
)
def test_what_cannot_be_played_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(DeclarationError):
        GameDay(trio(), **wrong)  # type: ignore[arg-type]  # a seed is none of them


def test_a_season_adds_its_game_days_up() -> None:
    season = Season((play(5), play(6)))
    assert season.days == 4
    assert season.checked == play(5).checked + play(6).checked
    assert season.failovers == sum(len(one.report.failovers) for one in season.plays)
    assert season.total.failed == pytest.approx(
        play(5).report.total().failed + play(6).report.total().failed
    )
    saved = play(5).report.saved.lost + play(6).report.saved.lost
    assert season.untouched.lost - season.steered.lost == pytest.approx(saved)
    assert season.detection.count <= len(season.seen)
    assert json.loads(json.dumps(season.as_json()))["seeds"] == [5, 6]


def test_a_broken_rule_is_told_first_with_its_seed() -> None:
    from dataclasses import replace

    broken = replace(play(), broken=1, violations=(Violation(86_400, "floor", "chat", "too few"),))
    lines = list(season_page(Season((broken,)), "main"))
    assert "**1 time(s) a rule of safety was broken**" in lines[4]
    assert "| 5 | 1.000 | floor | chat | too few |" in lines


def test_two_policies_are_compared_seed_by_seed() -> None:
    here = Season(tuple(GameDay(trio(), seed, 0.5, faults=OUTAGE).play() for seed in (1, 2)))
    there = Season(tuple(GameDay(OBSERVED, seed, 0.5, faults=OUTAGE).play() for seed in (1, 2)))
    found = Comparison("acts", here, "observes", there)
    assert found.lost == (0, 0, 2)
    numbers = {one.name: one for one in found.measures}
    assert numbers["outages missed"][2:] == (0, 2)
    assert numbers["recovery, median"].there is None
    assert numbers["recovery, median"].difference is None
    lost = numbers["user minutes lost"].difference
    assert lost is not None
    assert lost > 10
    lines = list(comparison_page(found))
    assert "| outages missed | 0 | 2 | +2 |" in lines
    assert "- minutes that users lost: observes is better in 0 seed(s), alike in 0, worse in 2" in (
        lines
    )
