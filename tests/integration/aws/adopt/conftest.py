"""An account on moto, and a guard before it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from botocore import loaders

from contract.aws_site import punctual
from crosswind_local.aws_sites import AwsSite
from crosswind_local.moto import Moto
from integration.aws.adopt.estate import build
from integration.aws.adopt.guard import Guard


@pytest.fixture(scope="session", autouse=True)
def _models_are_read_once() -> Iterator[None]:
    """Every command has a session of the SDK of its own; the models of services are the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loaders, "create_loader", cache(loaders.create_loader))
        yield


@pytest.fixture(scope="package")
def local_aws() -> Iterator[AwsSite]:
    """AWS for this folder, on a clock that keeps time."""
    yield from punctual()


@pytest.fixture(scope="module")
def built(local_moto: Moto) -> None:
    """What is looked at, once for all tests of a module: they only read."""
    local_moto.reset()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in local_moto.env.items():
            patch.setenv(name, value)
        build()


@pytest.fixture
def guard(
    local_moto: Moto, built: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Guard]:
    """SDKs are pointed to it; the working folder is an empty one."""
    for name, value in local_moto.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    with Guard(local_moto.url) as guard:
        monkeypatch.setenv("AWS_ENDPOINT_URL", guard.url)
        yield guard
