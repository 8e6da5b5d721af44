"""A namespace of Service Bus whose time a test moves; other modules have a clock of their own."""

from typing import TYPE_CHECKING

import pytest

from crosswind_local import ManualClock
from crosswind_local.memory import Memory

if TYPE_CHECKING:
    from crosswind_local.servicebus.namespace import Namespace


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def namespace(clock: ManualClock) -> "Namespace":
    # Imported here, so that the tests of other services need not what Service Bus needs.
    from crosswind_local.servicebus.namespace import Namespace

    return Namespace(clock, Memory())
