"""Azurite itself; the first start fetches it."""

import pytest

from crosswind_local.azurite import Account, AzuriteEmulator


@pytest.fixture
def azurite(local_azurite: AzuriteEmulator) -> AzuriteEmulator:
    """Azurite for the whole session."""
    return local_azurite


@pytest.fixture
def account(azurite_account: Account) -> Account:
    """An account that is this test's own."""
    return azurite_account
