"""`crosswind incident`: what is open, the review of it, and closing it by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integration.cli.project import Project

FLEET = """
name: main
regions:
  aws/us-east-1: {jurisdiction: US}
  gcp/us-central1: {jurisdiction: US}
workloads:
  chat:
    rate: 60
    per_replica: 20
    regions:
      aws/us-east-1: {weight: 1, replicas: 3, quota: 4}
modes: {default: MODE}
"""

PERFORMERS = """
from crosswind.cli.demonstration import DeclaredWorld
from crosswind.fleet.load import load_fleet

performers = [DeclaredWorld(load_fleet("fleet.yaml"))]
"""

REGION = "aws/us-east-1"


@pytest.fixture
def lonely(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with the built-in chain, and a workload that is in one region only."""
    monkeypatch.delenv("CROSSWIND_APP")
    monkeypatch.setenv("CROSSWIND_PERFORMERS", "declared:performers")
    Path("declared.py").write_text(PERFORMERS)
    Path("fleet.yaml").write_text(FLEET.replace("MODE", "act"))
    return project


def test_what_is_open_is_listed_and_leads_to_its_review(lonely: Project) -> None:
    lonely.publish()
    result = lonely.cw("incident", "list")
    for words in ("open", "critical", REGION, "is not left by all", "crosswind incident show"):
        assert words in result.stdout, words
    (listed,) = lonely.json("incident", "list", "--open", "--region", REGION)
    assert listed["state"] == "open"
    assert listed["incident"] == f"region:{REGION}"
    assert listed["times"] == 1


def test_people_were_told_how_to_read_it(lonely: Project) -> None:
    result = lonely.cw(
        "publish",
        "region.unhealthy",
        "--data-json",
        json.dumps({"region": REGION, "evidence": "operator", "reason": "no answers"}),
    )
    assert f"crosswind incident show region:{REGION}" in result.stderr


def test_a_review_is_printed_as_markdown(lonely: Project) -> None:
    lonely.publish()
    (listed,) = lonely.json("incident", "list")
    for given in (listed["id"][:8], REGION, f"region:{REGION}"):
        shown = lonely.cw("incident", "show", given).stdout
        assert shown.startswith(f"# {REGION} fails and is not left by all\n")
        assert "## What to improve" in shown
        assert "no safe plan: chat is declared in no region but those that are left" in shown


def test_a_review_for_programs_holds_the_facts(lonely: Project) -> None:
    lonely.publish()
    document = lonely.json("incident", "show", REGION)
    assert document["severity"] == "critical"
    assert [seen["kind"] for seen in document["seen"]] == ["operator"]
    assert document["decided"][-1]["ends"] == "no-safe-plan"
    assert document["took"][0]["parts"]


def test_a_person_closes_it_and_the_review_says_who_and_how(lonely: Project) -> None:
    lonely.publish()
    lonely.cw("incident", "resolve", REGION, "--reason", "a second region was added")
    assert lonely.json("incident", "list", "--open", code=3) == []
    shown = lonely.cw("incident", "show", REGION).stdout
    assert ": a second region was added" in shown
    assert "**Resolved**" in shown


def test_it_is_closed_once_and_with_a_reason(lonely: Project) -> None:
    lonely.publish()
    assert "--reason" in lonely.cw("incident", "resolve", REGION, code=2).stderr
    lonely.cw("incident", "resolve", REGION, "--reason", "over")
    refused = lonely.cw("incident", "resolve", REGION, "--reason", "over", code=1)
    assert "is not open, it is resolved" in refused.stderr


def test_what_was_only_observed_is_marked_and_not_among_the_open(lonely: Project) -> None:
    Path("fleet.yaml").write_text(FLEET.replace("MODE", "observe"))
    lonely.publish()
    (listed,) = lonely.json("incident", "list")
    assert listed["state"] == "observed"
    assert lonely.json("incident", "list", "--open", code=3) == []
    assert "only observed" in lonely.cw("incident", "show", REGION).stdout


def test_what_is_not_there_is_said_so(lonely: Project) -> None:
    assert "nothing is recorded" in lonely.cw("incident", "list", code=3).stderr
    lonely.publish("gcp/us-central1")
    assert "no incident of the last 30 d" in lonely.cw("incident", "list", code=3).stderr
    missing = lonely.cw("incident", "show", "nope", code=3).stderr
    assert "crosswind incident list" in missing


def test_a_broken_glass_stays_open_until_a_person_has_looked(lonely: Project) -> None:
    lonely.cw("break-glass", "--for", "15m", "--reason", "approver unreachable")
    lonely.publish()
    lonely.cw("break-glass", "--end")
    (glass,) = [
        one for one in lonely.json("incident", "list") if one["incident"].startswith("break-")
    ]
    assert glass["state"] == "open"
    document = lonely.json("incident", "show", glass["id"])
    assert {done["mode"] for done in document["done"]} >= {"break-glass"}
