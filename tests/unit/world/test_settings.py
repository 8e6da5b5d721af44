"""Command lines of the world's processes: what cannot be is refused before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from crosswind.world import load, proxy, server


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--workload", "chat=7", "--quota", "6"], "7 replicas exceed the quota of 6; raise"),
        (["--workload", "chat=x"], "'x' is not a whole number from 0 to 100000"),
        (["--workload", "=3"], "'=3' is not NAME or NAME=REPLICAS"),
        (["--workload", "chat", "--rate", "nan"], "'nan' is not a number from 0.1 to 10000"),
        (["--workload", "chat", "--port", "65536"], "'65536' is not a whole number"),
        (["--workload", "chat", "--max-seconds", "forever"], "'forever' is not a number"),
        ([], "--workload"),
    ],
)
def test_a_server_refuses_settings_that_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    log = tmp_path / "control.jsonl"
    with pytest.raises(SystemExit) as ended:
        server.main(["--region", "aws/us-east-1", "--log", str(log), *arguments])
    assert ended.value.code == 2
    assert complaint in " ".join(capsys.readouterr().err.split())
    assert not log.exists()


@pytest.mark.parametrize("text", ["aws/us-east-1", "aws/us-east-1=", "=80", "aws/us-east-1=99999"])
def test_a_proxy_refuses_servers_without_a_region_and_a_port(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        proxy.main(["--log", str(tmp_path / "control.jsonl"), "--server", text])
    assert ended.value.code == 2
    assert "argument --server" in capsys.readouterr().err


@pytest.mark.parametrize("rate", ["0", "-1", "2001", "inf"])
def test_callers_have_a_bounded_rate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rate: str
) -> None:
    log = str(tmp_path / "answers.jsonl")
    with pytest.raises(SystemExit) as ended:
        load.main(["--proxy", "80", "--workload", "chat", "--log", log, "--rate", rate])
    assert ended.value.code == 2
    assert f"'{rate}' is not a number from 0.1 to 2000" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "parsed"),
    [("chat", ("chat", None)), ("chat=3", ("chat", 3)), ("a=b=0", ("a=b", 0))],
)
def test_a_workload_may_name_its_replicas(text: str, parsed: tuple[str, int | None]) -> None:
    assert server.parse_workload(text) == parsed


def test_a_log_that_cannot_be_opened_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing" / "control.jsonl"
    with pytest.raises(SystemExit) as ended:
        server.main(["--region", "aws/us-east-1", "--workload", "chat", "--log", str(missing)])
    assert ended.value.code == 1
    assert str(missing) in capsys.readouterr().err
