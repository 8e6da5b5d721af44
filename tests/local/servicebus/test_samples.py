"""Whole programs as the SDK's documentation begins with them, run unchanged.

They make the calls of the samples under
https://learn.microsoft.com/python/api/overview/azure/servicebus-readme, in our own words, and read
nothing but the environment variables that those read.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crosswind_local.servicebus import ServiceBusEmulator
from local.elsewhere import pointed
from local.servicebus.desk import Desk
from local.servicebus.estate import ENTITIES

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture
def connection(janitor: Desk | None) -> Iterator[str]:
    """A Service Bus in real time whose entities are empty."""
    where = pointed("servicebus")
    if where is not None and janitor is not None:
        janitor.purge()
        yield where
        return
    with ServiceBusEmulator(config=ENTITIES) as servicebus:
        yield servicebus.connection_string


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        ("send_receive", ["single", "list 0", "list 1", "list 2", "batch 0", "batch 1", "batch 2"]),
        ("send_receive_async", ["single", "batch 0", "batch 1", "batch 2"]),
        ("sessions", ["step 0", "step 1", "step 2", "close", "closed", "True", "any session"]),
        ("topic", ["every broken", "every fine", "sql broken"]),
        ("schedule", ["kept True"]),
        (
            "settle",
            ["['poison']", "delivered before: 1", "poison not wanted nobody can work it"],
        ),
    ],
)
def test_a_program_of_the_documentation_runs_unchanged(
    connection: str, prefix: str, sample: str, says: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, str(SAMPLES / f"{sample}.py")],
        env={
            **os.environ,
            "SERVICEBUS_CONNECTION_STR": connection,
            "SERVICEBUS_QUEUE_NAME": f"{prefix}plain",
            "SERVICEBUS_SESSION_QUEUE_NAME": f"{prefix}sessions",
            "SERVICEBUS_TOPIC_NAME": f"{prefix}topic",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == says
