"""`signal`, `graph`, `events` and `fleet`: what comes in, what may be said, what is declared."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from integration.cli.project import Project

SIGNALS = Path(__file__).parents[2] / "fixtures" / "signals"


def test_a_notification_is_shown_as_the_events_it_means(project: Project) -> None:
    found = project.json("signal", "alarm.json", "--cloud", "aws", "--dry-run")
    (event,) = found["events"]
    assert event["type"] == "dev.crosswind.region.unhealthy.v1"
    assert event["data"]["evidence"] == "alarm"
    assert (
        "region.unhealthy"
        in project.cw("signal", "alarm.json", "--cloud", "aws", "--dry-run").stdout
    )
    assert not Path(".crosswind").exists()


def test_a_notification_is_published_and_worked(project: Project) -> None:
    found = project.json("signal", "alarm.json", "--cloud", "aws", "--now", "--wait", "1s")
    assert found["chains"][0]["target"] == "aws/us-east-1"
    assert found["chains"][0]["outcome"] == "completed"


def test_the_same_notification_again_is_a_duplicate(project: Project) -> None:
    for _ in range(2):
        project.cw("signal", "alarm.json", "--cloud", "aws", "--now", "--wait", "1s")
    assert len(project.json("chains")) == 1


def test_a_notification_that_is_too_old_is_worked_as_if_it_had_come_now(project: Project) -> None:
    told = project.cw("signal", "alarm.json", "--cloud", "aws")
    assert "it is published as if it had come now" in told.stderr
    assert "region.unhealthy" in told.stdout


def test_what_says_nothing_about_a_region_is_ignored_with_the_reason(project: Project) -> None:
    budget = str(SIGNALS / "aws" / "budget-sns-sqs.json")
    result = project.cw("signal", budget, "--cloud", "aws", "--dry-run", code=3)
    assert "ignored" in result.stderr
    assert result.stdout == ""


def test_what_cannot_be_read_is_refused_with_its_faults(project: Project) -> None:
    result = project.cw("signal", "-", "--cloud", "gcp", code=1, given=b"{]")
    assert "rejected" in result.stderr
    found = project.json("signal", "-", "--cloud", "azure", code=1, given=b"{]")
    assert found["other"][0]["outcome"] == "rejected"


def test_attributes_may_stand_beside_the_body(project: Project) -> None:
    refused = project.cw("signal", "alarm.json", "--cloud", "aws", "--attribute", "x", code=2)
    assert "NAME=VALUE" in refused.stderr


def test_a_graph_is_written_as_text_as_a_picture_and_as_data(project: Project) -> None:
    text = project.cw("graph").stdout
    assert text.startswith("flowchart TD\n")
    assert '(["region.unhealthy"]):::entry' in text
    project.cw("graph", "-o", "chains.svg")
    picture = ElementTree.parse("chains.svg").getroot()
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert "judge" in Path("chains.svg").read_text()
    ways = {edge["way"] for edge in project.json("graph")["edges"]}
    assert ways == {"takes", "next", "later", "branch"}
    assert "--format" in project.cw("graph", "-o", "chains.png", code=2).stderr


def test_event_types_are_listed_with_who_takes_them(project: Project) -> None:
    listed = {one["type"]: one for one in project.json("events", "list")}
    assert listed["dev.crosswind.region.unhealthy.v1"]["taken_by"] == ["policy:judge"]
    assert listed["com.example.drain.done.v1"]["ends"] == "completed"
    assert "An observer found a region" in project.cw("events", "list").stdout


def test_the_schema_of_a_type_is_json_schema(project: Project) -> None:
    schema = json.loads(project.cw("events", "schema", "region.unhealthy").stdout)
    assert schema["title"] == "dev.crosswind.region.unhealthy.v1"
    assert set(schema["required"]) == {"region", "evidence", "reason"}


def test_an_event_is_valid_or_every_fault_is_named(project: Project) -> None:
    assert (
        "valid dev.crosswind.region.unhealthy.v1 1"
        in project.cw("events", "validate", "event.json").stdout
    )
    bad = json.loads(Path("event.json").read_text()) | {"time": "noon", "data": {}}
    (result,) = project.json("events", "validate", "-", code=1, given=json.dumps(bad))
    assert {fault["where"] for fault in result["faults"]} >= {"time", "data.region"}


def test_in_a_batch_only_the_bad_record_is_invalid(project: Project) -> None:
    good = json.loads(Path("event.json").read_text())
    batch = json.dumps([good, {}, {**good, "type": "com.example.unknown"}])
    results = project.json("events", "validate", "-", code=1, given=batch)
    assert [result["valid"] for result in results] == [True, False, True]
    assert [result.get("known") for result in results] == [True, None, False]


def test_a_fleet_is_shown_beside_what_is_intended(project: Project) -> None:
    shown = project.cw("fleet", "show").stdout
    assert "fleet example (fleet.yaml)" in shown
    assert "aws/us-east-1" in shown
    state = project.json("fleet", "show")
    assert state["workloads"]["chat"]["intended"]["weights"] == {
        "aws/us-east-1": 0.5,
        "gcp/us-central1": 0.5,
    }
    assert state["regions"]["aws/us-east-1"]["state"] == "serving"


def test_a_fleet_is_valid_or_every_fault_is_named_with_its_line(project: Project) -> None:
    assert "valid: fleet example" in project.cw("fleet", "validate", "fleet.yaml").stdout
    Path("bad.yaml").write_text("name: x\nregions: {}\nworkload: {}\n")
    shown = project.cw("fleet", "validate", "bad.yaml", code=1).stdout
    assert "bad.yaml:2" in shown
    assert "bad.yaml:3" in shown
    assert len(project.json("fleet", "validate", "bad.yaml", code=1)["faults"]) == 2


def test_an_invalid_fleet_is_bad_input_to_every_other_command(project: Project) -> None:
    Path("fleet.yaml").write_text("name: x\n")
    assert "fleet.yaml" in project.cw("fleet", "show", code=2).stderr
