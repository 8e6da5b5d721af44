"""The store and the bus in memory keep the contracts."""

from __future__ import annotations

import pytest

from contract.bus_contract import BusContract, DuplicateContract, OrderContract
from contract.lines import Clock, EmbeddedLine, Line
from contract.store_contract import StoreContract
from crosswind.embedded.memory import MemoryStore
from crosswind.embedded.memory_bus import MemoryBus
from crosswind.ports import Store


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


class TestMemoryBus(BusContract, OrderContract, DuplicateContract):
    @pytest.fixture
    def line(self) -> Line:
        clock = Clock()
        return EmbeddedLine(MemoryBus(clock=clock, max_receipts=3), clock, 3)
