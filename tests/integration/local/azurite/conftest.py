"""The official Azure Storage SDKs against Azurite; the first start fetches it."""

import itertools
from collections.abc import Iterator

import pytest

from crosswind_local.azurite import Account, AzuriteEmulator

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def azurite() -> Iterator[AzuriteEmulator]:
    """Azurite for the whole session."""
    with AzuriteEmulator() as azurite:
        yield azurite


@pytest.fixture
def account(azurite: AzuriteEmulator) -> Account:
    """An account that is this test's own."""
    return azurite.account(next(_NUMBERS))
