"""The project of this folder, deployed: its stack and its two functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.aws_stack import Stack
from contract.proxy import FaultyProxy
from crosswind_local.aws_sites import AwsSite
from e2e.aws.desk import Desk
from e2e.aws.project.ops import app

VISIBILITY = 5
BATCH = 3
DELIVERIES = 2 * BATCH


@pytest.fixture
def proxy(local_aws: AwsSite) -> Iterator[FaultyProxy]:
    """Before DynamoDB, for the functions of `faulty`."""
    if local_aws.url is None:
        pytest.skip("a real DynamoDB is reached over TLS, which this proxy does not speak")
    with FaultyProxy(local_aws.url) as proxy:
        yield proxy


@pytest.fixture
def deploy(local_aws: AwsSite, aws_account: str, tmp_path: Path) -> Callable[..., Desk]:
    """Deploys the project; `env` is what its functions are told beside."""
    if local_aws.is_real:
        pytest.skip("a stack for a real account needs roles; `crosswind stack` makes those")

    def deployed(**env: str) -> Desk:
        stack = Stack(local_aws, aws_account, app, visibility=VISIBILITY, deliveries=DELIVERIES)
        told = {**local_aws.env(aws_account), "MARKS": str(tmp_path), **env}
        for group in app.groups:
            stack.deploy(group, "e2e.aws.project", told, timeout=10, batch=BATCH)
        return Desk(stack)

    return deployed


@pytest.fixture
def desk(deploy: Callable[..., Desk]) -> Desk:
    return deploy()
