"""What is imported when: a function starts with what it uses, and a tool without the SDK."""

from __future__ import annotations

import subprocess
import sys

import pytest


def loaded(statement: str) -> set[str]:
    """The modules that a statement loads in a fresh interpreter."""
    program = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["deployment", "filters", "arrivals", "signals"])
def test_what_needs_no_sdk_loads_none(module: str) -> None:
    names = {name.partition(".")[0] for name in loaded(f"import crosswind_aws.{module}")}

    assert not names & {"boto3", "botocore", "aws_lambda_powertools", "urllib3"}


def test_a_function_starts_without_what_few_events_need() -> None:
    names = loaded("import crosswind_aws.function")

    unwanted = {
        "boto3",
        "aws_lambda_powertools.event_handler",
        "aws_lambda_powertools.utilities.batch",
        "aws_lambda_powertools.utilities.parameters",
        "aws_lambda_powertools.utilities.data_classes",
        "crosswind.buses.door",
        "crosswind.buses.filters",
        "crosswind_aws.door",
        "crosswind_aws.schedules",
        "crosswind_aws.signals",
        "crosswind_events.catalogue.region",
        "crosswind.gate.gate",
        "crosswind.signals",
    }
    assert not names & unwanted
