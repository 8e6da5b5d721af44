"""`chains`, `trace` and `replay`: reading back what happened."""

from __future__ import annotations

import json
from pathlib import Path

from integration.cli.project import Project


def test_chains_are_listed_newest_first(project: Project) -> None:
    first, second = project.chain("aws/us-east-1"), project.chain("gcp/us-central1")
    listed = project.json("chains")
    assert [chain["chain"] for chain in listed] == [second, first]
    shown = project.cw("chains").stdout
    assert shown.index(second[:8]) < shown.index(first[:8])
    assert "region.unhealthy" in shown


def test_only_open_chains_are_listed_where_only_they_are_wanted(project: Project) -> None:
    closed = project.publish("aws/us-east-1", "--wait", "1s")["chains"][0]["chain"]
    waiting = project.chain("gcp/us-central1")
    chains = {chain["chain"]: chain for chain in project.json("chains")}
    assert chains[closed]["outcome"] == "completed"
    assert chains[waiting]["waits"] == "approval of drain.start"
    assert [chain["chain"] for chain in project.json("chains", "--open")] == [waiting]


def test_only_the_newest_are_listed_and_that_is_said(project: Project) -> None:
    project.chain("aws/us-east-1")
    newest = project.chain("gcp/us-central1")
    result = project.cw("chains", "--limit", "1")
    assert newest[:8] in result.stdout
    assert "only the newest 1" in result.stderr
    assert [chain["chain"] for chain in project.json("chains", "--limit", "1")] == [newest]


def test_no_chain_is_an_answer_of_its_own(project: Project) -> None:
    assert "nothing is recorded" in project.cw("chains", code=3).stderr
    project.chain()
    assert project.json("chains", "--since", "0s", code=3) == []


def test_a_trace_shows_what_was_seen_decided_and_done(project: Project) -> None:
    project.publish("aws/us-east-1", "--wait", "1s")
    shown = project.cw("trace").stdout
    for words in (
        "ended after",
        "completed",
        "region aws/us-east-1, epoch 1",
        "read drain.error-rate (region aws/us-east-1) -> rate 0.4",
        "the least traffic moved",
        "more than is needed",
        "floor",
        "no answers",
        "do drain.start act, asked 1x",
        "-> region aws/us-east-1, first true",
        "because 40% fail, more than 20%",
        "join drains",
    ):
        assert words in shown, words


def test_a_trace_for_programs_holds_every_event_run_and_key(project: Project) -> None:
    project.publish("aws/us-east-1", "--wait", "1s")
    found = project.json("trace")
    runs = [node for node in found["nodes"] if node["node"] == "run"]
    assert [run["handler"] for run in runs] == [
        f"policy:{name}" for name in ("judge", "part", "drain", *["look"] * 3)
    ]
    (action,) = [step for run in runs for step in run["steps"] if step["kind"] == "act:drain.start"]
    assert list(json.loads(Path("drained.json").read_text())) == [action["key"]]
    assert found["outcome"] == "completed"


def test_a_chain_is_found_by_the_beginning_of_its_id(project: Project) -> None:
    first = project.chain("aws/us-east-1")
    project.chain("gcp/us-central1")
    assert project.json("trace", first[:6])["chain"] == first
    assert project.json("trace", first.upper())["chain"] == first


def test_a_chain_that_is_not_there_is_said_so(project: Project) -> None:
    project.chain()
    assert "crosswind chains" in project.cw("trace", "0" * 36, code=3).stderr
    assert "is not the beginning" in project.cw("trace", "xyz", code=3).stderr


def test_an_id_that_is_not_unique_is_refused_with_those_meant(project: Project) -> None:
    chains = [project.chain(f"aws/r-{number}") for number in range(17)]
    doubled = next(c[0] for c in chains if sum(o[0] == c[0] for o in chains) > 1)
    result = project.cw("trace", doubled, code=2)
    assert "give more of it" in result.stderr


def test_a_trace_in_full_shortens_nothing(project: Project) -> None:
    project.publish("aws/us-east-1", "--wait", "1s")
    brief, full = project.cw("trace").stdout, project.cw("trace", "--full").stdout
    assert "fleet" not in brief
    assert "policy:judge" in full
    assert project.json("trace")["nodes"][1]["run"]
    assert len(full.splitlines()) > len(brief.splitlines())


def test_today_s_code_decides_the_same_on_what_was_seen(project: Project) -> None:
    chain = project.publish("aws/us-east-1", "--wait", "1s")["chains"][0]["chain"]
    Path("rates.json").write_text('{"aws/us-east-1": 0.0}')
    replayed = project.json("replay", chain)
    assert {run["verdict"] for run in replayed["runs"]} == {"same"}
    assert len(replayed["runs"]) == 6


def test_a_replay_touches_nothing(project: Project) -> None:
    chain = project.publish("aws/us-east-1", "--wait", "1s")["chains"][0]["chain"]
    before = project.json("trace", chain)
    world = Path("drained.json").read_bytes()
    project.cw("replay", chain, "--fleet", "stricter.yaml", code=1)
    assert project.json("trace", chain) == before
    assert Path("drained.json").read_bytes() == world


def test_a_replay_shows_what_another_policy_would_decide(project: Project) -> None:
    chain = project.publish("aws/us-east-1", "--wait", "1s")["chains"][0]["chain"]
    result = project.cw("replay", chain, "--fleet", "stricter.yaml", code=1)
    assert "differs: it would end the chain as nothing-to-do" in result.stdout
    assert "-says com.example.drain.decided.v1" in result.stdout
    assert "+says com.example.drain.unneeded.v1" in result.stdout
    assert "+  because: 40% fail, of 50% allowed" in result.stdout


def test_a_replay_under_the_fleet_of_then_leaves_the_policy_out(project: Project) -> None:
    chain = project.publish("aws/us-east-1", "--wait", "1s")["chains"][0]["chain"]
    Path("fleet.yaml").write_text(Path("stricter.yaml").read_text())
    project.cw("replay", chain, code=1)
    project.cw("replay", chain, "--recorded-fleet")


def test_where_no_fleet_is_declared_a_replay_is_under_the_fleet_of_then(project: Project) -> None:
    chain = project.publish("aws/us-east-1", "--wait", "1s")["chains"][0]["chain"]
    Path("fleet.yaml").unlink()
    assert "under the fleet of then" in project.cw("replay", chain).stderr


def test_a_replay_shows_what_would_be_done_and_not_only_observed(project: Project) -> None:
    fleet = Path("fleet.yaml")
    acting = fleet.read_text()
    fleet.write_text(acting.replace("default: act", "default: observe"))
    chain = project.publish("aws/us-east-1", "--wait", "1s")["chains"][0]["chain"]
    project.cw("replay", chain)
    fleet.write_text(acting)
    result = project.cw("replay", chain, code=1)
    assert "the fleet's modes are others" in result.stdout
    assert "-  mode: observe" in result.stdout
    assert "+  mode: act" in result.stdout


def test_a_single_run_can_be_replayed(project: Project) -> None:
    chain = project.publish("aws/us-east-1", "--wait", "1s")["chains"][0]["chain"]
    runs = project.json("replay", chain)["runs"]
    (only,) = project.json("replay", chain, "--run", runs[0]["run"][:8])["runs"]
    assert only["handler"] == "policy:judge"
    project.cw("replay", chain, "--run", "zz", code=3)


def test_text_of_an_event_does_not_reach_the_terminal_as_control(project: Project) -> None:
    project.publish("aws/us-east-1", reason="red \x1b[31m alert\x07")
    shown = project.cw("trace").stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert r"\x1b[31m" in shown
