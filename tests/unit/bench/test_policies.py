"""Policies are compared on the same faults, and their scores are what the outcomes say."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.policies import figures
from bench.policies.__main__ import main
from bench.policies.candidates import AS_IT_COMES, CANDIDATES, PEERS, SETTINGS
from bench.policies.fleet import PLACES, fleet
from bench.policies.kept import Shelf
from bench.policies.mix import DUE, HARMLESS, MIX, Incident, harmless, outage
from bench.policies.pages import BEGINS, ENDS, curve, summary, tables, written
from bench.policies.picture import picture
from bench.policies.plays import Outcome, play
from bench.policies.scores import Score, quantile
from bench.policies.season import season

GROUND = fleet()


def incident_of(kind: str) -> Incident:
    """The first incident of a kind."""
    draw = outage if kind in {one.name for one in DUE} else harmless
    return next(one for number in range(1000) if (one := draw(number, GROUND)).trouble.name == kind)


# -- what goes wrong ------------------------------------------------------------------------------


def test_the_same_number_is_the_same_incident() -> None:
    assert outage(7, GROUND) == outage(7, GROUND)
    assert outage(7, GROUND).faults != outage(8, GROUND).faults


def test_kinds_of_outages_come_as_often_as_they_happen() -> None:
    many = 4000
    seen = Counter(outage(number, GROUND).trouble.name for number in range(many))
    of_all = sum(trouble.a_year for trouble in DUE)
    for trouble in DUE:
        assert seen[trouble.name] / many == pytest.approx(trouble.a_year / of_all, abs=0.03)


def test_of_what_is_harmless_each_kind_is_played_as_often() -> None:
    many = 3 * len(HARMLESS)
    seen = Counter(harmless(number, GROUND).trouble.name for number in range(many))
    assert set(seen.values()) == {3}


def test_an_outage_lasts_long_enough_to_be_left_and_a_blip_does_not() -> None:
    for number in range(300):
        due = outage(number, GROUND)
        assert due.regions
        assert 300 <= due.ends - due.begins <= 3600
        other = harmless(number, GROUND)
        assert not other.regions
        if other.trouble.name.startswith("blip"):
            assert 5 <= other.ends - other.begins <= 60


def test_a_fleet_does_not_see_what_befalls_observers_of_others() -> None:
    incidents = [harmless(number, GROUND) for number in range(200)]
    for incident in incidents:
        everybody = fleet(vantages=len(PLACES))
        assert incident.seen_by(everybody) == incident.faults
        assert {one.vantage for one in incident.seen_by(GROUND)} <= {None, *PLACES[:2]}


# -- one incident under several policies ----------------------------------------------------------


def test_every_setting_is_a_fleet_and_differs_from_the_one_as_it_comes() -> None:
    ours = SETTINGS[0].fleet
    assert ours.failover == type(ours.failover)()  # nothing of the policy is set
    for setting in SETTINGS[1:]:
        assert setting.fleet.digest != ours.digest, setting.name


@pytest.mark.parametrize("name", [AS_IT_COMES, *(peer.name for peer in PEERS)])
def test_a_region_that_is_dead_is_left_under_each_policy_on_the_same_faults(name: str) -> None:
    incident = incident_of("outage")
    came = play(CANDIDATES[name], incident)
    assert came.answered
    assert came.evidence is not None
    assert came.detected is not None
    assert came.cleared is not None
    assert came.evidence <= came.detected <= came.cleared
    assert came.lost < came.untouched
    # Whoever steers: had nobody done anything, as much would have been lost.
    nobody = play(PEERS[-1], incident)
    assert came.untouched == pytest.approx(nobody.untouched, rel=0.02)


def test_one_observer_that_is_wrong_moves_nobody_as_it_comes() -> None:
    came = play(SETTINGS[0], incident_of("one observer's way to the region"))
    assert (came.wrong, came.departures, came.moved) == (0, 0, None)


def test_a_failover_for_nothing_is_counted_as_wrong() -> None:
    came = play(PEERS[0], incident_of("the check itself is broken"))
    assert came.wrong >= 1
    assert not came.due


# -- scores ---------------------------------------------------------------------------------------


def outcome(kind: str, **more: object) -> Outcome:
    """An outage of ten minutes that was answered, or what is said of it."""
    due = kind in {one.name for one in DUE}
    known = Outcome(
        kind=kind,
        due=due,
        lasted=600.0,
        evidence=10.0 if due else None,
        detected=20.0 if due else None,
        moved=30.0 if due else None,
        cleared=110.0 if due else None,
        departures=1 if due else 0,
        wrong=0,
        lost=0.5,
        broken=2.0,
        untouched=2.0,
        usd=0.25,
    )
    return dataclasses.replace(known, **more)  # type: ignore[arg-type]  # of each test


def test_quantiles_are_those_of_what_is_there() -> None:
    assert quantile([3.0, None, 1.0, 2.0], 0.5) == 2.0
    assert quantile([0.0, 10.0], 0.95) == pytest.approx(9.5)
    assert quantile([None], 0.5) is None


def test_times_are_of_the_outages_that_were_answered_and_the_others_are_missed() -> None:
    missed = outcome("slow", detected=None, moved=None, cleared=None, departures=0, lost=2.0)
    late = outcome("slow", detected=590.0, moved=700.0, cleared=800.0, departures=0, wrong=1)
    score = Score("ours", (outcome("outage"), outcome("outage", cleared=130.0), missed, late))
    assert score.missed == 0.5
    assert score.recovery(0.5) == 120.0
    assert score.response(0.5) == 110.0
    assert score.noticed(1.0) == 20.0
    assert score.lost == pytest.approx((0.5 + 0.5 + 2.0 + 0.5) / 4)
    assert score.false.a_year == pytest.approx(0.25 * sum(trouble.a_year for trouble in DUE))


def test_false_failovers_a_year_follow_from_the_rates_of_the_mix() -> None:
    rates = {trouble.name: trouble.a_year for trouble in MIX}
    blip, way = "blip: nothing answers", "one observer's way to the region"
    score = Score(
        "ours",
        (outcome(blip, wrong=1), outcome(blip), outcome(way, wrong=2), outcome(way), outcome(way)),
    )
    assert score.blips.a_year == pytest.approx(rates[blip] / 2)
    assert score.nothing.a_year == pytest.approx(rates[way] * 2 / 3)
    assert score.false.a_year == pytest.approx(rates[blip] / 2 + rates[way] * 2 / 3)
    # The variance of 1, 0 is 1/4, that of 2, 0, 0 is 8/9; each by the number of incidents.
    blips, ways = rates[blip] ** 2 / 4 / 2, rates[way] ** 2 * 8 / 9 / 3
    assert score.false.error == pytest.approx((blips + ways) ** 0.5)
    assert score.left(blip) == 0.5
    assert score.left("outage") is None


def test_a_region_left_again_for_the_same_outage_is_told() -> None:
    score = Score("ours", (outcome("flapping", departures=4), outcome("outage")))
    assert score.again == 1.5


# -- what is printed, drawn and kept --------------------------------------------------------------

SHOWN = [
    Score("quick", (outcome("outage", detected=5.0), outcome("blip: slow", wrong=1))),
    Score("slow & sure", (outcome("outage", detected=200.0), outcome("blip: slow"))),
]


def test_each_policy_has_a_row_and_each_kind_of_incident_too() -> None:
    page = list(tables(SHOWN))
    for table in "\n".join(page).split("\n\n"):
        assert len({line.count("|") for line in table.splitlines()}) == 1  # as wide as its head
    assert any(line.startswith("| a | quick | 1 | 5 / 5 | 110 / 110 / 110 |") for line in page)
    assert any(line.startswith("| a | quick, from the first evidence | 100 |") for line in page)
    assert all(any(trouble.name in line for line in page) for trouble in MIX)


def test_it_is_said_how_much_was_played_and_how_long_that_took() -> None:
    more = Score("more", (*SHOWN[0].outcomes, outcome("outage"), outcome("outage")))
    assert summary([*SHOWN, more], 150.0, 2) == (
        "Played: 3 outages and 1 harmless incidents under each of 1 policies; 1 outages and 1 "
        "harmless incidents under each of 2 policies, in 2 min on 2 processes."
    )
    assert summary(SHOWN, None, 2).endswith("under each of 2 policies.")


def test_the_tables_are_written_between_the_marks_of_a_page() -> None:
    page = f"before\n{BEGINS}\nold\n{ENDS}\nafter\n"
    assert written(page, ["new"]) == f"before\n{BEGINS}\nnew\n{ENDS}\nafter\n"
    with pytest.raises(ValueError, match="put both where they go"):
        written(f"{ENDS}{BEGINS}", ["new"])


def test_the_curve_has_who_is_quick_and_wrong_above_who_is_slow_and_sure() -> None:
    drawn = [line.partition("|")[2] for line in curve(SHOWN) if "|" in line]
    quick = next((row, line.index("a")) for row, line in enumerate(drawn) if "a" in line)
    sure = next((row, line.index("b")) for row, line in enumerate(drawn) if "b" in line)
    assert quick[0] < sure[0]
    assert quick[1] < sure[1]


def test_the_picture_is_well_formed_and_names_every_policy() -> None:
    root = ET.fromstring(picture(SHOWN))
    said = " ".join(root.itertext())
    assert root.tag.endswith("svg")
    assert "quick" in said
    assert "slow & sure" in said


def test_there_is_no_picture_of_policies_that_noticed_nothing() -> None:
    blind = Score("blind", (outcome("outage", detected=None, moved=None, cleared=None),))
    with pytest.raises(ValueError, match="play more"):
        picture([blind])
    assert list(curve([blind])) == []


def test_outcomes_are_kept_and_found_again_for_as_many_incidents(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "kept")
    shelf.put(SHOWN[1])
    assert shelf.get("slow & sure", 2, 1) is None
    assert not shelf.used
    assert shelf.get("slow & sure", 1, 1) == SHOWN[1]
    assert shelf.used
    assert shelf.get("quick", 1, 1) is None
    assert Shelf(None).get("quick", 1, 1) is None


# -- the whole of it ------------------------------------------------------------------------------


def test_the_figures_are_made_of_outages_really_played(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    peer = PEERS[-2]
    monkeypatch.setattr(figures, "BRIEF", (AS_IT_COMES, peer.name))
    monkeypatch.setattr(figures, "PEERS", (peer,))
    made = list(figures.policies(3))
    assert [one.figure for one in made] == [
        f"{what}, by {peer.name}" for what in ("recovery", "users' minutes lost", "false failovers")
    ]
    for one in made:
        assert json.loads(one.line())["ratio"] == round(one.ours / one.peer, 4)
        assert one.rounds == 3
    assert AS_IT_COMES in capsys.readouterr().err


def test_a_season_on_other_processes_is_the_same_as_here() -> None:
    name = PEERS[-1].name
    (score,) = season([name], 2, 1, jobs=1)
    here = [outage(0, GROUND), outage(1, GROUND), harmless(0, GROUND)]
    assert score.outcomes == tuple(play(CANDIDATES[name], incident) for incident in here)
    assert score.as_json()["outages"] == 2


def test_the_command_writes_tables_numbers_and_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page, svg, numbers = (tmp_path / name for name in ("page.md", "curve.svg", "all.json"))
    page.write_text(f"# A page\n{BEGINS}\n{ENDS}\n", encoding="utf-8")
    arguments = (
        f"alarm --outages 2 --harmless 1 --jobs 1 --page {page} --svg {svg} --json {numbers}"
    )
    monkeypatch.setattr("sys.argv", ["bench.policies", *arguments.split(), "--keep", str(tmp_path)])
    assert main() == 0
    said = page.read_text(encoding="utf-8")
    assert "Played: 2 outages and 1 harmless incidents under each of 2 policies" in said
    assert "| a | alarm, 1 of 1 over 60 s |" in capsys.readouterr().out
    assert ET.fromstring(svg.read_text(encoding="utf-8")).tag.endswith("svg")
    rows = [json.loads(line) for line in numbers.read_text(encoding="utf-8").splitlines()]
    assert [row["policy"] for row in rows] == [peer.name for peer in PEERS if "alarm" in peer.name]
