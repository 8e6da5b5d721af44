"""The projects of this folder, deployed: by their parts, and as a person deploys them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from contract.aws_site import punctual
from contract.aws_stack import Stack
from contract.proxy import FaultyProxy
from crosswind_local.aws_sites import AwsSite
from e2e.aws.desk import Desk
from e2e.aws.estate import Estate, left, serving
from e2e.aws.project.ops import app
from e2e.aws.terminal import Terminal, project, shelve
from e2e.aws.watching import Watch
from integration.aws.performers.wire import Wire

VISIBILITY = 5
BATCH = 3
DELIVERIES = 2 * BATCH

HOME = "us-west-2"
"""Where the stack of `production` is: a region that its fleet never leaves."""

TIMEOUT = 20
HIDDEN = 6 * TIMEOUT
"""Seconds of a call of its functions, and for which its queues hide what was received."""


@pytest.fixture(scope="package")
def local_aws() -> Iterator[AwsSite]:
    """AWS for this folder, on a clock that keeps time."""
    yield from punctual()


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


class Production(NamedTuple):
    """A deployed app with all chains, and the account that it is in."""

    site: AwsSite
    terminal: Terminal
    estate: Estate
    watch: Watch


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What artifacts are made of."""
    return shelve(tmp_path_factory.mktemp("artifacts") / "wheels")


@pytest.fixture
def production(
    local_aws: AwsSite,
    aws_account: str,
    wheels: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Production]:
    """The app of `production`, packaged and deployed where its fleet has nothing."""
    if local_aws.is_real:
        pytest.skip("records, services and metrics of a real account are not for tests to make")
    place = local_aws.env(aws_account, HOME)
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    with serving() as probe:
        estate = Estate(probe)
        terminal = Terminal(project(tmp_path / "ops"), wheels, place)
        estate.declare(terminal.folder)
        terminal.package()
        assert left() == {}
        terminal.applies(TIMEOUT)
        yield Production(local_aws, terminal, estate, Watch(aws_account))


@pytest.fixture
def wire(local_aws: AwsSite) -> Iterator[Wire]:
    """A wire before AWS that can be struck, for the functions of `production`."""
    if local_aws.url is None:
        pytest.skip("a real account is reached over TLS, which this wire does not speak")
    with Wire(local_aws.url) as wire:
        yield wire
