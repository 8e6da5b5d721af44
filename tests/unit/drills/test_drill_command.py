"""`crosswind drill`: exit codes, JSON, and what it leaves behind, which is nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from crosswind.cli.root import crosswind
from crosswind.drills import GameDay, Played
from unit.sim.fleets import TRIO


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CROSSWIND_APP", "CROSSWIND_FLEET", "CROSSWIND_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.yaml").write_text(TRIO)
    (tmp_path / "observe.yaml").write_text(TRIO.replace("default: act", "default: observe"))
    return tmp_path


def drill(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(crosswind, ["drill", *arguments])
    assert result.exit_code == code, result.output
    return result


def test_a_drill_records_nothing(folder: Path) -> None:
    before = sorted(folder.iterdir())
    drill("failover", "--region", "aws/us-east-1", "--for", "10m")
    assert sorted(folder.iterdir()) == before


def test_a_region_that_is_not_left_is_exit_code_1_and_a_word_of_advice(folder: Path) -> None:
    found = drill("failover", "--region", "aws/us-east-1", "--fleet", "observe.yaml", code=1)
    assert "--mode act" in found.stderr
    acted = ("--fleet", "observe.yaml", "--mode", "act")
    drill("failover", "--region", "aws/us-east-1", *acted)


def test_what_was_kept_plays_again(folder: Path) -> None:
    args = ("gameday", "--seed", "5", "--days", "1", "--intensity", "3", "--json")
    once = json.loads(drill(*args, "--keep", "faults.json").stdout)
    again = json.loads(drill(*args, "--faults", "faults.json").stdout)
    assert once == again


def test_several_processes_lead_to_what_one_does(folder: Path) -> None:
    args = ("gameday", "--seeds", "1..2", "--days", "0.5", "--json")
    assert drill(*args).stdout == drill(*args, "--jobs", "2").stdout


@pytest.mark.parametrize("seeds", ["5", "9..1", "a..b", "0..999999999"])
def test_what_are_no_seeds_is_refused(folder: Path, seeds: str) -> None:
    assert "1..100" in drill("gameday", "--seeds", seeds, code=2).stderr


def test_what_holds_no_faults_is_refused_with_every_reason(folder: Path) -> None:
    (folder / "faults.json").write_text('[{"kind": "flood", "begins": 1}]')
    told = drill("gameday", "--faults", "faults.json", code=2).stderr
    assert "faults.json holds no faults" in told
    assert "0.kind" in told
    assert "0.ends" in told


def interrupted_after(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person presses Ctrl-C while the seed after so many is played."""
    play = GameDay.play
    played: list[int] = []

    def played_until(game: GameDay, told: Any = None) -> Played:
        if len(played) == count:
            raise KeyboardInterrupt
        played.append(game.seed)
        return play(game, told)

    monkeypatch.setattr(GameDay, "play", played_until)


def test_what_is_interrupted_reports_on_the_seeds_that_were_played(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted_after(2, monkeypatch)
    result = drill("gameday", "--seeds", "1..5", "--days", "0.2", code=130)
    assert "interrupted: 2 of 5 seeds were played" in result.stderr
    assert "seeds 1 to 2" in result.stdout


def test_what_is_interrupted_before_anything_was_played_reports_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted_after(0, monkeypatch)
    assert "Aborted!" in drill("gameday", "--days", "0.2", code=1).output
