"""`crosswind signal --history` and `crosswind report --shadow`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integration.cli.project import Project
from unit.journal.month import BEGAN, EAST, alarm, rfc3339, written
from unit.journal.test_shadow_rehearsal import fails, is_well

FLEET = """
name: main
regions:
  aws/us-east-1: {jurisdiction: US, price: 1.2}
  gcp/us-central1: {jurisdiction: US, price: 1.1}
workloads:
  chat:
    rate: 60
    per_replica: 20
    regions:
      aws/us-east-1: {weight: 0.5, replicas: 2, quota: 6}
      gcp/us-central1: {weight: 0.5, replicas: 2, quota: 6}
modes: {default: act}
"""


@pytest.fixture
def past(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with the built-in chain, a fleet that acts, and a history of one outage."""
    monkeypatch.delenv("CROSSWIND_APP")
    monkeypatch.delenv("CROSSWIND_PERFORMERS")
    Path("fleet.yaml").write_text(FLEET)
    Path("march.jsonl").write_bytes(written([*fails(), *is_well()]))
    actual = {
        "region": EAST,
        "began": rfc3339(BEGAN - 30),
        "ended": rfc3339(BEGAN + 600),
        "acted": rfc3339(BEGAN + 540),
    }
    Path("actual.jsonl").write_text(json.dumps(actual))
    return project


def test_a_history_is_rehearsed_and_says_what_became_of_it(past: Project) -> None:
    result = past.cw("signal", "--history", "march.jsonl")
    for words in ("26 line(s)", "26 event(s) were worked", "crosswind report --shadow"):
        assert words in result.stdout, words
    assert result.stderr == ""


def test_nothing_is_touched_but_the_file_of_the_rehearsal(past: Project) -> None:
    past.cw("signal", "--history", "march.jsonl")
    assert [path.name for path in Path(".crosswind").iterdir()] == ["shadow.sqlite"]


def test_the_report_tells_what_would_have_been_done(past: Project) -> None:
    past.cw("signal", "--history", "march.jsonl")
    shown = past.cw("report", "--shadow").stdout
    assert shown.startswith("# What would have been done\n")
    assert "1 failover(s) would have been begun, 1 carried through" in shown
    assert "It cannot be compared" in shown


def test_the_report_holds_it_against_what_really_happened(past: Project) -> None:
    past.cw("signal", "--history", "march.jsonl")
    shown = past.cw("report", "--shadow", "--actual", "actual.jsonl").stdout
    assert "1 of 1 outage(s) were found" in shown
    document = past.json("report", "--shadow", "--actual", "actual.jsonl")
    (found,) = document["compared"]["true"]
    assert found["earlier"] > 300


def test_the_chains_of_a_rehearsal_can_be_looked_at_like_any_others(past: Project) -> None:
    past.cw("signal", "--history", "march.jsonl", "--into", "kept.sqlite")
    document = past.json("report", "--shadow", "--data", "kept.sqlite")
    chain = document["failovers"][0]["chain"]
    assert "failover.planned" in past.cw("trace", chain, "--data", "kept.sqlite").stdout


def test_a_rehearsal_takes_the_place_of_the_one_before(past: Project) -> None:
    for _ in range(2):
        past.cw("signal", "--history", "march.jsonl")
    assert past.json("report", "--shadow")["chains"] == past.json("report", "--shadow")["chains"]
    assert len(list(Path(".crosswind").iterdir())) == 1


def test_a_rehearsal_takes_the_place_of_nothing_else(past: Project) -> None:
    past.publish()
    real = ".crosswind/crosswind.sqlite"
    before = Path(real).read_bytes()
    refused = past.cw("signal", "--history", "march.jsonl", "--into", real, code=2)
    assert "holds what really happened" in refused.stderr
    Path("other.sqlite").write_bytes(before)
    refused = past.cw("signal", "--history", "march.jsonl", "--into", "other.sqlite", code=2)
    assert "holds something else than a rehearsal" in refused.stderr
    assert Path("other.sqlite").read_bytes() == before


def test_a_bad_line_is_told_with_its_number_and_the_rest_is_rehearsed(past: Project) -> None:
    with Path("march.jsonl").open("ab") as file:
        file.write(b'{"time": "2026-03-01T00:00:00Z", "cloud": "oracle", "payload": {}}\n')
    result = past.cw("signal", "--history", "march.jsonl", code=1)
    assert "line 27: cloud is 'oracle'; write one of aws, gcp, azure" in result.stderr
    assert "1 failover(s) would have been begun" in past.cw("report", "--shadow").stdout


def test_a_history_in_which_nothing_can_be_used_is_said_so_and_kept_nowhere(past: Project) -> None:
    Path("bad.jsonl").write_text("nonsense\n")
    assert "no line could be used" in past.cw("signal", "--history", "bad.jsonl", code=1).stderr
    Path("empty.jsonl").write_text("\n")
    assert "is empty" in past.cw("signal", "--history", "empty.jsonl", code=3).stderr
    assert not Path(".crosswind").exists()


def test_a_history_comes_from_standard_input_as_well(past: Project) -> None:
    document = past.json("signal", "--history", "-", given=Path("march.jsonl").read_bytes())
    assert document["file"] == "standard input"
    assert document["worked"] == 26


def test_a_history_says_itself_what_each_line_is(past: Project) -> None:
    refused = past.cw("signal", "--history", "march.jsonl", "--cloud", "aws", code=2)
    assert "each of its lines says what it is" in refused.stderr
    assert "give --history as well" in past.cw("signal", "--into", "x", code=2).stderr


def test_one_notification_still_needs_its_cloud(past: Project) -> None:
    assert "--cloud aws, gcp or azure" in past.cw("signal", "alarm.json", code=2).stderr
    assert "--history" in past.cw("signal", "--cloud", "aws", code=2).stderr


def test_a_file_of_outages_that_cannot_be_read_names_its_lines(past: Project) -> None:
    past.cw("signal", "--history", "march.jsonl")
    Path("actual.jsonl").write_text('{"region": "east"}\n')
    refused = past.cw("report", "--shadow", "--actual", "actual.jsonl", code=2)
    assert "line 1: region is 'east'" in refused.stderr


def test_a_fleet_that_is_observed_as_it_runs_is_reported_from_its_own_data(past: Project) -> None:
    Path("fleet.yaml").write_text(FLEET.replace("act", "observe"))
    past.publish()
    document = past.json("report", "--shadow")
    assert document["rehearsal"] is None
    assert document["chains"] == 1


def test_a_report_of_nothing_says_what_to_do(past: Project) -> None:
    assert "nothing is recorded" in past.cw("report", "--shadow", code=3).stderr
    assert "--shadow" in past.cw("report", code=2).stderr


def test_an_alarm_that_nobody_mapped_is_told_in_the_report(past: Project) -> None:
    Path("march.jsonl").write_bytes(written([alarm(EAST, "disk-full", BEGAN, True, BEGAN)]))
    past.cw("signal", "--history", "march.jsonl")
    assert (
        "alarms that no entry of the fleet maps: disk-full (1)"
        in past.cw("report", "--shadow").stdout
    )
