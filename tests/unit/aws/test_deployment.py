"""What a function is told of the stack around it."""

from __future__ import annotations

import pytest

from crosswind.errors import DeclarationError
from crosswind_aws.deployment import Deployment

GIVEN = {
    "CROSSWIND_GROUP": "ops",
    "CROSSWIND_TABLE": "crosswind-ops",
    "CROSSWIND_BUS": "crosswind-ops",
    "CROSSWIND_QUEUES": "arn:aws:sqs:eu-west-1:123456789012:crosswind-ops-",
}


def test_it_is_read_as_it_was_written() -> None:
    deployment = Deployment.from_env(GIVEN)

    assert Deployment.from_env(deployment.to_env()) == deployment
    assert deployment.to_env() == {**GIVEN, "CROSSWIND_SCHEDULES": "default"}


def test_queues_are_named_after_their_group() -> None:
    deployment = Deployment.from_env(GIVEN)

    assert deployment.queue("audit") == ("arn:aws:sqs:eu-west-1:123456789012:crosswind-ops-audit")
    assert deployment.dead_letters("audit") == (
        "arn:aws:sqs:eu-west-1:123456789012:crosswind-ops-audit-dead"
    )


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(DeclarationError) as error:
        Deployment.from_env({"PATH": "/bin"})

    for variable in GIVEN:
        assert f"{variable} is missing" in str(error.value)
    assert "crosswind stack apply aws" in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value", "fault"),
    [
        ("CROSSWIND_QUEUES", "https://sqs.example.com/", "does not begin the ARN of a queue"),
        ("CROSSWIND_GROUP", "ops team", "use letters, digits"),
        ("CROSSWIND_GROUP", "ops-dead", "ends with -dead"),
        ("CROSSWIND_SCHEDULER_ROLE", "admin", "is not the ARN of a role"),
    ],
)
def test_what_cannot_be_is_refused(variable: str, value: str, fault: str) -> None:
    with pytest.raises(DeclarationError, match=fault):
        Deployment.from_env({**GIVEN, variable: value})


def test_a_queue_s_name_that_would_be_too_long_is_refused() -> None:
    given = {**GIVEN, "CROSSWIND_GROUP": "g" * 60}
    given["CROSSWIND_QUEUES"] += "production-"

    with pytest.raises(DeclarationError, match="more than 80 letters"):
        Deployment.from_env(given)
