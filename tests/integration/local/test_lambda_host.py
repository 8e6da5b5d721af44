"""Functions under AWS's own runtime client."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from crosswind_local import StartFailed
from crosswind_local.lambda_host import LambdaHost, bootstrap

FUNCTION = """
import os, signal, time

calls = 0

def handler(event, context):
    global calls
    calls += 1
    if "raise" in event:
        raise LookupError(event["raise"])
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "die" in event:
        os.kill(os.getpid(), signal.SIGKILL)
    print("called with", sorted(event))
    return {
        "calls": calls,
        "pid": os.getpid(),
        "left": context.get_remaining_time_in_millis(),
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "echo": event.get("echo"),
        "secret": os.environ.get("CROSSWIND_SECRET"),
        "given": os.environ.get("GIVEN"),
    }
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "ops.py").write_text(textwrap.dedent(FUNCTION))
    (tmp_path / "broken.py").write_text("raise RuntimeError('at import')\n")
    return tmp_path


@pytest.fixture
def function(code: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LambdaHost]:
    monkeypatch.setenv("CROSSWIND_SECRET", "hunter2")
    with LambdaHost("ops.handler", code, env={"GIVEN": "yes"}, timeout=20, memory=256) as host:
        yield host


def test_it_answers_and_keeps_its_process_from_call_to_call(function: LambdaHost) -> None:
    first, second = function.invoke({"echo": "ä"}), function.invoke({})

    assert first.outcome == second.outcome == "returned"
    assert first.payload["echo"] == "ä"
    assert (first.payload["calls"], second.payload["calls"]) == (1, 2)
    assert first.payload["pid"] == second.payload["pid"]


def test_it_is_told_what_lambda_tells(function: LambdaHost) -> None:
    told = function.invoke({}).payload

    assert 19_000 < told["left"] <= 20_000
    assert told["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:function"
    assert told["memory"] == "256"
    assert told["given"] == "yes"
    assert told["secret"] is None


def test_an_error_of_the_handler_is_reported_and_spares_the_process(function: LambdaHost) -> None:
    raised = function.invoke({"raise": "nothing there"})

    assert raised.outcome == "raised"
    assert raised.payload["errorType"] == "LookupError"
    assert raised.payload["errorMessage"] == "nothing there"
    assert function.invoke({}).payload["calls"] == 2


def test_a_call_that_takes_too_long_is_killed_and_the_next_begins_anew(
    function: LambdaHost,
) -> None:
    assert function.invoke({"sleep": 30}, timeout=0.2).outcome == "timed out"

    assert function.invoke({}).payload["calls"] == 1


def test_a_process_that_dies_in_a_call_is_replaced(function: LambdaHost) -> None:
    assert function.invoke({"die": True}).outcome == "died"

    assert function.invoke({}).payload["calls"] == 1


def test_it_can_be_killed_in_the_midst_of_a_call(function: LambdaHost) -> None:
    function.invoke({})
    killer = threading.Timer(0.2, function.kill)
    killer.start()

    answer = function.invoke({"sleep": 15})
    killer.join()

    assert answer.outcome == "died"
    assert answer.seconds < 5


def test_what_it_prints_is_kept(function: LambdaHost) -> None:
    function.invoke({"echo": 1})

    assert "called with ['echo']" in function.log()


def test_a_function_that_cannot_be_imported_says_why(code: Path) -> None:
    with pytest.raises(StartFailed, match="at import"):
        LambdaHost("broken.handler", code).start()


def test_an_interpreter_without_the_runtime_client_says_so(code: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)

    with pytest.raises(StartFailed, match="No module named awslambdaric"):
        LambdaHost("ops.handler", code, python=str(bare / "bin" / "python")).start()


def test_the_bootstrap_runs_the_function_under_the_runtime_client(
    code: Path, tmp_path: Path
) -> None:
    script = tmp_path / "bootstrap"
    script.write_text(bootstrap(path="/opt/some where"))
    script.chmod(0o755)

    done = subprocess.run(
        [script],
        env={
            "PATH": os.defpath,
            "_HANDLER": "ops.handler",
            "LAMBDA_TASK_ROOT": str(code),
            "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9",
        },
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert done.returncode not in (0, -signal.SIGKILL, 126, 127)
    assert "127.0.0.1:9" in done.stdout + done.stderr or "runtime" in done.stderr.lower()
