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
from pathlib import Path

import pytest

from crosswind.cli.faults import NO
from crosswind.cli.reference import reference
from integration.cli.project import Project, ask, enter, leave, make

DOCS = Path(__file__).parents[3] / "docs" / "cli.md"


def examples() -> Iterator[str]:
    """The command lines in the code blocks of the reference."""
    for block in re.findall(r"```sh\n(.*?)```", DOCS.read_text(), re.DOTALL):
        for line in block.splitlines():
            if not line.startswith("#"):
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
        leave(project.folder)
        yield project.folder


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
}
"""Examples of which the answer is no."""


@pytest.mark.parametrize("line", list(examples()))
def test_each_example_of_the_reference_runs(line: str, seasoned: Project) -> None:
    shown = fill_in(line, seasoned)
    if line == "crosswind run":
        assert until_told_to_stop(shown) == 0
    elif line == "crosswind approve CHAIN":
        assert ask(shlex.split(shown)[1:], "y\n") == 0
    elif "$(" in line or ">" in line:
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
    return line.replace("CHAIN", waiting[:8]).replace(" ID", f" {letter['id'][:10]}")


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
