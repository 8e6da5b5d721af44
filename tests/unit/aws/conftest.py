"""The intake of an app's one group, in memory, to which AWS hands over."""

from __future__ import annotations

import pytest

from contract.landing import Place
from unit.aws.landings import AwsShapes, DelayingMemoryBus


@pytest.fixture
def place() -> Place:
    return Place(AwsShapes(), lambda app: DelayingMemoryBus())
