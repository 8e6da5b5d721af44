"""The command as it is installed: real processes, real signals, real terminals, nothing missing."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from crosswind.cli.data import DATA
from crosswind.cli.root import crosswind
from integration.cli.project import UNHEALTHY, Project

COMMAND = Path(sys.executable).parent / "crosswind"


def cw(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command."""
    return subprocess.run(
        [str(COMMAND), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def python(code: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """Run some code in a Python of its own."""
    return subprocess.run(
        [sys.executable, *flags, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_first_look_needs_nothing_but_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = cw("publish", "region.unhealthy", "--data-json", json.dumps(UNHEALTHY))
    assert told.returncode == 0, told.stderr
    assert "demonstration fleet, and actions are only observed" in told.stderr
    assert "completed (simulated)" in told.stdout
    assert (tmp_path / DATA).is_file()
    assert "simulated: nothing outside was changed" in cw("trace").stdout
    assert cw("replay", json.loads(cw("chains", "--json").stdout)[0]["chain"]).returncode == 0


def test_the_command_and_the_module_are_the_same(project: Project) -> None:
    assert cw("--version").stdout.startswith("crosswind 0.")
    module = subprocess.run(
        [sys.executable, "-m", "crosswind", "--version"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert module.stdout == cw("--version").stdout


def test_a_worker_stops_when_it_is_told_and_has_lost_nothing(project: Project) -> None:
    project.cw("publish", "region.unhealthy", "unhealthy.json", "--no-work")
    with subprocess.Popen([str(COMMAND), "run", "--json"], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        lines = [json.loads(worker.stdout.readline()) for _ in range(6)]
        worker.send_signal(signal.SIGINT)
        assert worker.wait(20) == 0
    assert lines[-1]["runs"][0]["emitted"] == ["com.example.drain.done.v1"]
    assert project.json("chains")[0]["outcome"] == "completed"


def test_a_worker_that_is_killed_is_followed_by_another(project: Project) -> None:
    for number in range(20):
        report = json.dumps({**UNHEALTHY, "region": f"aws/r-{number}"})
        project.cw("publish", "region.unhealthy", "--no-work", "--data-json", report)
    with subprocess.Popen([str(COMMAND), "run", "--json"], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        worker.kill()
    listed = project.json("chains")
    assert listed, "what was worked is there"
    assert project.lines("run", "--until-idle", "--wait", "1s"), "and what was not is worked now"


def test_reading_goes_on_while_a_worker_writes(project: Project) -> None:
    with subprocess.Popen([str(COMMAND), "run"], stdout=subprocess.DEVNULL) as worker:
        try:
            project.cw("publish", "region.unhealthy", "unhealthy.json", "--no-work")
            end = time.monotonic() + 20
            while "completed" not in project.runner.invoke(crosswind, ["chains"]).stdout:
                assert time.monotonic() < end
                time.sleep(0.05)
        finally:
            worker.terminate()


def test_a_missing_package_is_one_clear_sentence() -> None:
    for package in ("click", "rich", "yaml"):
        hidden = f"import sys; sys.modules[{package!r}] = None; "
        run = "sys.argv = ['crosswind', 'fleet', 'show']; from crosswind.cli import main; main()"
        result = python(hidden + run)
        assert result.returncode == 2
        assert result.stdout == ""
        last = result.stderr.splitlines()[-1]
        assert last == (
            f"crosswind: the command line needs {package}; pip install 'crosswind[cli]'"
        )


def test_any_other_missing_package_is_told_as_it_is() -> None:
    hidden = "import sys; sys.modules['pydantic_core'] = None; "
    run = "sys.argv = ['crosswind', 'graph']; from crosswind.cli import main; main()"
    result = python(hidden + run)
    assert result.returncode == 1
    assert "ModuleNotFoundError" in result.stderr


def test_help_loads_little() -> None:
    code = """
import sys
from crosswind.cli.root import crosswind
crosswind.main(['publish', '--help'], standalone_mode=False)
heavy = {'rich', 'yaml', 'sqlite3', 'asyncio', 'http', 'crosswind.engine', 'crosswind.fleet'}
print('LOADED', sorted(heavy & set(sys.modules)))
"""
    assert "LOADED []" in python(code).stdout


def test_the_shell_is_told_what_may_follow(project: Project) -> None:
    chain = project.chain()

    def completed(words: str, count: int) -> str:
        asked = {"_CROSSWIND_COMPLETE": "bash_complete", "COMP_CWORD": str(count)}
        return cw(COMP_WORDS=words, **asked).stdout

    assert "plain,trace" in completed("crosswind tr", 1)
    assert "plain,region.unhealthy" in completed("crosswind publish region.", 2)
    assert f"plain,{chain}" in completed(f"crosswind trace {chain[:3]}", 2)
    for shell in ("zsh", "fish"):
        assert "_CROSSWIND_COMPLETE" in cw("completion", shell).stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="the script is for bash")
def test_the_script_for_bash_is_one_that_bash_takes(project: Project) -> None:
    script = cw("completion", "bash").stdout
    taken = subprocess.run(["bash", "-n"], input=script, text=True, timeout=20, check=False)
    assert taken.returncode == 0


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(COMMAND), *arguments],
        stdout=theirs,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        written += part
    process.wait(20)
    os.close(ours)
    return written.decode()


def test_colour_is_for_terminals_and_for_those_who_want_it(project: Project) -> None:
    project.publish("aws/us-east-1")
    assert "\x1b[" in on_a_terminal("chains")
    assert "\x1b[3" not in on_a_terminal("chains", NO_COLOR="1")
    assert "\x1b" not in cw("chains").stdout


def test_a_reader_that_goes_away_is_no_fault(project: Project) -> None:
    project.publish("aws/us-east-1")
    line = f"'{COMMAND}' trace --full | head -1"
    piped: Any = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, timeout=30, check=False
    )
    assert piped.returncode == 0
    assert "Traceback" not in piped.stderr
