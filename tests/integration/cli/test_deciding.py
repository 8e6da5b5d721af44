"""`approve`, `freeze`, `break-glass` and `dlq`: what is left to a person."""

from __future__ import annotations

import os
import pwd
import time
from pathlib import Path
from typing import Any

import pytest

from integration.cli.project import Project, ask

GCP = "gcp/us-central1"
"""Where both workloads run; drains of `search` are proposed, those of `chat` are not."""


def test_a_proposal_is_shown_with_what_else_there_was(project: Project) -> None:
    chain = project.chain(GCP)
    result = project.cw("approve", chain, code=2)
    assert "drain gcp/us-central1 of search because 40% fail, more than 20%" in result.stdout
    assert "approval is required" in result.stdout
    assert "drain all" in result.stdout
    assert "more than is needed" in result.stdout
    assert "then give --yes" in result.stderr


def test_what_is_approved_is_done_at_once(project: Project) -> None:
    chain = project.chain(GCP)
    answer = project.json("approve", chain[:10], "--yes", "--reason", "seen", "--wait", "1s")
    assert [one["outcome"] for one in answer["answers"]] == ["granted"]
    assert answer["stands"]["outcome"] == "completed"
    assert "search" in Path("drained.json").read_text()
    assert "granted by" in project.cw("trace", chain).stdout


def test_who_approves_is_the_user_of_this_machine_and_nobody_else(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("USER", "LOGNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "somebody-else")
    answer = project.json("approve", project.chain(GCP), "--yes")
    assert answer["answers"][0]["by"].partition("@")[0] == pwd.getpwuid(os.getuid()).pw_name


def test_what_is_rejected_is_not_done_and_says_why(project: Project) -> None:
    chain = project.chain(GCP)
    answer = project.json("approve", chain, "--reject", "--yes", "--reason", "the sale")
    assert [one["outcome"] for one in answer["answers"]] == ["rejected"]
    assert answer["stands"]["outcome"] == "refused"
    assert "search" not in Path("drained.json").read_text()
    assert "the sale" in project.cw("trace", chain).stdout


def test_a_proposal_is_answered_once(project: Project) -> None:
    chain = project.chain(GCP)
    project.cw("approve", chain, "--yes")
    assert "nothing waits" in project.cw("approve", chain, "--yes", code=3).stderr


def test_a_proposal_that_has_expired_cannot_be_approved(project: Project) -> None:
    Path("quick.py").write_text(
        "from policy import app\nfrom crosswind.engine.settings import Settings\n"
        "app.settings = Settings(approval=0.2)\n"
    )
    report = project.publish(GCP, "--app", "quick:app")
    chain = report["chains"][0]["chain"]
    time.sleep(0.3)
    late = project.cw("approve", chain, "--yes", "--app", "quick:app", code=1)
    assert "it had its answer before: expired" in late.stderr


def test_one_of_several_proposals_has_to_be_named(project: Project) -> None:
    fleet = Path("fleet.yaml")
    fleet.write_text(fleet.read_text().replace("default: act", "default: propose"))
    chain = project.chain(GCP)
    refused = project.cw("approve", chain, "--yes", code=2).stderr
    assert "2 proposals wait" in refused
    approval = next(word for word in refused.split() if word.count("-") == 4)
    both = project.cw("approve", chain, approval, "--all", "--yes", code=2).stderr
    assert "not both" in both
    project.cw("approve", chain, approval[:8], "--yes")
    project.cw("approve", chain, "--yes")
    assert "no approval ffff" in project.cw("approve", project.chain(GCP), "ffff", code=3).stderr


def test_an_answer_may_be_left_to_a_worker(project: Project) -> None:
    chain = project.chain(GCP)
    answer = project.json("approve", chain, "--yes", "--no-work")
    assert answer["stands"]["waits"] == (
        "policy:drain: drain.start was granted and is to be worked"
    )
    project.cw("run", "--until-idle", "--wait", "1s")
    assert project.json("chains")[0]["outcome"] == "completed"


def test_everything_that_waits_can_be_answered_at_once(project: Project) -> None:
    fleet = Path("fleet.yaml")
    fleet.write_text(fleet.read_text().replace("default: act", "default: propose"))
    chain = project.chain(GCP)
    answer = project.json("approve", chain, "--all", "--yes", "--wait", "1s")
    assert [one["outcome"] for one in answer["answers"]] == ["granted", "granted"]
    assert answer["stands"]["outcome"] == "completed"


def test_on_a_terminal_the_person_is_asked(project: Project) -> None:
    chain = project.chain(GCP)
    assert ask(["approve", chain], "n\n") == 1
    assert project.json("chains", "--open")[0]["waits"] == "approval of drain.start"
    assert ask(["approve", chain, "--wait", "1s"], "y\n") == 0
    assert project.json("chains")[0]["outcome"] == "completed"


def test_nothing_is_approved_or_frozen_where_no_fleet_is_declared(project: Project) -> None:
    chain = project.chain(GCP)
    Path("fleet.yaml").unlink()
    for command in (
        ["approve", chain, "--yes"],
        ["freeze", "--reason", "x"],
        ["break-glass", "--reason", "x", "--for", "1m"],
    ):
        assert "no fleet is declared here" in project.cw(*command, code=2).stderr


def test_a_freeze_stops_every_action_until_it_ends(project: Project) -> None:
    project.cw("freeze", "--reason", "the grid is unsure", "--for", "1h")
    assert "freeze by" in project.cw("fleet", "show").stdout
    report = project.publish("aws/us-east-1")
    assert "frozen by" in report["chains"][0]["waits"]
    assert not Path("drained.json").exists()
    assert "is over (the grid is unsure)" in project.cw("freeze", "--end").stdout
    assert "there was no freeze" in project.cw("freeze", "--end").stdout
    project.publish("azure/westeurope")
    assert project.json("fleet", "show")["brakes"]["freeze"] is None


def test_a_freeze_of_one_workload_leaves_the_others(project: Project) -> None:
    project.cw("freeze", "--reason", "the sale", "--workload", "search")
    assert project.publish("aws/us-east-1", "--wait", "1s")["chains"][0]["state"] == "closed"
    refused = project.cw("freeze", "--reason", "x", "--workload", "sarch", code=2).stderr
    assert "it has: chat, search" in refused


def test_a_freeze_needs_a_reason(project: Project) -> None:
    assert "--reason" in project.cw("freeze", code=2).stderr


def test_broken_glass_lets_actions_pass_and_opens_an_incident(project: Project) -> None:
    project.cw("break-glass", "--reason", "approver unreachable", "--for", "15m")
    listed = project.json("chains")
    assert listed[0]["type"] == "dev.crosswind.incident.opened.v1"
    assert project.publish(GCP, "--wait", "1s")["chains"][0]["outcome"] == "completed"
    assert "search" in Path("drained.json").read_text()
    assert "do drain.start break-glass" in project.cw("trace").stdout
    project.cw("break-glass", "--end")
    assert project.json("fleet", "show")["brakes"]["break_glass"] is None


def test_broken_glass_needs_a_reason_and_an_end(project: Project) -> None:
    assert "--for" in project.cw("break-glass", "--reason", "x", code=2).stderr
    assert "--reason" in project.cw("break-glass", "--for", "1m", code=2).stderr
    too_long = project.cw("break-glass", "--reason", "x", "--for", "2d", code=2).stderr
    assert "at most a day" in too_long
    assert not Path(".crosswind").exists(), "no incident without broken glass"


def test_a_failed_run_is_listed_shown_and_tried_again(project: Project) -> None:
    Path("stuck").touch()
    report = project.publish("aws/us-east-1")
    assert report["chains"][0]["waits"] == "1 failed run(s), to be redriven"
    (letter,) = project.json("dlq", "list")
    assert letter["handler"] == "policy:drain"
    assert letter["error"] == "RuntimeError: the drain of aws/us-east-1 is stuck"
    shown = project.json("dlq", "show", letter["id"][:8])
    assert shown["event"]["data"]["workload"] == "chat"
    assert len(shown["attempts"]) == 1
    assert "is stuck" in project.cw("dlq", "list").stdout
    Path("stuck").unlink()
    project.cw("dlq", "redrive", letter["id"][:8], "--wait", "1s")
    assert project.json("chains")[0]["outcome"] == "completed"
    assert "redriven 1x" in project.cw("trace").stdout
    assert project.json("dlq", "list", code=3) == []


def test_a_parked_message_is_listed_and_can_be_published_again(project: Project) -> None:
    project.publish("aws/us-east-1")
    parked(project, b'{"specversion": "1.0", "id": "x"}')
    parked(project, event(project, hop=0), "early")
    letters = {one["message"]: one for one in project.json("dlq", "list")}
    assert "undecodable" in letters["m"]["error"]
    assert "its hop is 0" in letters["early"]["error"]
    refused = project.cw("dlq", "redrive", letters["m"]["id"], code=1).stderr
    assert "it would be parked again" in refused
    project.cw("dlq", "redrive", letters["early"]["id"][:10])
    again = {one["message"]: one for one in project.json("dlq", "list")}
    assert again["early"]["redriven"].startswith("1x, last by ")
    assert "parked" in project.cw("dlq", "list").stdout


def test_a_parked_message_that_nobody_needs_is_put_aside_and_kept(project: Project) -> None:
    project.publish("aws/us-east-1")
    parked(project, event(project, hop=0), "early")
    (letter,) = project.json("dlq", "list")
    asked = ("dlq", "discard", letter["id"][:10])
    assert "say why nobody needs it" in project.cw(*asked, "--yes", code=2).stderr
    assert "nobody can be asked here" in project.cw(*asked, "--reason", "old", code=2).stderr
    assert project.json("dlq", "list") == [letter]

    put_aside = project.json(*asked, "--reason", "of the old site", "--yes")

    assert put_aside["discarded"] == letter["id"]
    assert project.json("dlq", "list", code=3) == []
    (kept,) = project.json("dlq", "list", "--all")
    assert kept["discarded"] == f"by {put_aside['by']}: of the old site"
    assert "discarded" in project.cw("dlq", "list", "--all").stdout
    # It is not lost: who thinks better of it finds and redrives it.
    project.cw("dlq", "redrive", letter["id"][:10])
    again = {one["message"]: one for one in project.json("dlq", "list")}
    assert again["early"]["redriven"].startswith("1x, last by ")
    assert again["early"]["discarded"] is None


def test_a_failed_run_stays_in_its_chain_and_is_not_put_aside(project: Project) -> None:
    Path("stuck").touch()
    project.publish("aws/us-east-1")
    (letter,) = project.json("dlq", "list")
    refused = project.cw("dlq", "discard", letter["id"][:8], "--reason", "no", "--yes", code=1)
    assert "a part of chain" in refused.stderr
    assert project.json("dlq", "list") == [letter]


def parked(project: Project, body: bytes, message: str = "m") -> None:
    """Put a message on the bus that no chain can take, and let a worker meet it."""
    from crosswind.embedded.sqlite_bus import SqliteBus
    from crosswind.ports import Message

    with SqliteBus(Path(".crosswind/crosswind.sqlite")) as bus:
        attributes: dict[str, Any] = {"type": "dev.crosswind.region.unhealthy.v1"}
        bus.publish([Message(message, body, attributes)])
    project.cw("run", "--until-idle")


def event(project: Project, **extensions: Any) -> bytes:
    """A report of a region as JSON, with extensions."""
    import json
    from datetime import UTC, datetime

    document = json.loads(Path("event.json").read_text())
    return json.dumps({**document, "time": datetime.now(UTC).isoformat(), **extensions}).encode()


def test_a_dead_letter_that_is_not_there_is_said_so(project: Project) -> None:
    project.publish("aws/us-east-1")
    assert "dlq list" in project.cw("dlq", "show", "ffff", code=3).stderr
