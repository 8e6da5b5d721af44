"""Emulators behind a wire that can be struck, and clients that see past it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore import loaders

from crosswind_local.aws_sites import AwsSite
from crosswind_local.moto import Moto
from integration.aws.performers.wire import Wire

Direct = Callable[..., Any]
"""Makes a client that reaches the emulator itself."""


@pytest.fixture(scope="session", autouse=True)
def _models_are_read_once() -> Iterator[None]:
    """Every test has a session of the SDK of its own; the models of services are the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loaders, "create_loader", cache(loaders.create_loader))
        yield


@pytest.fixture
def wire(local_aws: AwsSite, aws_account: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """A wire before ministack, in an account of this test's own; SDKs are pointed to it."""
    if local_aws.url is None:
        pytest.skip("a real account is reached over TLS, which this wire does not speak")
    with Wire(local_aws.url) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL", wire.url)
        yield wire


@pytest.fixture
def moto_wire(
    local_moto: Moto, moto_account: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Wire]:
    """A wire before moto, which is empty; SDKs are pointed to it."""
    with Wire(local_moto.url) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL", wire.url)
        yield wire


@pytest.fixture
def direct(wire: Wire, local_aws: AwsSite) -> Direct:
    """Makes clients that reach ministack itself."""
    return lambda service, **how: boto3.client(service, endpoint_url=local_aws.url, **how)


@pytest.fixture
def moto_direct(moto_wire: Wire, local_moto: Moto) -> Direct:
    """Makes clients that reach moto itself."""
    return lambda service, **how: boto3.client(service, endpoint_url=local_moto.url, **how)
