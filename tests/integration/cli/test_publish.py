"""`crosswind publish` and `crosswind run`: an event by hand, worked at once or by a worker."""

from __future__ import annotations

import json
from pathlib import Path

from integration.cli.project import UNHEALTHY, Project


def test_an_event_is_published_worked_and_told_of(project: Project) -> None:
    result = project.cw(
        "publish", "region.unhealthy", "--data-json", json.dumps(UNHEALTHY), "--wait", "1s"
    )
    assert "published dev.crosswind.region.unhealthy.v1" in result.stdout
    assert "judge committed -> com.example.drain.decided" in result.stdout
    assert "ended after" in result.stdout
    assert "completed" in result.stdout
    assert "crosswind trace" in result.stdout
    assert result.stderr == ""


def test_json_is_one_document_that_holds_everything(project: Project) -> None:
    report = project.publish("aws/us-east-1", "--wait", "1s")
    (chain,) = report["chains"]
    assert chain["state"] == "closed"
    assert chain["outcome"] == "completed"
    assert chain["target"] == "aws/us-east-1"
    handlers = [run["handler"] for line in report["worked"] for run in line["runs"]]
    assert handlers == [f"policy:{name}" for name in ("judge", "part", "drain", *["look"] * 3)]


def test_the_world_was_changed_once(project: Project) -> None:
    project.publish("aws/us-east-1", "--id", "1", "--source", "//a", "--wait", "1s")
    project.publish("aws/us-east-1", "--id", "1", "--source", "//a", "--wait", "1s")
    assert len(json.loads(Path("drained.json").read_text())) == 1


def test_the_data_may_come_from_a_file_and_from_standard_input(project: Project) -> None:
    project.cw("publish", "region.unhealthy", "unhealthy.json")
    project.cw("publish", "region.unhealthy", "-", given=json.dumps(UNHEALTHY))
    assert len(project.json("chains")) == 1, "both are about one region, so they join"


def test_data_that_does_not_fit_is_refused_with_every_fault(project: Project) -> None:
    bad = '{"region": "mars/base", "evidence": "rumour"}'
    result = project.cw("publish", "region.unhealthy", "--data-json", bad, code=2)
    for where in ("data.region", "data.evidence", "data.reason"):
        assert where in result.stderr
    assert not Path(".crosswind").exists(), "nothing was published, so nothing was made"


def test_data_that_is_no_json_is_refused(project: Project) -> None:
    result = project.cw("publish", "region.unhealthy", "--data-json", "{", code=2)
    assert "is no JSON" in result.stderr


def test_data_is_given_once(project: Project) -> None:
    result = project.cw(
        "publish", "region.unhealthy", "unhealthy.json", "--data-json", "{}", code=2
    )
    assert "not both" in result.stderr


def test_an_unknown_type_is_refused_with_those_that_are_alike(project: Project) -> None:
    result = project.cw("publish", "region.unhealty", code=2)
    assert "did you mean region.unhealthy" in result.stderr


def test_an_event_that_nobody_takes_is_refused_instead_of_lost(project: Project) -> None:
    data = '{"reason": "odd"}'
    result = project.cw("publish", "anomaly.detected", "--data-json", data, code=1)
    assert "no handler of app policy takes dev.crosswind.anomaly.detected.v1" in result.stderr
    assert "dev.crosswind.region.unhealthy.v1" in result.stderr


def test_the_users_own_types_are_known_by_any_of_their_names(project: Project) -> None:
    data = '{"region": "aws/us-east-1"}'
    for name in ("com.example.drain.due.v1", "com.example.drain.due", "DrainDue"):
        project.cw("publish", name, "--data-json", data)


def test_without_work_a_worker_does_it_later(project: Project) -> None:
    result = project.cw(
        "publish", "region.unhealthy", "--data-json", json.dumps(UNHEALTHY), "--no-work"
    )
    assert "crosswind run --until-idle" in result.stdout
    assert not Path("drained.json").exists()
    result = project.cw("run", "--until-idle", "--wait", "1s")
    assert "drain committed" in result.stdout
    assert "6 event(s) were worked" in result.stdout
    assert Path("drained.json").exists()


def test_the_log_of_a_worker_can_be_json_lines(project: Project) -> None:
    project.cw("publish", "region.unhealthy", "unhealthy.json", "--no-work")
    lines = project.lines("run", "--until-idle", "--wait", "1s")
    assert [line["type"] for line in lines][:2] == [
        "dev.crosswind.region.unhealthy.v1",
        "com.example.drain.decided.v1",
    ]
    assert {line["group"] for line in lines} == {"policy"}
    assert all(line["chain"] == lines[0]["chain"] for line in lines)


def test_a_group_that_does_not_exist_is_refused_with_those_that_do(project: Project) -> None:
    result = project.cw("run", "--until-idle", "--group", "polcy", code=2)
    assert "it has: policy" in result.stderr


def test_what_is_only_observed_changes_nothing_and_says_so(project: Project) -> None:
    fleet = Path("fleet.yaml")
    fleet.write_text(fleet.read_text().replace("default: act", "default: observe"))
    report = project.publish("aws/us-east-1", "--wait", "1s")
    assert report["chains"][0]["simulated"] is True
    assert not Path("drained.json").exists()


def test_hints_name_the_same_data_and_app_again(project: Project) -> None:
    result = project.cw(
        "publish", "region.unhealthy", "unhealthy.json", "--data", "kept here/a.sqlite"
    )
    assert "--data 'kept here/a.sqlite'" in result.stdout
    assert Path("kept here/a.sqlite").exists()
