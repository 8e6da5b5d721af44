"""Artifacts of two versions of an app, and stacks of them on an emulator."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.aws_site import punctual
from contract.proxy import Fault, FaultyProxy, Request, Say
from crosswind_aws.stack.aws import Aws
from crosswind_aws.stack.deployed import AwsStack
from crosswind_local.aws_sites import AwsSite
from integration.aws.stack.bench import Artifacts, Bench, package, stock
from integration.aws.stack.terminal import Terminal

STACK = "crosswind-hops"

DENIED = b"""<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error>
<Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:aws:sts::123456789012:assumed-role/
Looker/ana is not authorized to perform: cloudformation:CreateChangeSet</Message></Error>
</ErrorResponse>"""


@pytest.fixture(scope="package")
def local_aws() -> Iterator[AwsSite]:
    """AWS for this folder, on a clock that keeps time."""
    yield from punctual()


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    """What `crosswind package` makes for the interpreter of the emulator."""
    folder = tmp_path_factory.mktemp("artifacts")
    index = stock(folder / "wheels")
    project = Path(__file__).parent / "project"
    return Artifacts(
        first=package(project / "first", "hops:app", folder / "first.zip", index),
        second=package(project / "second", "hops:app", folder / "second.zip", index),
        failover=package(
            project / "failover", "crosswind.chains.failover:app", folder / "failover.zip", index
        ),
    )


@pytest.fixture
def bench(local_aws: AwsSite, aws_account: str, artifacts: Artifacts) -> Bench:
    """A stack that is not there yet, in an account of this test's own."""
    stack = AwsStack(STACK, Aws(), clock=local_aws.now)
    return Bench(local_aws, aws_account, artifacts, stack)


@pytest.fixture
def terminal(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    made = Terminal(bench)
    made.has("first")
    return made


@pytest.fixture
def emulated(local_aws: AwsSite) -> AwsSite:
    """An emulator, as a proxy understands no TLS."""
    if local_aws.url is None:
        pytest.skip("a real account is asked over TLS, which this proxy does not speak")
    return local_aws


@pytest.fixture
def refusing(emulated: AwsSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Once called, AWS lets nobody make a change set."""
    assert emulated.url is not None
    with Guard(emulated.url) as guard:
        yield lambda: monkeypatch.setenv("AWS_ENDPOINT_URL", guard.url)


class Guard(FaultyProxy):
    """Carries out every request but those that would make a change set."""

    def meet(self, request: Request) -> Fault:
        if re.search(rb"Action=(Create|Delete)ChangeSet", request.body):
            return Say(403, DENIED, (("Content-Type", "text/xml"),))
        return super().meet(request)
