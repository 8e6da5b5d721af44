"""Commands on a deployed app: whose rules hold, who answers, and what is left to its functions.

The stack of these tests is one whose store and bus are a file, so that its functions can be played
by `crosswind run`. That a real one is found, and answers, is shown in tests/e2e/aws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from crosswind.app import App
from crosswind.cli.data import DATA, DeployedData
from crosswind.embedded.sqlite_bus import SqliteBus
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.fleet.load import load_fleet
from crosswind.ports import Bus
from crosswind.stacks.desk import About, Letter, Role
from integration.cli.project import Project
from integration.cli.test_deciding import GCP, event

STACK = "aws:crosswind-policy"
CALLER = "arn:aws:sts::123456789012:assumed-role/OnCall/ana"
ONLY_ANA = '  approvers: [{who: "arn:aws:sts::123456789012:assumed-role/OnCall/*"}]\n'
ONLY_EVE = '  approvers: [{who: "arn:aws:sts::123456789012:assumed-role/Eve/*"}]\n'


class Queue:
    """A queue of dead letters."""

    def __init__(self, bus: SqliteBus, letters: Sequence[Letter]) -> None:
        self.bus = bus
        self.lying = list(letters)

    def look(self) -> Sequence[Letter]:
        return list(self.lying)

    def resend(self, letter: Letter) -> None:
        self.take(letter, lambda whole: None)

    def take(self, letter: Letter, keep: Callable[[Letter], None]) -> None:
        keep(letter)
        self.lying.remove(letter)


class FileDesk:
    """A deployed app whose store and bus are a file."""

    def __init__(self, about: About, store: SqliteStore, bus: SqliteBus) -> None:
        self.about = about
        self.store = store
        self.letters = Queue(bus, ())
        self.caller = CALLER
        self._bus = bus

    def bus(self, app: App, clock: Callable[[], float]) -> Bus:
        return self._bus

    def policy(self, role: Role) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": [{"Sid": role}]}


class Deployed:
    """The project as it is deployed, with the fleet that it had when it was."""

    def __init__(self, project: Project, desk: FileDesk) -> None:
        self.project = project
        self.desk = desk

    def reads(self, *words: str, code: int = 0) -> Any:
        return self.project.json(*words, "--data", STACK, code=code)

    def says(self, *words: str, code: int = 0) -> str:
        return self.project.cw(*words, "--data", STACK, code=code).output

    def works(self) -> None:
        """What the functions do."""
        self.project.cw("run", "--until-idle", "--fleet", "deployed.yaml", "--wait", "1s")


@pytest.fixture
def deploy(project: Project, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Deploys the project with more in its fleet."""
    with ExitStack() as opened:

        def deployed(more: str = "", **about: Any) -> Deployed:
            Path("deployed.yaml").write_text(Path("fleet.yaml").read_text() + more)
            fleet = load_fleet("deployed.yaml")
            DATA.parent.mkdir(exist_ok=True)
            store = opened.enter_context(SqliteStore(DATA))
            bus = opened.enter_context(SqliteBus(store))
            said = About(STACK, "policy", "ab" * 32, ("policy",), fleet.name, fleet.digest)
            desk = FileDesk(said._replace(**about), store, bus)
            monkeypatch.setattr(DeployedData, "open", lambda self: desk)
            project.cw("run", "--until-idle", "--fleet", "deployed.yaml")
            return Deployed(project, desk)

        yield deployed


def report(stack: Deployed, region: str = GCP) -> str:
    """Say on the bus of the stack that a region fails; its chain, once it was worked."""
    said = stack.reads(
        "publish", "region.unhealthy", "--data-json",
        f'{{"region": "{region}", "evidence": "operator", "reason": "no answers"}}',
    )  # fmt: skip
    assert said["worked"] == []
    stack.works()
    return str(stack.reads("chains")[0]["chain"])


def test_what_is_published_is_left_to_the_functions(deploy: Callable[..., Deployed]) -> None:
    stack = deploy()
    said = stack.says("publish", "region.unhealthy", "unhealthy.json")
    assert f"the functions of {STACK} work it from here" in said
    assert "crosswind run" not in said
    assert not Path("drained.json").exists() or "aws" not in Path("drained.json").read_text()


def test_whoever_answers_is_whom_the_cloud_knows(deploy: Callable[..., Deployed]) -> None:
    stack = deploy(ONLY_ANA)
    chain = report(stack)
    answer = stack.reads("approve", chain, "--yes", "--reason", "seen it")
    assert [one["by"] for one in answer["answers"]] == [CALLER]
    assert answer["worked"] == []
    stack.works()
    assert stack.reads("chains")[0]["outcome"] == "completed"
    assert CALLER in stack.says("trace", chain)


def test_the_fleet_that_is_deployed_says_who_may_answer_whatever_file_is_here(
    deploy: Callable[..., Deployed],
) -> None:
    stack = deploy(ONLY_EVE)
    chain = report(stack)
    Path("fleet.yaml").write_text(Path("fleet.yaml").read_text() + ONLY_ANA)
    refused = stack.says("approve", chain, "--yes", code=1)
    assert f"{CALLER} may not answer" in refused
    assert "Eve" in refused
    assert stack.reads("chains")[0]["state"] == "open"


def test_a_fleet_under_which_nothing_was_decided_is_taken_from_the_same_file_only(
    deploy: Callable[..., Deployed],
) -> None:
    stack = deploy()
    chain = report(stack)
    later = Path("fleet.yaml").read_text() + ONLY_ANA
    Path("later.yaml").write_text(later)
    digest = load_fleet("later.yaml").digest
    stack.desk.about = stack.desk.about._replace(declared=digest)
    refused = stack.says("approve", chain, "--yes", code=2)
    assert "nothing was decided yet under the fleet example" in refused
    assert "fleet.yaml says something else" in refused
    answer = stack.reads("approve", chain, "--yes", "--fleet", "later.yaml")
    assert [one["by"] for one in answer["answers"]] == [CALLER]


def test_everything_is_frozen_from_a_folder_that_has_nothing_of_the_app(
    deploy: Callable[..., Deployed],
) -> None:
    stack = deploy()
    Path("fleet.yaml").unlink()
    switch = stack.reads("freeze", "--for", "1h", "--reason", "the quarter")
    assert (switch["fleet"], switch["by"]) == ("example", CALLER)
    assert stack.reads("fleet", "show", "--fleet", "deployed.yaml")["brakes"]["freeze"]
    assert stack.reads("freeze", "--end") == {"ended": True}


def test_a_workload_is_looked_for_in_the_fleet_that_is_deployed(
    deploy: Callable[..., Deployed],
) -> None:
    stack = deploy()
    report(stack)
    Path("fleet.yaml").unlink()
    assert "no workload video" in stack.says(
        "freeze", "--workload", "video", "--reason", "x", code=2
    )
    assert stack.reads("freeze", "--workload", "chat", "--reason", "x")["workload"] == "chat"


def test_an_app_that_was_deployed_without_a_fleet_has_no_brakes(
    deploy: Callable[..., Deployed],
) -> None:
    stack = deploy(fleet=None, declared=None)
    assert "deployed without a fleet" in stack.says("freeze", "--reason", "x", code=2)
    assert stack.reads("incident", "list", code=3) == []


def test_another_app_than_is_deployed_may_look_and_not_publish(
    deploy: Callable[..., Deployed],
) -> None:
    stack = deploy(app="ops")
    stack.project.publish("aws/us-east-1")
    assert "runs app ops, and this is app policy; name it with --app" in stack.says("chains")
    assert "runs app ops" in stack.says("publish", "region.unhealthy", "unhealthy.json", code=2)


def test_what_lies_in_queues_is_listed_with_the_rest_and_put_aside_in_the_table(
    deploy: Callable[..., Deployed],
) -> None:
    stack = deploy()
    body = event(stack.project).decode()
    stack.desk.letters.lying = [
        Letter("ab" * 16, "policy", "m-1", body, 1.0, 21),
        Letter("cd" * 16, "policy", "m-2", "no form at all", 2.0, 21),
    ]
    listed = stack.reads("dlq", "list")
    assert [(one["kind"], one["type"]) for one in listed] == [
        ("queued", None),
        ("queued", "dev.crosswind.region.unhealthy.v1"),
    ]
    assert stack.reads("dlq", "show", "cdcd")["body"] == "no form at all"
    assert stack.reads("dlq", "redrive", "abab")["redriven"] == "ab" * 16
    put_aside = stack.reads("dlq", "discard", "cdcd", "--reason", "no form", "--yes")
    assert stack.desk.letters.lying == []
    assert stack.reads("dlq", "list", code=3) == []
    (kept,) = stack.reads("dlq", "list", "--all")
    assert (kept["id"], kept["message"]) == (put_aside["discarded"], "m-2")
    assert kept["discarded"] == f"by {CALLER}: no form"


def test_a_declaration_is_applied_where_it_is_deployed(deploy: Callable[..., Deployed]) -> None:
    stack = deploy()
    Path("fleet.yaml").write_text(Path("fleet.yaml").read_text() + ONLY_ANA)
    refused = stack.says(
        "fleet", "apply", "--yes", "--app", "crosswind.chains.failover:app", code=1
    )
    assert "has another declaration than fleet.yaml; deploy this one first" in refused


def test_a_rehearsal_is_kept_on_this_machine_and_the_report_is_of_the_stack(
    deploy: Callable[..., Deployed], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = deploy()
    Path(".crosswind/shadow.sqlite").write_bytes(b"no rehearsal, and not opened")
    monkeypatch.setenv("CROSSWIND_DATA", STACK)
    assert "no chain about a region" in stack.project.cw("report", "--shadow", code=3).stderr
