"""The official Azure Storage SDKs against Azurite, or against what the environment names.

`CROSSWIND_TEST_STORAGE` is the connection string of another account, or of an Azurite elsewhere;
then the tests run there, in real time. The first start of our own fetches Azurite.
"""

import time
from collections.abc import Iterator

import pytest

from crosswind_local.azurite import Account, AzuriteEmulator
from local.azurite.accounts import Named, account_of, emptied
from local.elsewhere import RealTime, Time, pointed


@pytest.fixture
def named() -> Named:
    """Names for containers, queues and tables that nobody else has."""
    return Named()


@pytest.fixture
def account(request: pytest.FixtureRequest, named: Named) -> Iterator[Account]:
    """An account that is this test's own, or the one that the environment names."""
    where = pointed("azurite")
    if where is None:
        yield request.getfixturevalue("azurite_account")
        return
    account = account_of(where)
    yield account
    emptied(account, named.mark)


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> Time:
    """The time of the service, which a test lets pass."""
    if pointed("azurite") is not None:
        return RealTime()
    azurite: AzuriteEmulator = request.getfixturevalue("local_azurite")

    class Moved:
        def now(self) -> float:
            return time.time() + azurite.skipped

        def advance(self, seconds: float) -> None:
            azurite.advance(seconds)

    return Moved()
