"""`docs/cli.md` says what the commands are, and each example in it runs."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crosswind.actions import Call
from crosswind.chains.incidents.operations import OpenIncident
from crosswind.chains.incidents.performer import IncidentPerformer
from crosswind.cli.faults import NO, NOTHING
from crosswind.cli.reference import reference
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.sim import Fault, Faults
from integration.cli.project import Project, ask, enter, leave, make

DOCS = Path(__file__).parents[3] / "docs" / "cli.md"


# They need an account, and run where there is one: tests/integration/aws, tests/e2e/aws.
ELSEWHERE = ("crosswind stack", "crosswind adopt", "crosswind signal --history 30d")
DEPLOYED = " --data aws:"


def examples() -> Iterator[str]:
    """The command lines in the code blocks of the reference."""
    for block in re.findall(r"```sh\n(.*?)```", DOCS.read_text(), re.DOTALL):
        for line in block.splitlines():
            if not line.startswith(("#", *ELSEWHERE)) and DEPLOYED not in line:
                yield line


def test_the_reference_is_what_the_commands_say() -> None:
    assert DOCS.read_text() == reference(), "run: python -m crosswind.cli.reference > docs/cli.md"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project that has seen a failed run, a finished chain, and one that waits for approval."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        project = make(tmp_path_factory.mktemp("reference") / "a project", monkeypatch)
        Path("stuck").touch()
        project.publish("aws/us-east-1")
        Path("stuck").unlink()
        project.publish("azure/westeurope")
        project.publish("gcp/us-central1")
        for name, value in STILL.items():
            monkeypatch.setenv(name, value)
        acting = Path("fleet.yaml").read_text().replace("default: propose", "default: act")
        Path("acting.yaml").write_text(acting)
        project.cw("fleet", "apply", "--fleet", "acting.yaml", "--yes")
        open_incident()
        for file in ("march.jsonl", "outages.jsonl"):
            shutil.copy(SHADOW / file, file)
        shutil.copy("drilled.yaml", "patient.yaml")
        broken = Faults([Fault("outage", 600, 1_800, region="aws/us-east-1")])
        Path("broken.json").write_text(broken.to_json())
        leave(project.folder)
        yield project.folder


def open_incident() -> None:
    """Open one about the first region, in the store of the project."""
    with closing(SqliteStore(Path(".crosswind/crosswind.sqlite"))) as store:
        incident = OpenIncident(
            incident="region:aws/us-east-1",
            title="aws/us-east-1 fails and is not left by all",
            severity="major",
            region="aws/us-east-1",
        )
        IncidentPerformer(store, "example").perform(incident, Call(key="k", timeout=5.0))


@pytest.fixture
def seasoned(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A copy of that project."""
    folder = tmp_path / "a project"
    shutil.copytree(template, folder)
    enter(folder, monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".config" / "fish" / "completions").mkdir(parents=True)
    yield Project(folder)
    leave(folder)


EXPECTED = {
    "crosswind replay CHAIN --fleet stricter.yaml": NO,
    # A failed run is a part of its chain, and stays there.
    "crosswind dlq discard ID --reason 'a form of the old site' --yes": NO,
    # Only one declaration was applied.
    "crosswind fleet rollback": NOTHING,
}
"""Examples of which the answer is no, or that find nothing."""

STILL = {
    "CROSSWIND_APP": "crosswind.chains.failover:app",
    "CROSSWIND_PERFORMERS": "still:performers",
}
"""What the examples of `crosswind fleet` run with, for the project's own app applies nothing."""

SHADOW = Path(__file__).parents[2] / "fixtures" / "shadow"
FEWER = {
    "1..1000 --days 3": "1..2 --days 1",
    "1..100": "1..2",
    "1..20": "1..2",
    "--days 10": "--days 1",
    "--days 30": "--days 1",
}
"""What is played less of than an example says, so that all of them take seconds."""


@pytest.mark.parametrize("line", list(examples()))
def test_each_example_of_the_reference_runs(
    line: str, seasoned: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = fill_in(line, seasoned)
    if line.startswith(("crosswind fleet", "crosswind incident resolve")):
        for name, value in STILL.items():
            monkeypatch.setenv(name, value)
    if line.startswith("crosswind drill"):
        monkeypatch.setenv("CROSSWIND_FLEET", "drilled.yaml")
        for name in STILL:
            monkeypatch.delenv(name, raising=False)
    if line == "crosswind run":
        assert until_told_to_stop(shown) == 0
    elif line in ("crosswind approve CHAIN", "crosswind fleet apply"):
        assert ask(shlex.split(shown)[1:], "y\n") == 0
    elif "$(" in line or ">" in line or "&&" in line:
        assert in_a_shell(shown) == 0
    else:
        arguments = shlex.split(shown)
        given = None
        if "<" in arguments:
            given = Path(arguments.pop()).read_bytes()
            assert arguments.pop() == "<"
        result = seasoned.cw(*arguments[1:], code=EXPECTED.get(line, 0), given=given)
        if "--json" in arguments:
            for document in result.stdout.splitlines() if "run" in arguments else [result.stdout]:
                json.loads(document)


def fill_in(line: str, project: Project) -> str:
    """The example with a chain that waits for approval, and the id of a failed run."""
    waiting = project.json("chains", "--open")[0]["chain"]
    (letter,) = project.json("dlq", "list")
    (applied,) = project.json("fleet", "history")
    (incident,) = project.json("incident", "list", "--open")
    named = incident if line.startswith("crosswind incident") else letter
    filled = line.replace("CHAIN", waiting[:8]).replace(" ID", f" {named['id'][:10]}")
    for many, few in FEWER.items():
        filled = filled.replace(many, few)
    return filled.replace("DIGEST", applied["digest"][:8])


def on_path() -> dict[str, str]:
    """An environment in which `crosswind` is a command, as it is when installed."""
    here = Path(sys.executable).parent
    return {**os.environ, "PATH": f"{here}{os.pathsep}{os.environ['PATH']}"}


def in_a_shell(line: str) -> int:
    return subprocess.run(["bash", "-c", line], env=on_path(), timeout=30, check=False).returncode


def until_told_to_stop(line: str) -> int:
    with subprocess.Popen(
        shlex.split(line), env=on_path(), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert "stop with Ctrl-C" in process.stderr.readline()
        process.terminate()
        return process.wait(20)
