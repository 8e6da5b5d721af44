"""The demonstration, as a stranger runs it: what it shows is what happened."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the demonstration prints, run from a folder with a space in its name."""
    folder = tmp_path_factory.mktemp("a b")
    run = subprocess.run(
        [sys.executable, str(ROOT / "examples/failover/demo.py"), "--yes"],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder), "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return run.stdout


def test_the_notification_moves_nothing_and_the_evidence_is_shown(told: str) -> None:
    assert "The provider's word alone moves nothing" in told
    assert re.search(r"provider +unhealthy +[\d.]+ m?s +//health.amazonaws.com", told)
    assert re.search(r"probe at \w+ +unhealthy", told)


def test_the_plan_is_shown_with_what_was_rejected(told: str) -> None:
    assert re.search(r"chosen +all that moves to gcp/us-central1", told)
    assert re.search(r"all that moves to azure/westeurope +rejected: as good, and .* dearer", told)
    assert "granted by" in told


def test_a_worker_was_killed_and_no_action_took_effect_twice(told: str) -> None:
    assert "worker-1 was killed (SIGKILL)" in told
    assert "No action took effect twice, though a worker was killed" in told
    applied = re.findall(r"(\w{8}) +applied", told)
    assert len(applied) >= 6
    assert len(set(applied)) == len(applied)


def test_the_callers_recovered_in_measured_seconds(told: str) -> None:
    (seconds,) = re.findall(r"to the last: ([\d.]+) s", told)
    assert 0 < float(seconds) < 60
    assert re.search(r"gcp/us-central1 +67%", told)


def test_a_stricter_policy_would_have_decided_otherwise(told: str) -> None:
    assert "quorum: 2.0  becomes  quorum: 4.0" in told
    assert "hear_unhealthy on region.unhealthy  differs: it would say something else" in told
    assert "+  because: 1 of 4 needed" in told
    assert "differs: it asks for an answer to window, where the record holds" in told
