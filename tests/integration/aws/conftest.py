"""Stacks for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contract.aws_stack import Stack
from crosswind.app import App
from crosswind_local.aws_sites import AwsSite


@pytest.fixture
def lay(local_aws: AwsSite, aws_account: str) -> Callable[..., Stack]:
    """Lays a stack for an app in this test's own account."""
    if local_aws.is_real:
        pytest.skip("a stack for a real account needs roles; `crosswind stack` makes those")

    def laid(app: App, **how: Any) -> Stack:
        return Stack(local_aws, aws_account, app, **how)

    return laid
