"""Whole programs as the documentation of the Storage SDKs begins with them, run unchanged.

They make the calls of the samples under
https://learn.microsoft.com/python/api/overview/azure/data-tables-readme and
https://learn.microsoft.com/python/api/overview/azure/storage-queue-readme, in our own words.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crosswind_local.azurite import Account
from local.azurite.accounts import Named

SAMPLES = Path(__file__).parent / "samples"


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        ("data_tables", ["['0', '2']", "4.99", "3"]),
        ("storage_queue", ["['one', 'two']", "one again", "['one again', 'three', 'two']", "0"]),
    ],
)
def test_a_program_of_the_documentation_runs_unchanged(
    account: Account, named: Named, sample: str, says: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, str(SAMPLES / f"{sample}.py")],
        env={
            **os.environ,
            "AZURE_STORAGE_CONNECTION_STRING": account.connection_string,
            "TABLE_NAME": named("markers"),
            "QUEUE_NAME": named("orders"),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == says
