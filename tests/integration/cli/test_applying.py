"""`fleet diff`, `apply`, `history` and `rollback`: the file becomes what is, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from integration.cli.project import Project, ask, leave, make

EAST, CENTRAL = "aws/us-east-1", "gcp/us-central1"
BEFORE = "aws/us-east-1: {weight: 0.5, replicas: 2, quota: 4}"
AFTER = "aws/us-east-1: {weight: 0.25, replicas: 2, quota: 4}"
CENTER = "      gcp/us-central1: {weight: 0.5, replicas: 2, quota: 4}\n  search"
CENTER_AFTER = "      gcp/us-central1: {weight: 0.75, replicas: 3, quota: 4}\n  search"


@pytest.fixture
def still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project on a world that does as it is told, with the built-in chains."""
    project = make(tmp_path / "a project", monkeypatch)
    monkeypatch.setenv("CROSSWIND_APP", "crosswind.chains.failover:app")
    monkeypatch.setenv("CROSSWIND_PERFORMERS", "still:performers")
    write(lambda text: text.replace("search: {default: propose}", "search: {default: act}"))
    Path("still.json").write_text(json.dumps(read_still()))
    yield project
    leave(tmp_path)


def write(change: Any) -> None:
    """Edit fleet.yaml; steps without a pause."""
    path = Path("fleet.yaml")
    text = path.read_text()
    if "shift:" not in text:
        text = text.replace(
            "    per_replica: 20\n", "    per_replica: 20\n    shift: {steps: 2, pause: 0.01}\n"
        )
    path.write_text(change(text))


def edit() -> None:
    """Chat gets more of the centre."""
    write(lambda text: text.replace(BEFORE, AFTER).replace(CENTER, CENTER_AFTER))


def world() -> dict[str, Any]:
    return dict(json.loads(Path("still.json").read_text()))


def rows(found: Any, workload: str = "chat") -> dict[str, Any]:
    return {row["region"]: row for row in found["rows"] if row["workload"] == workload}


def apply(project: Project, *more: str, code: int = 0) -> Any:
    return project.json("fleet", "apply", "--yes", "--wait", "5s", *more, code=code)


def test_before_anything_was_applied_nothing_differs_and_nothing_is_recorded(
    still: Project,
) -> None:
    found = still.json("fleet", "diff")
    assert (found["differs"], found["applied"]) == (False, None)
    assert rows(found)[EAST]["intended"] is None
    shown = still.cw("fleet", "diff").stdout
    assert "no declaration was applied yet" in shown
    assert "nothing differs" in shown
    assert not Path(".crosswind").exists(), "looking creates nothing"
    assert "was applied yet" in still.cw("fleet", "history", code=3).stderr
    assert "none to return to" in still.cw("fleet", "rollback", code=3).stderr


def test_a_declaration_is_applied_shown_in_the_history_and_nothing_differs_then(
    still: Project,
) -> None:
    apply(still)
    edit()
    found = still.json("fleet", "diff", code=1)
    row = rows(found)[CENTRAL]
    assert row["kinds"] == ["change"]
    assert (row["declared"], row["intended"], row["actual"]) == (
        {"weight": 0.75, "replicas": 3},
        {"weight": 0.5, "replicas": 2},
        {"weight": 0.5, "replicas": 2},
    )
    told = apply(still)
    assert told["applied"] is True
    assert told["stands"]["outcome"] == "applied"
    (one,) = told["workloads"]
    assert one["after"][CENTRAL] == {"weight": 0.75, "replicas": 3}
    assert world()["chat"]["weights"][CENTRAL] == 0.75
    assert world()["chat"]["replicas"][CENTRAL] == 3
    assert still.json("fleet", "diff")["differs"] is False
    last, first = still.json("fleet", "history")
    assert (last["number"], last["outcome"], last["counts"]) == (2, "applied", {"applied": 1})
    assert "workloads.chat.regions.aws/us-east-1.weight: 0.5 -> 0.25" in last["changes"]
    assert last["previous"] == first["digest"]
    shown = still.cw("fleet", "history").stdout
    assert "first declaration: 3 region(s) and 2 workload(s)" in shown
    assert ": applied (2 unchanged)" in shown


def test_what_is_shown_says_what_would_be_done_and_nobody_is_asked_without_a_terminal(
    still: Project,
) -> None:
    apply(still)
    edit()
    refused = still.cw("fleet", "apply", code=2)
    assert "50% -> 75%" in refused.stdout
    assert "2 -> 3" in refused.stdout
    assert "give --yes" in refused.stderr
    assert world()["chat"]["weights"][CENTRAL] == 0.5
    assert len(still.json("fleet", "history")) == 1


def test_a_person_at_a_terminal_is_asked(still: Project) -> None:
    assert ask(["fleet", "apply"], "n\n") != 0
    still.cw("fleet", "history", code=3)
    assert ask(["fleet", "apply"], "y\n") == 0
    assert len(still.json("fleet", "history")) == 1


def test_where_nothing_is_to_be_done_nothing_is_published(still: Project) -> None:
    apply(still)
    assert apply(still) == {"digest": digest(still), "applied": False, "workloads": []}
    assert "nothing is to be done" in still.cw("fleet", "apply").stdout
    assert len(still.json("fleet", "history")) == 1


def test_a_change_of_policy_alone_is_noted_in_the_history(still: Project) -> None:
    apply(still)
    write(lambda text: text.replace("probes: {", "probes: {every: 31s, "))
    assert apply(still)["applied"] is True
    (change,) = still.json("fleet", "history")[0]["changes"]
    assert change == "probes.every: 30 -> 31"


def digest(project: Project) -> str:
    return str(project.json("fleet", "validate", "fleet.yaml")["digest"])


def test_an_earlier_declaration_comes_back_and_the_file_stays(still: Project) -> None:
    apply(still)
    first = digest(still)
    edit()
    apply(still)
    told = still.json("fleet", "rollback", "--yes", "--wait", "5s")
    assert told["digest"] == first
    assert world()["chat"]["weights"] == {EAST: 0.5, CENTRAL: 0.5}
    assert still.json("fleet", "diff", code=1)["kinds"] == {"change": 2}
    assert still.json("fleet", "history")[0]["rollback"] is True
    assert ", a rollback: applied" in still.cw("fleet", "history").stdout
    apply(still)
    assert world()["chat"]["weights"][CENTRAL] == 0.75


def test_a_declaration_is_named_by_the_beginning_of_its_digest(still: Project) -> None:
    apply(still)
    first = digest(still)
    edit()
    apply(still)
    assert still.json("fleet", "rollback", first[:6], "--yes", "--wait", "5s")["digest"] == first
    assert "no declaration begins with 000000" in (
        still.cw("fleet", "rollback", "000000", "--yes", code=3).stderr
    )
    assert "several declarations" in still.cw("fleet", "rollback", "", "--yes", code=2).stderr


def test_drift_is_told_from_a_change(still: Project) -> None:
    apply(still)
    changed = world()
    changed["chat"]["weights"] = {EAST: 1.0}
    Path("still.json").write_text(json.dumps(changed))
    found = still.json("fleet", "diff", code=1)
    assert found["kinds"] == {"drift": 2}
    shown = still.cw("fleet", "diff", code=1).stdout
    assert "the drift chain asserts it again" in shown


def read_still() -> dict[str, Any]:
    """What the world has at first; the module is the project's own."""
    return dict(import_module("still").read())


def test_a_failover_is_told_from_both_and_not_undone(still: Project) -> None:
    apply(still)
    still.publish(EAST, "--wait", "3s", evidence="operator")
    assert world()["chat"]["weights"][CENTRAL] == 1.0
    found = still.json("fleet", "diff", code=1)
    assert set(found["kinds"]) == {"failover"}
    assert rows(found)[EAST]["because"] == "aws/us-east-1 is evacuated"
    edit()
    told = apply(still)
    assert world()["chat"]["weights"][CENTRAL] == 1.0
    assert told["stands"]["outcome"] == "applied"
    assert "stays as far as aws/us-east-1 is evacuated" in (
        still.cw("fleet", "apply", "--yes").stdout
    )
    assert set(still.json("fleet", "diff", code=1)["kinds"]) == {"failover"}


def test_what_waits_for_a_person_is_not_done_yet(still: Project) -> None:
    apply(still)
    edit()
    write(lambda text: text.replace("  default: act\n", "  default: propose\n"))
    told = apply(still, code=4)
    assert told["applied"] is False
    assert told["stands"]["waits"] == "approval of register.apply"
    rejected = still.cw("approve", told["chain"][:8], "--reject", "--yes")
    assert "register.apply rejected" in rejected.stdout
    assert still.json("fleet", "diff", code=1)["kinds"] == {"change": 2}


def test_what_fails_says_no(still: Project) -> None:
    apply(still)
    edit()
    Path("still.py").write_text(
        Path("still.py").read_text().replace("granted=count", "granted=count - 1")
    )
    leave(Path.cwd())
    told = apply(still, code=1)
    assert told["stands"]["outcome"] == "failed"
    assert still.json("fleet", "history")[0]["outcome"] == "failed"


def test_what_nobody_answers_for_is_said_to_be_unknown(
    still: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CROSSWIND_PERFORMERS")
    told = still.cw("fleet", "diff")
    assert "2 workloads: nobody answers" in told.stderr
    found = still.json("fleet", "diff")
    assert set(found["unknown"]) == {"chat", "search"}
    assert rows(found)[EAST]["actual"] == {"weight": None, "replicas": None}
    assert "?" in still.cw("fleet", "diff", "--all").stdout


def test_looking_writes_nothing(still: Project) -> None:
    apply(still)
    edit()

    def content() -> list[Any]:
        with sqlite3.connect(".crosswind/crosswind.sqlite") as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return [
                connection.execute(f"SELECT * FROM {name}").fetchall()
                for (name,) in tables.fetchall()
            ]

    before = content()
    still.cw("fleet", "diff", code=1)
    still.cw("fleet", "history")
    still.cw("fleet", "apply", code=2)
    assert content() == before


def test_an_app_that_does_not_apply_says_so(
    still: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSWIND_APP", "policy:app")
    refused = still.cw("fleet", "apply", "--yes", code=1)
    assert "no handler of app policy takes dev.crosswind.fleet.apply_requested.v1" in refused.stderr


def test_a_demonstration_cannot_be_applied(still: Project) -> None:
    Path("fleet.yaml").unlink()
    assert "no fleet is declared here" in still.cw("fleet", "apply", "--yes", code=2).stderr


def test_the_work_may_be_left_to_a_worker(still: Project) -> None:
    told = still.cw("fleet", "apply", "--yes", "--no-work").stdout
    assert "crosswind run --until-idle" in told
    still.cw("run", "--until-idle")
    assert still.json("fleet", "history")[0]["outcome"] == "applied"


def test_within_a_freeze_window_applying_waits_for_a_person_who_is_told_why(
    still: Project,
) -> None:
    apply(still)
    edit()
    window = "{name: sale, cron: '* * * * *', lasts: 1d, because: the winter sale}"
    write(lambda text: text + f"freezes: [{window}]\n")
    (standing,) = still.json("fleet", "show")["freezes"]
    assert standing["says"].endswith("UTC: the winter sale")
    assert "freeze sale until" in still.cw("fleet", "show").stdout
    chain = apply(still, code=4)["chain"]
    assert "is asked for (freeze sale until" in still.cw("trace", chain[:8]).stdout
    still.cw("approve", chain[:8], "--yes", "--wait", "5s")
    assert world()["chat"]["weights"][CENTRAL] == 0.75
    shown = still.cw("trace", chain[:8]).stdout
    assert "UTC: the winter sale) granted by" in shown


def test_cautions_are_told_and_refused_only_where_that_is_asked_for(still: Project) -> None:
    write(lambda text: text + "alerts: [{match: x, workload: chat, region: azure/westeurope}]\n")
    shown = still.cw("fleet", "validate", "fleet.yaml").stdout
    assert "1 caution(s), which may well be meant:" in shown
    assert "alerts[0].region: is azure/westeurope, where chat is not placed" in shown
    (caution,) = still.json("fleet", "validate", "fleet.yaml", "--strict", code=1)["cautions"]
    assert caution.startswith("fleet.yaml:")


def test_the_schema_is_one_document_for_editors(still: Project) -> None:
    schema = json.loads(still.cw("fleet", "schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "freezes" in schema["properties"]
